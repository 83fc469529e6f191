"""Turn frames into events and remember where to resume. Pure: no I/O is imported here.

The state outlives its connections. The server keeps what it sent on a lost connection for some minutes
and replays it to whoever names the connection and the `seq` expected next; such a resumed connection
begins without a hello, a fresh one with a hello of another id (`PopulateWebConnConfig` in
server/channels/app/platform/web_conn.go).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, assert_never

from bridge.mattermost.websocket.changes import Change
from bridge.mattermost.websocket.frames import (
    ChangeEvent,
    Frame,
    Hello,
    Malformed,
    Other,
    PostedEvent,
    Reply,
)
from bridge.models.chat import Posted


@dataclass(frozen=True, slots=True)
class Connected:
    """A connection was established; `lost`: events before it may have been missed."""

    lost: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """A post of interest was posted."""

    posted: Posted


@dataclass(frozen=True, slots=True)
class Changed:
    """The account, a channel or a team has changed."""

    change: Change


Event = Connected | Seen | Changed

_NO_SESSION = "not_authenticated"
"""In the error id of every reply to a connection without a valid token."""

Reason = Literal["closed", "deaf", "full", "gap", "huge", "refused", "silent", "unreachable"]
"""Why a connection ended: `deaf`: no answer to a ping; `silent`: it never began; `refused`: the token is not
valid; `full`: nobody took the events; `huge`: a frame was above the limit."""


class ConnectionEnded(Exception):
    """The connection has ended or must be ended."""

    def __init__(self, reason: Reason, *, retry_after: float = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after
        """Seconds that the server asked us to wait."""

    def makes_resume_useless(self, *, began: bool) -> bool:
        """Tell whether the next connection has to be a fresh one.

        Without a valid session the server sends nothing and uses up no `seq` (`ShouldSendEvent` in
        server/channels/app/platform/web_conn.go), so after `refused` a resume looks lossless and is not. A
        frame above the limit, or a connection that did not begin, would come again.
        """
        return self.reason in {"huge", "refused"} or (self.reason in {"closed", "silent"} and not began)

    def leaves_token_in_doubt(self, *, began: bool) -> bool:
        """Tell whether a bad token may be the cause: the server hangs up on one without a word."""
        return self.reason == "refused" or (self.reason in {"closed", "silent"} and not began)


@dataclass(slots=True)
class ResumeState:
    connection_id: str = ""
    expected: int = 0
    """The `seq` of the next event."""
    established: bool = False
    """The present connection has begun, with a hello or a resume."""
    _began: int = field(default=0, init=False)

    def query(self) -> dict[str, str]:
        """Return the parameters of a resume; empty before a hello was read."""
        if not self.connection_id:
            return {}
        return {"connection_id": self.connection_id, "sequence_number": str(self.expected)}

    def open(self) -> None:
        """Begin a connection that was opened with `query`."""
        self.established = False
        self._began = self.expected

    def forget(self) -> None:
        """Let the next connection be a fresh one."""
        self.connection_id = ""

    def skip(self, seq: int) -> bool:
        """Count an uninteresting event if it is the next one."""
        if seq != self.expected or not self.established:
            return False
        self.expected = seq + 1
        return True

    def take(self, frame: Frame, put: Callable[[tuple[Event, ...]], None]) -> None:
        """Pass the events of a frame to `put`; raises `ConnectionEnded`.

        When `put` raises, the frame counts as not received, so that a resume replays it.
        """
        events = self._events(frame)
        if events:
            put(events)
        self._pass(frame)

    def _events(self, frame: Frame) -> tuple[Event, ...]:
        match frame:
            case Hello():
                return (Connected(lost=True),)
            case Reply():
                if _NO_SESSION in frame.error_id:
                    raise ConnectionEnded("refused")
                return self._resumed() if frame.ok else ()
            case PostedEvent():
                self._check(frame.seq)
                return (*self._resumed(), Seen(frame.posted))
            case ChangeEvent():
                self._check(frame.seq)
                return (*self._resumed(), Changed(frame.change))
            case Other() | Malformed():
                if frame.seq is None:
                    return ()
                self._check(frame.seq)
                return self._resumed()
            case _:
                assert_never(frame)

    def _resumed(self) -> tuple[Event, ...]:
        """Return the event of a connection that began without a hello."""
        return (Connected(lost=False),) if self.connection_id and not self.established else ()

    def _check(self, seq: int) -> None:
        """Raise `ConnectionEnded` if an earlier event is missing; a repeated event is fine."""
        if seq <= self.expected and (self.connection_id or self.established):
            return
        if self.expected == self._began:
            # The resume did not bring what is missing; a second one would not either.
            self.forget()
        raise ConnectionEnded("gap")

    def _pass(self, frame: Frame) -> None:
        match frame:
            case Hello():
                self.connection_id, self.expected, self._began = frame.connection_id, frame.seq + 1, -1
                self.established = True
            case Reply():
                self.established = self.established or (frame.ok and self.connection_id != "")
            case PostedEvent() | ChangeEvent() | Other() | Malformed():
                if frame.seq is not None:
                    self.expected, self.established = max(self.expected, frame.seq + 1), True
            case _:
                assert_never(frame)
