"""What one event does to whoever takes it is no matter of the next one."""

from collections.abc import AsyncGenerator
from typing import Any, cast

from bridge.errors import AgentFailed
from bridge.ingest.control_listener import ControlListener
from bridge.metrics import Metrics
from bridge.models.approvals import ControlEvent, Pending
from bridge.ports import AgentControl


class Told:
    """Gives some events and ends."""

    def __init__(self, *events: ControlEvent) -> None:
        self._events = events

    async def events(self) -> AsyncGenerator[ControlEvent, None]:
        for event in self._events:
            yield event


async def test_a_fault_ends_nothing() -> None:
    """Neither one that was expected nor another; the gateway lists the same again after each restart."""
    taken: list[int] = []

    async def take(event: ControlEvent) -> None:
        assert isinstance(event, Pending)
        match event.at:
            case 1:
                raise AgentFailed("The gateway refused it.")
            case 2:
                raise ValueError(event)
        taken.append(event.at)

    told = cast("AgentControl", cast("Any", Told(*(Pending(at=at) for at in (1, 2, 3)))))
    await ControlListener(told, [take, take], Metrics()).run()

    assert taken == [3, 3]
