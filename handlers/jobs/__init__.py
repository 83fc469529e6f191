"""What the worker does: a module a job kind."""
