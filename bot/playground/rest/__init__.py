"""The REST operations, one file a resource; each gives its routes as `ROUTES`."""
