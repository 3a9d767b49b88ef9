"""The worker: a thin loop over a model and a sandbox, journaled turn by turn."""
