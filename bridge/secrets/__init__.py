"""Tokens at rest: the key ring, sealing and re-sealing."""
