"""A module a command: `run(options, environ)` returns the exit code."""
