"""The websocket's numbers. Pure: no I/O is imported here."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from bridge import retry


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds."""

    open: float = 10
    hello: float = 6
    """Until a connection must have begun; the server drops an anonymous one after 5
    (`authCheckInterval` in server/channels/app/platform/web_conn.go)."""
    ping_every: float = 20
    ping_answer: float = 10
    keepalive: float = 20
    """Of the protocol's own pings and as long for their answers."""
    close: float = 0.8
    typing: float = 1
    """For sending that the account is typing."""
    healthy: float = 15
    """A connection that lasted so long makes the next delay a short one again."""
    first_delay: float = 0.5
    longest_delay: float = 30
    unauthorised: float = 60
    """Between tries while the token is refused, at most; half of it at least."""
    longest_wait: float = 300
    """Of a wait that the server asks for."""

    def delays(self) -> Iterator[float]:
        """Yield how long to wait after each of a row of connections that did not last."""
        return retry.delays(self.first_delay, 2, self.longest_delay)

    def unauthorised_delay(self) -> float:
        return random.uniform(0.5, 1) * self.unauthorised  # noqa: S311 - jitter
