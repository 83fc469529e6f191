"""Mattermost's websocket as a stream of events that survives every loss of connection.

No loss is silent: a short cut is resumed; after a longer one `Connected(lost=True)` says that the posts in
between have to be read over REST.
"""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal, Self

import structlog

from bridge.errors import BridgeError, TokenRefused
from bridge.mattermost.websocket.connection import Connection
from bridge.mattermost.websocket.dial import dial
from bridge.mattermost.websocket.event_queue import EventQueue
from bridge.mattermost.websocket.frames import Interest
from bridge.mattermost.websocket.resume_state import (
    Changed,
    Connected,
    ConnectionEnded,
    Event,
    ResumeState,
    Seen,
)
from bridge.mattermost.websocket.timing import Timing
from bridge.models.chat import ChannelId, PostId
from bridge.models.proxies import NO_PROXIES, Proxies

__all__ = ["Changed", "Connected", "Event", "Interest", "Seen", "Socket", "State", "Timing"]

log = structlog.get_logger(__name__)

State = Literal["connecting", "connected", "disconnected", "unauthorised", "closed"]
"""`unauthorised`: Mattermost refuses the token; it is tried again slowly."""


@dataclass(slots=True, eq=False)
class Socket:
    """Connects while it is entered, and again after every end of a connection."""

    url: str
    """Of the server; http or https."""
    token: str = field(repr=False)
    interest: Interest
    probe: Callable[[], Awaitable[object]]
    """Uses the same token over REST; raises `TokenRefused` if it is not valid. The websocket accepts any."""
    changed: Callable[[State], None] = lambda _state: None
    """Called with every new state."""
    capacity: int = 10_000
    """How many events the queue may hold."""
    timing: Timing = field(default_factory=Timing)
    proxies: Proxies = NO_PROXIES
    _state: State = field(default="disconnected", init=False)
    _last_frame: float = field(default=0, init=False)
    _resume: ResumeState = field(default_factory=ResumeState, init=False)
    _connection: Connection | None = field(default=None, init=False)
    _established: float = field(default=math.inf, init=False)
    _delays: Iterator[float] = field(init=False)
    _queue: EventQueue = field(init=False)
    _runner: asyncio.Task[None] = field(init=False)

    def __post_init__(self) -> None:
        self._delays = self.timing.delays()
        self._queue = EventQueue(self.capacity)

    @property
    def state(self) -> State:
        return self._state

    @property
    def last_frame(self) -> float:
        """When the last frame came, in seconds since 1970; 0 if none came."""
        return self._connection.last_frame if self._connection else self._last_frame

    @property
    def waiting(self) -> int:
        """How many events are in the queue."""
        return len(self._queue)

    async def __aenter__(self) -> Self:
        self._runner = asyncio.create_task(self._run(), name="mattermost-socket")
        return self

    async def __aexit__(self, *failure: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connection and let `batches` end, within a second."""
        self._runner.cancel()
        await asyncio.wait([self._runner])

    async def batches(self, most: int = 200) -> AsyncIterator[Sequence[Event]]:
        """Yield the events since the last batch, in order; ends after `aclose`."""
        while batch := await self._queue.take(most):
            yield batch
        await asyncio.wait([self._runner])
        if not self._runner.cancelled():
            self._runner.result()

    async def typing(self, channel_id: ChannelId, parent_id: PostId | Literal[""]) -> None:
        """Show the account as typing for some seconds; do nothing while disconnected."""
        if self._connection and self._state == "connected":
            with suppress(TimeoutError):
                async with asyncio.timeout(self.timing.typing):
                    await self._connection.act(
                        "user_typing", {"channel_id": channel_id, "parent_id": parent_id}
                    )

    async def _run(self) -> None:
        try:
            while True:
                if self._state != "unauthorised":
                    self._become("connecting")
                ended = await self._connect()
                await asyncio.sleep(await self._after(ended))
        finally:
            self._queue.close()
            self._become("closed")

    async def _connect(self) -> ConnectionEnded:
        """Open a connection, read it to its end and return why it ended."""
        self._established = math.inf
        try:
            proxy = self.proxies.of(self.url)
            async with dial(self.url, self.token, self._resume.query(), self.timing, proxy) as websocket:
                connection = self._connection = Connection(
                    websocket,
                    self._resume,
                    self.interest,
                    self.timing,
                    self._queue.put,
                    self._on_established,
                )
                return await connection.run()
        except ConnectionEnded as ended:
            return ended
        finally:
            self._last_frame, self._connection = self.last_frame, None

    def _on_established(self) -> None:
        self._established = time.monotonic()
        self._become("connected")

    async def _after(self, ended: ConnectionEnded) -> float:
        """Set the state after a connection's end; return the seconds to wait before the next."""
        began = self._state == "connected"
        log.info("socket_ended", reason=ended.reason, began=began)
        if began:
            self._become("disconnected")
        if ended.makes_resume_useless(began=began):
            self._resume.forget()
        if ended.leaves_token_in_doubt(began=began) and await self._token_is_refused():
            self._become("unauthorised")
            return self.timing.unauthorised_delay()
        self._become("disconnected")
        if ended.reason == "full":
            await self._queue.emptied()
        return self._delay(ended)

    async def _token_is_refused(self) -> bool:
        try:
            async with asyncio.timeout(self.timing.open):
                await self.probe()
        except TokenRefused:
            return True
        except (BridgeError, TimeoutError):
            pass
        return False

    def _delay(self, ended: ConnectionEnded) -> float:
        if time.monotonic() - self._established >= self.timing.healthy:
            self._delays = self.timing.delays()
        return max(next(self._delays), min(ended.retry_after, self.timing.longest_wait))

    def _become(self, state: State) -> None:
        if state != self._state:
            self._state = state
            log.info("socket", state=state)
            self.changed(state)
