"""The HTTP API: a module a route."""
