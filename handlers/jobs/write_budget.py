"""How much of Mattermost growing answers may use: what is exact goes first."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import inf

from bridge.clock import Clock, boot_time
from bridge.errors import MattermostUnavailable

_AT_ONCE = 8
"""Writes of growing answers that are under way at once."""
_QUICK = 0.5
"""Seconds; a server that takes longer for a write gets fewer."""
_SLOWEST = 10.0
"""How many times longer the pauses between edits become at most."""
_PAUSE = 5.0
"""Seconds without writes after a refusal that names no time."""


@dataclass(slots=True)
class WriteBudget:
    """One a process. Times by `clock`."""

    clock: Clock = boot_time
    slowdown: float = 1.0
    """How many times longer than usual an answer waits for its next edit."""
    _urgent: int = field(default=0, init=False)
    _growing: int = field(default=0, init=False)
    _closed_until: float = field(default=-inf, init=False)

    @contextmanager
    def first(self) -> Iterator[None]:
        """Count a write that goes before all edits of growing answers."""
        self._urgent += 1
        try:
            yield
        finally:
            self._urgent -= 1

    @property
    def is_open(self) -> bool:
        """Whether a growing answer may be written now; if not, it tries again at its next turn."""
        return self.clock() >= self._closed_until and self._growing < max(1, _AT_ONCE - self._urgent)

    @contextmanager
    def growing(self) -> Iterator[None]:
        """Count a write of a growing answer, and learn from how long it takes."""
        began = self.clock()
        self._growing += 1
        try:
            yield
        except MattermostUnavailable as error:
            self._closed_until = self.clock() + max(error.retry_after or 0, _PAUSE)
            raise
        finally:
            self._growing -= 1
            self._learn(self.clock() - began)

    def _learn(self, seconds: float) -> None:
        now = min(max(1.0, seconds / _QUICK), _SLOWEST)
        self.slowdown = max(now, (self.slowdown + now) / 2)
