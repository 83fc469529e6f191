"""The gateway's side channel in tests: the sandbox's, and the client that listens to it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from aiohttp import ClientSession

from bridge.agent.control.channel import DeviceSource, GatewayControl
from bridge.agent.control.handshake import Identity
from bridge.agent.control.own_keys import OwnKeys
from bridge.agent.control.timing import Timing
from bridge.models.approvals import ControlEvent
from bridge.sandbox.agent.control import Control
from tests.support.agent import ACME, TOKEN

KEY = f"mattermost:{ACME}:{'c' * 26}:{'t' * 26}"
STORED = f"agent:main:{KEY}"
IDENTITY = Identity(TOKEN)
QUICK = Timing(first_delay=0.01, longest_delay=0.05, setup_delay=0.05)

PAYMENT: Mapping[str, Any] = {
    "title": "Pay 100",
    "description": "Pay 100 to Acme.",
    "severity": "critical",
    "toolName": "equa_pay",
    "allowedDecisions": ["allow-once", "deny"],
}
WHICH: Mapping[str, Any] = {
    "questionId": "color",
    "header": "Color",
    "question": "Which color?",
    "options": [{"label": "Blue"}, {"label": "Red"}],
    "isOther": False,
}

E = TypeVar("E")


class Heard:
    """The events that a client has given so far."""

    def __init__(self) -> None:
        self.events: list[ControlEvent] = []
        self._changed = asyncio.Event()

    async def listen(self, control: GatewayControl) -> None:
        async for event in control.events():
            self.events.append(event)
            self._changed.set()

    def of(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]

    async def next(self, kind: type[E], number: int = 1) -> E:
        """Return the event of this kind with this number, from 1, as soon as it is there."""
        await self.until(lambda: len(self.of(kind)) >= number)
        return self.of(kind)[number - 1]

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not condition():
                self._changed.clear()
                await self._changed.wait()


@asynccontextmanager
async def listening(
    url: str,
    *,
    identity: Identity = IDENTITY,
    devices: DeviceSource | None = None,
    timing: Timing = QUICK,
) -> AsyncIterator[tuple[GatewayControl, Heard]]:
    """A client that listens, and what it hears."""
    control, heard = GatewayControl(url, identity, OwnKeys("main"), devices=devices, timing=timing), Heard()
    listener = asyncio.create_task(heard.listen(control))
    try:
        yield control, heard
    finally:
        listener.cancel()
        await asyncio.wait({listener})
        if not listener.cancelled():
            listener.result()


async def reason(control: GatewayControl, part: str) -> None:
    """Wait until the client says why there is no channel."""
    async with asyncio.timeout(60):
        while part not in control.state.reason:
            await asyncio.sleep(0.01)


async def asked(
    control: Control, question: Mapping[str, Any] = WHICH, key: str = STORED
) -> Mapping[str, Any]:
    """Let a run ask; return how the question has ended."""
    return await control.question(key, "chatcmpl_1", [dict(question)])


async def paying(control: Control, key: str = STORED, **changes: Any) -> str:
    """Let a run ask for an approval; return the decision."""
    return await control.approval(key, "chatcmpl_1", {**PAYMENT, **changes})


async def call_over_http(session: ClientSession, url: str, text: str) -> str:
    """Ask the gateway over HTTP in one piece; return the answer."""
    headers = {
        "Authorization": f"Bearer {TOKEN}",
        "x-equabot-session-key": KEY,
        "X-Equa-Organization": str(ACME),
    }
    body = {"model": "equabot", "messages": [{"role": "user", "content": text}]}
    async with session.post(f"{url}/v1/chat/completions", json=body, headers=headers) as response:
        answer: str = (await response.json())["choices"][0]["message"]["content"]
        return answer
