"""Timeouts of the side channel. Pure: no I/O is imported here."""

from collections.abc import Iterator
from dataclasses import dataclass

from bridge import retry


@dataclass(frozen=True, slots=True)
class Timing:
    """In seconds."""

    open: float = 10
    call: float = 15
    """Until a call must have been answered."""
    look_every: float = 30
    """Between two looks at all that waits: a gateway drops events for a slow connection."""
    keepalive: float = 20
    """Between two pings of the protocol, and until their answers."""
    close: float = 0.8
    healthy: float = 15
    """After a connection that lasted this long the next delay is short again."""
    first_delay: float = 0.5
    longest_delay: float = 30
    setup_delay: float = 30
    """Between two tries while somebody has to set something up first."""
    longest_wait: float = 300
    """Limit of a wait that the gateway asks for."""

    def delays(self) -> Iterator[float]:
        """Yield the waits after connections in a row that did not last."""
        return retry.delays(self.first_delay, 2, self.longest_delay)
