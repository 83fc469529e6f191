"""One connection of the websocket, from its opening to its end."""

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count

import structlog
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode

from bridge.mattermost.websocket.frames import Frame, Interest, Malformed, Other, Reply, parse_frame, sniffer
from bridge.mattermost.websocket.resume_state import ConnectionEnded, Event, Reason, ResumeState
from bridge.mattermost.websocket.timing import Timing

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Connection:
    """Reads without waiting for anybody but the server, and pings it.

    A `ping` action is answered only while the token is good and both directions work. The protocol's own
    ping frames do not show that: a revoked token leaves the connection open and silent
    (`IsAuthenticated` in server/channels/app/platform/web_conn.go).
    """

    websocket: ClientConnection
    resume: ResumeState
    interest: Interest
    timing: Timing
    put: Callable[[tuple[Event, ...]], None]
    """May raise `ConnectionEnded`."""
    on_established: Callable[[], None]
    last_frame: float = field(default_factory=time.time)
    """Seconds since 1970."""
    _numbers: "count[int]" = field(default_factory=lambda: count(1))
    _last_ping: int = 0
    _answered: asyncio.Event = field(default_factory=asyncio.Event)
    _begun: asyncio.Event = field(default_factory=asyncio.Event)
    _ended: Reason | None = None

    async def run(self) -> ConnectionEnded:
        """Read until the connection ends; return why it did."""
        self.resume.open()
        async with asyncio.TaskGroup() as tasks:
            beat = tasks.create_task(self._beat())
            ended = await self._read()
            beat.cancel()
        return ended

    async def act(self, action: str, data: Mapping[str, str]) -> None:
        """Send an action; do nothing when the connection has ended."""
        with suppress(ConnectionClosed):
            await self._send(next(self._numbers), action, data)

    async def _read(self) -> ConnectionEnded:
        sniff, skip = sniffer(self.interest), self.resume.skip
        try:
            while True:
                raw = await self.websocket.recv(decode=False)
                self.last_frame = time.time()
                seq = sniff(raw)
                if seq is None:
                    self._take(parse_frame(raw, self.interest))
                elif not skip(seq):
                    self._take(Other(seq))
        except ConnectionEnded as ended:
            return ended
        except ConnectionClosed as closed:
            return ConnectionEnded(self._ended or _reason(closed))

    def _take(self, frame: Frame) -> None:
        if isinstance(frame, Malformed):
            log.warning("frame_malformed", reason=frame.reason)
        if isinstance(frame, Reply) and frame.seq_reply == self._last_ping:
            self._answered.set()
        self.resume.take(frame, self.put)
        if self.resume.established and not self._begun.is_set():
            self._begun.set()
            self.on_established()

    async def _beat(self) -> None:
        """Ping; end the connection when it does not begin or no longer answers."""
        with suppress(ConnectionClosed):
            if not await self._ping(self._begun, self.timing.hello):
                return self._end("silent")
            while True:
                await asyncio.sleep(self.timing.ping_every)
                if not await self._ping(self._answered, self.timing.ping_answer):
                    return self._end("deaf")

    async def _ping(self, answer: asyncio.Event, within: float) -> bool:
        """Tell whether the answer came in time; a hello always comes before the answer to a ping."""
        self._last_ping = next(self._numbers)
        self._answered.clear()
        try:
            async with asyncio.timeout(within):
                await self._send(self._last_ping, "ping", {})
                await answer.wait()
        except TimeoutError:
            return False
        return True

    async def _send(self, number: int, action: str, data: Mapping[str, str]) -> None:
        await self.websocket.send(json.dumps({"seq": number, "action": action, "data": data}))

    def _end(self, reason: Reason) -> None:
        self._ended = reason
        self.websocket.transport.abort()


def _reason(closed: ConnectionClosed) -> Reason:
    too_big = closed.sent is not None and closed.sent.code == CloseCode.MESSAGE_TOO_BIG
    return "huge" if too_big else "closed"
