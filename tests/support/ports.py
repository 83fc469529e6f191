"""Ports for servers whose address others must know before they start."""

from bridge.sandbox.ports import ReservedPort


def reserved_port() -> int:
    """Return a loopback port that the system gives to nobody else as long as this process lives."""
    return ReservedPort().keep()
