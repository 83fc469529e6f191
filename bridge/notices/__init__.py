"""The platform's events as posts. Pure: no I/O is imported here."""
