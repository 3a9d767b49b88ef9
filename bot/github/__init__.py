"""GitHub's API as `ports.GitHub`: scoped tokens, one connection pool, our own retry rules. Only the engine loads it."""
