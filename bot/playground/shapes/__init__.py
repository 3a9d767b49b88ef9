"""JSON shapes as GitHub's description has them, one module a resource."""
