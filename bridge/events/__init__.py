"""What the platform tells: CloudEvents, what they carry, and what is to be done. Pure: no I/O is imported here."""
