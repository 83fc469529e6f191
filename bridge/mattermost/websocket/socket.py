"""Mattermost's websocket as a stream of events that survives every loss of connection.

Nothing is lost silently: a short cut is resumed; after anything longer `Connected(lost=True)` tells
that the posts in between are to be read over REST.
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
from bridge.mattermost.websocket.resume_state import Connected, ConnectionEnded, Event, ResumeState, Seen
from bridge.mattermost.websocket.timing import Timing
from bridge.models.chat import ChannelId, PostId

__all__ = ["Connected", "Event", "Interest", "Seen", "Socket", "State", "Timing"]

log = structlog.get_logger(__name__)

State = Literal["connecting", "connected", "disconnected", "unauthorised", "closed"]
"""`unauthorised`: Mattermost does not know the token; it is tried again slowly."""


@dataclass(slots=True, eq=False)
class Socket:
    """Connects for as long as it is entered, and again after every end of a connection."""

    url: str
    """Of the server, http or https."""
    token: str = field(repr=False)
    interest: Interest
    probe: Callable[[], Awaitable[object]]
    """Asks something over REST with the same token and raises `TokenRefused` if that is no good;
    the websocket itself accepts any."""
    changed: Callable[[State], None] = lambda _state: None
    """Told of every new state."""
    capacity: int = 10_000
    """How many events may wait to be taken."""
    timing: Timing = field(default_factory=Timing)
    _state: State = field(default="disconnected", init=False)
    _since: float = field(default_factory=time.time, init=False)
    _last_frame: float = field(default=0, init=False)
    _resume: ResumeState = field(default_factory=ResumeState, init=False)
    _connection: Connection | None = field(default=None, init=False)
    _established: float = field(default=math.inf, init=False)
    _delays: Iterator[float] = field(init=False)
    _mailbox: EventQueue = field(init=False)
    _runner: asyncio.Task[None] = field(init=False)

    def __post_init__(self) -> None:
        self._delays = self.timing.delays()
        self._mailbox = EventQueue(self.capacity)

    @property
    def state(self) -> State:
        return self._state

    @property
    def since(self) -> float:
        """When the state began, in seconds since 1970."""
        return self._since

    @property
    def last_frame(self) -> float:
        """When the server was last heard, in seconds since 1970; 0 if never."""
        return self._connection.last_frame if self._connection else self._last_frame

    @property
    def waiting(self) -> int:
        """How many events have not been taken yet."""
        return len(self._mailbox)

    async def __aenter__(self) -> Self:
        self._runner = asyncio.create_task(self._run(), name="mattermost-socket")
        return self

    async def __aexit__(self, *failure: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connection and let `batches` end; takes less than a second."""
        self._runner.cancel()
        await asyncio.wait([self._runner])

    async def batches(self, most: int = 200) -> AsyncIterator[Sequence[Event]]:
        """Yield what came since the last batch, in order; ends after `aclose`."""
        while batch := await self._mailbox.take(most):
            yield batch
        await asyncio.wait([self._runner])
        if not self._runner.cancelled():
            self._runner.result()

    async def typing(self, channel_id: ChannelId, parent_id: PostId | Literal[""]) -> None:
        """Show the account as typing for some seconds, if that is possible at the moment."""
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
            self._mailbox.close()
            self._become("closed")

    async def _connect(self) -> ConnectionEnded:
        """Live through one connection and return how it ended."""
        self._established = math.inf
        try:
            async with dial(self.url, self.token, self._resume.query(), self.timing) as websocket:
                connection = self._connection = Connection(
                    websocket,
                    self._resume,
                    self.interest,
                    self.timing,
                    self._mailbox.put,
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
        """Draw the consequences of an ended connection; returns the seconds until the next."""
        began = self._state == "connected"
        log.info("socket_over", reason=ended.reason, began=began)
        if began:
            self._become("disconnected")
        if ended.reason == "huge" or (ended.reason in {"closed", "silent"} and not began):
            # Resuming would bring the same again.
            self._resume.forget()
        if ended.leaves_token_in_doubt(began=began) and await self._token_is_refused():
            self._become("unauthorised")
            return self.timing.unauthorised_delay()
        self._become("disconnected")
        if ended.reason == "full":
            await self._mailbox.emptied()
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
            self._state, self._since = state, time.time()
            log.info("socket", state=state)
            self.changed(state)
