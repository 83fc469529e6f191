"""Stand-ins for the outside world that one can talk to; only commands and tests import them."""
