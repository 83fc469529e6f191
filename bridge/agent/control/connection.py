"""One connection of the side channel, from its opening to its end."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import structlog
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from bridge.agent.control.frames import CHALLENGE, Event, Malformed, Response, read_frame
from bridge.agent.control.handshake import Refused
from bridge.agent.control.timing import Timing
from bridge.errors import AgentUnavailable
from bridge.websocket_client import discreet_logger, hang_up

log = structlog.get_logger(__name__)

_LARGEST_FRAME = 32 << 20
"""Bytes; a gateway sends frames of up to 25 MiB, and those of chats are thrown away."""

_HTTP = {
    401: "the gateway refuses AGENT_TOKEN",
    403: "the gateway refuses a forwarded connection: name the proxy in its gateway.trustedProxies",
}


class NotOpened(Exception):
    """There is no websocket, or none that is of use."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.reason)
        self.refused = refused


@asynccontextmanager
async def dial(url: str, timing: Timing, proxy: str | None) -> AsyncIterator[ClientConnection]:
    """Open a websocket; raise `NotOpened`."""
    opening = connect(
        url,
        compression=None,
        proxy=proxy,
        open_timeout=timing.open,
        ping_interval=timing.keepalive,
        ping_timeout=timing.keepalive,
        close_timeout=timing.close,
        max_size=_LARGEST_FRAME,
        logger=discreet_logger(),
    )
    try:
        websocket = await opening
    except InvalidStatus as error:
        status = error.response.status_code
        lasts = status < 500 and status != 429
        reason = _HTTP.get(status, f"AGENT_URL has no websocket (HTTP {status})")
        raise NotOpened(Refused(reason, lasts=lasts)) from None
    except (OSError, WebSocketException) as error:
        reason = f"the gateway cannot be reached ({type(error).__name__})"
        raise NotOpened(Refused(reason, lasts=False)) from None
    try:
        yield websocket
    finally:
        await hang_up(websocket, timing.close)


@dataclass(slots=True, eq=False)
class Connection:
    """Reads events, and answers calls as their responses come."""

    websocket: ClientConnection
    timing: Timing
    put: Callable[[Event], None]
    """Takes an event; must not wait."""
    challenge: asyncio.Future[Mapping[str, Any]] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )
    """What the gateway says first."""
    _numbers: "count[int]" = field(default_factory=lambda: count(1))
    _calls: dict[str, asyncio.Future[Response]] = field(default_factory=dict)

    async def read(self) -> None:
        """Read until the connection ends."""
        try:
            while True:
                self._take(read_frame(await self.websocket.recv(decode=False)))
        except ConnectionClosed:
            pass
        finally:
            self.challenge.cancel()
            for waiting in self._calls.values():
                waiting.cancel()

    async def call(self, method: str, params: Mapping[str, Any]) -> Response:
        """Call a method and return its response; raise `AgentUnavailable` if none comes."""
        id_ = str(next(self._numbers))
        answer: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        self._calls[id_] = answer
        request = {"type": "req", "id": id_, "method": method, "params": params}
        try:
            async with asyncio.timeout(self.timing.call):
                await self.websocket.send(json.dumps(request))
                # Its cancellation is the end of the connection, and not ours.
                await asyncio.wait({answer})
        except TimeoutError:
            raise AgentUnavailable("The gateway did not answer on its side channel.") from None
        except ConnectionClosed:
            raise lost() from None
        finally:
            del self._calls[id_]
        if answer.cancelled():
            raise lost()
        return answer.result()

    async def challenged(self) -> Mapping[str, Any]:
        """Return the gateway's challenge; raise `AgentUnavailable` if none comes."""
        await asyncio.wait({self.challenge}, timeout=self.timing.open)
        if not self.challenge.done() or self.challenge.cancelled():
            raise AgentUnavailable("The gateway did not begin its side channel.")
        return self.challenge.result()

    def _take(self, frame: Event | Response | Malformed | None) -> None:
        match frame:
            case Event(name, payload) if name == CHALLENGE:
                if not self.challenge.done():
                    self.challenge.set_result(payload)
            case Event():
                self.put(frame)
            case Response(id_):
                waiting = self._calls.get(id_)
                if waiting and not waiting.done():
                    waiting.set_result(frame)
            case Malformed(reason):
                log.warning("control_frame_malformed", reason=reason)


def lost() -> AgentUnavailable:
    return AgentUnavailable("There is no connection to the gateway's side channel.")
