"""Hand what the agents want from people to whoever stores it."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial

import structlog

from bridge.errors import BridgeError
from bridge.metrics import Metrics
from bridge.models.approvals import ControlEvent
from bridge.outage import retry_until_available
from bridge.ports import AgentControl

log = structlog.get_logger(__name__)

TakeEvent = Callable[[ControlEvent], Awaitable[None]]
"""Stores what an event asks for. Every process is given every event, and may be given it again."""


@dataclass(frozen=True, slots=True)
class ControlListener:
    control: AgentControl
    takers: Sequence[TakeEvent]
    metrics: Metrics

    async def run(self) -> None:
        """Listen until cancelled, through every loss of the connection or the database."""
        async with aclosing(self.control.events()) as events:
            async for event in events:
                self.metrics.control_event(event)
                for take in self.takers:
                    await self._take(take, event)

    async def _take(self, take: TakeEvent, event: ControlEvent) -> None:
        try:
            await retry_until_available("take control event", partial(take, event))
        except BridgeError as error:
            log.warning("control_event_not_taken", reason=error.message)
        except Exception:  # what an agent says must not end the daemon
            log.exception("control_event_not_taken")
