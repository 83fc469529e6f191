"""What the daemon speaks about, by host. Pure: no I/O is imported here."""
