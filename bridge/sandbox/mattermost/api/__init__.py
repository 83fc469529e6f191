"""The REST API of the sandbox: one module a noun, each with its `ROUTES`."""
