"""What the platform tells, and what is to be done about it. Pure: no I/O is imported here."""
