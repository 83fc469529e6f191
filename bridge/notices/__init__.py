"""What the platform's events look like in a channel. Pure: no I/O is imported here."""
