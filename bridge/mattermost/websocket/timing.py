"""Timeouts of the websocket. Pure: no I/O is imported here."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from bridge import retry


@dataclass(frozen=True, slots=True)
class Timing:
    """In seconds."""

    open: float = 10
    hello: float = 6
    """Until a connection must have begun; the server drops an anonymous one after 5 s
    (`authCheckInterval` in server/channels/app/platform/web_conn.go)."""
    ping_every: float = 20
    ping_answer: float = 10
    keepalive: float = 20
    """Between two pings of the protocol, and until their answers."""
    close: float = 0.8
    typing: float = 1
    """For sending a typing action."""
    healthy: float = 15
    """After a connection that lasted this long the next delay is short again."""
    first_delay: float = 0.5
    longest_delay: float = 30
    unauthorised: float = 20
    """Between two tries while the token is refused; at least half of it."""
    longest_wait: float = 300
    """Limit of a wait that the server asks for."""

    def delays(self) -> Iterator[float]:
        """Yield the waits after connections in a row that did not last."""
        return retry.delays(self.first_delay, 2, self.longest_delay)

    def unauthorised_delay(self) -> float:
        return random.uniform(0.5, 1) * self.unauthorised  # noqa: S311 - jitter
