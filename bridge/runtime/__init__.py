"""The composition root: builds every part of the daemon, starts it and stops it in reverse."""
