"""The platform's events, and the jobs that follow from them. Pure: no I/O is imported here."""
