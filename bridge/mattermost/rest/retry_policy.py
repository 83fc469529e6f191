"""How long a request is tried. Pure: no I/O is imported here."""

import random
from dataclasses import dataclass

from bridge.mattermost.rest.responses import Passing, Pending


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """The limits of a request and its repeats; times in seconds."""

    timeout: float = 10
    """Of one try."""
    tries: int = 4
    total: float = 20
    """After this long no further try is begun."""
    resend_for: float = 0
    """How long after its first try a POST of unknown outcome may be sent again; 0 is never."""
    first_delay: float = 0.2
    longest_delay: float = 2
    longest_wait: float = 15
    """Of a wait that the server asks for; a longer one is left to the caller."""

    def delay(self, error: Passing, tried: int) -> float | None:
        """Return how long to wait before the next try, None when this was the last."""
        if tried >= self.tries and not isinstance(error, Pending):
            return None
        jittered = random.uniform(0.5, 1) * min(self.longest_delay, self.first_delay * 2.0**tried)  # noqa: S311 - jitter
        if error.retry_after is None:
            return jittered
        return error.retry_after + jittered if error.retry_after <= self.longest_wait else None

    def deadline(self, *, repeatable: bool) -> float:
        """Return until how long after the first try another one may begin."""
        return self.total if repeatable else self.resend_for
