"""What can go wrong on purpose, switched on and off while the server runs.

Everything random comes from one seeded source, so that a run can be repeated.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

When = Literal["before", "after"]
"""Before the server did the work, or after it: the post is stored but the client does not learn it."""


@dataclass(slots=True)
class RestFault:
    """How matching REST calls go wrong: they take `delay` seconds more, then are cut or answer `status`."""

    when: When = "before"
    status: int | None = None
    """The status to answer instead of the real one; none keeps the real answer."""
    error_id: str = ""
    """Whose id Mattermost's own error has; without one it is a plain text, as from a proxy."""
    cut: bool = False
    """Whether the connection is cut without an answer."""
    delay: float = 0.0
    release: asyncio.Event | None = None
    """What such a call waits for as well."""
    retry_after: int | None = None
    method: str = ""
    path: str = ""
    """Part of the path; empty matches every call of the API."""
    fraction: float = 1.0
    times: int | None = None
    """How many calls are left to be hit; none means no end."""

    def matches(self, method: str, path: str) -> bool:
        return self.times != 0 and self.method in ("", method) and self.path in path


class Faults:
    """The switches. All are off at first; `clear` turns all off again."""

    def __init__(self, seed: int = 0) -> None:
        self.random = random.Random(seed)
        self.refuse_sockets = False
        """New websockets are cut before the upgrade."""
        self.deaf_sockets = False
        """Websockets swallow everything and say nothing, not even a pong; a deaf one stays so to its end."""
        self.slow_save = 0.0
        """Seconds that a post takes to be stored; meanwhile its `pending_post_id` is answered with 500."""
        self.duplicate_posted = 0.0
        """The fraction of `posted` events delivered twice."""
        self.drop_events = 0.0
        """The fraction of events that a connection misses untold: `seq` jumps, a resume replays them."""
        self.reorder_posted = 0.0
        """The fraction of `posted` events that let the next one, if of another thread, pass."""
        self._rest: list[RestFault] = []
        self._cutters: list[Callable[[], None]] = []

    def clear(self) -> None:
        """Turn everything off."""
        self.refuse_sockets = self.deaf_sockets = False
        self.slow_save = 0.0
        self.duplicate_posted = self.drop_events = self.reorder_posted = 0.0
        self._rest.clear()

    def on_cut(self, cutter: Callable[[], None]) -> None:
        """Register what cuts the sockets of a server."""
        self._cutters.append(cutter)

    def forget_cut(self, cutter: Callable[[], None]) -> None:
        """Take back `on_cut`."""
        self._cutters.remove(cutter)

    def cut_sockets(self) -> None:
        """Cut every open websocket now, without a close frame."""
        for cutter in self._cutters:
            cutter()

    def rest(self, fault: RestFault) -> RestFault:
        """Let matching REST calls go wrong from now on; earlier faults are asked first."""
        self._rest.append(fault)
        return fault

    def strike(self, method: str, path: str) -> RestFault | None:
        """Return the fault that hits this call, if any, and count it."""
        for fault in self._rest:
            if fault.matches(method, path) and self.happens(fault.fraction):
                if fault.times is not None:
                    fault.times -= 1
                return fault
        return None

    def happens(self, fraction: float) -> bool:
        """Draw once; a fraction of 0 draws nothing."""
        return fraction > 0 and self.random.random() < fraction
