"""How a running sandbox Equa is watched and disturbed."""

from collections import Counter

from aiohttp import web

from bridge.sandbox.equa.faults import Fault
from bridge.sandbox.equa.shapes import Shapes
from bridge.sandbox.equa.store import Store


class Controls:
    """What was called, in which shapes it is answered, and what goes wrong."""

    def __init__(self) -> None:
        self.shapes = Shapes()
        self.calls: Counter[str] = Counter()
        """Calls by route, e.g. `GET /organization/{organization}`, those that went wrong included."""
        self._faults: list[Fault] = []

    def fail(self, fault: Fault) -> Fault:
        """Let matching calls go wrong from now on; earlier faults are asked first."""
        self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """End all faults."""
        self._faults.clear()

    def strike(self, route: str) -> Fault | None:
        """Count a call and return the fault that hits it, if any."""
        self.calls[route] += 1
        return next((fault for fault in self._faults if fault.hits(route)), None)


STORE: web.AppKey[Store] = web.AppKey("store", Store)
CONTROLS: web.AppKey[Controls] = web.AppKey("controls", Controls)
