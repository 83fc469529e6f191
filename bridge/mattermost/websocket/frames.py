"""Parse the frames of Mattermost's websocket. Pure: no I/O is imported here.

Shapes: server/public/model/websocket_message.go. Events carry `seq`, counted from 0 on each
connection; replies carry `seq_reply` instead.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bridge.mattermost.json_text import MalformedError, load_json
from bridge.mattermost.websocket.changes import (
    ABOUT_ANYBODY,
    ABOUT_CHANNELS,
    ABOUT_POSTS,
    Change,
    parse_change,
)
from bridge.mattermost.wire import Record, parse_posted
from bridge.models.chat import Posted, UserId


@dataclass(frozen=True, slots=True)
class Interest:
    """Which events matter: posts in channels of this name, and everything by, to or about the account.

    The account is known by its id, because its name may change while a connection lasts.
    """

    channel_name: str
    user_id: UserId

    def covers(self, posted: Posted) -> bool:
        return (
            posted.channel_name == self.channel_name
            or posted.mentioned
            or self.user_id in posted.channel_name
            or posted.post.user_id == self.user_id
        )

    def may_cover(self, data: Record) -> bool:
        """Tell whether the data of a `posted` event has to be parsed to know."""
        return (
            data.get("channel_name") == self.channel_name
            or self.user_id in str(data.get("channel_name", ""))
            or self.user_id in str(data.get("mentions", ""))
            or self.user_id in str(data.get("post", ""))
        )


@dataclass(frozen=True, slots=True)
class Hello:
    """The first event of a connection that continues no other."""

    connection_id: str
    """Empty from a server that resumes none (`EnableReliableWebSockets` off, before 6.0)."""
    server_version: str
    seq: int


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to an action of ours."""

    seq_reply: int
    ok: bool
    error_id: str = ""


@dataclass(frozen=True, slots=True)
class PostedEvent:
    """A `posted` event of interest."""

    posted: Posted
    seq: int


@dataclass(frozen=True, slots=True)
class ChangeEvent:
    """An event about the account, a channel or a team."""

    change: Change
    seq: int


@dataclass(frozen=True, slots=True)
class Other:
    """Any other event."""

    seq: int


@dataclass(frozen=True, slots=True)
class Malformed:
    """An unusable frame; with its `seq` where that could be read."""

    reason: str
    seq: int | None = None


Frame = Hello | Reply | PostedEvent | ChangeEvent | Other | Malformed


def parse_frame(raw: bytes, interest: Interest) -> Frame:
    """Parse a frame; never raises."""
    try:
        frame = load_json(raw)
    except MalformedError as error:
        return Malformed(error.message)
    if not isinstance(frame, dict):
        return Malformed("The frame is no JSON object.")
    seq = frame.get("seq")
    if type(seq) is int and seq >= 0:
        return _event(frame, seq, interest)
    if isinstance(frame.get("status"), str):
        return _reply(frame)
    return Malformed("The frame is neither an event nor a reply.")


def sniffer(interest: Interest) -> Callable[[bytes], int | None]:
    """Return a function that gives the `seq` of a frame that certainly parses to `Other`, else None.

    It does so without parsing, in a third of the time. JSON escapes every quote inside a string, so
    quoted text such as `"agent"` or `,"seq":5}` in the raw frame is never part of what a user wrote;
    and a string that is not in the frame cannot be a value of it.
    That holds for valid JSON without repeated keys and without escapes for plain letters; the server
    writes no other (`precomputedJSONBuf` in server/public/model/websocket_message.go).
    """
    channel, me = f'"{interest.channel_name}"'.encode(), interest.user_id.encode()

    def sniff(frame: bytes) -> int | None:
        if head := _POSTED(frame):
            matters = head[1] == channel or me in frame
        elif (head := _EVENT(frame)) and head[1] not in _ALWAYS:
            matters = head[1] in _ABOUT_ME and (me in frame or channel in frame)
        else:
            matters = True
        if matters:
            return None
        tail = _SEQ(frame, len(frame) - _LONGEST_TAIL)
        return int(tail[1]) if tail else None

    return sniff


# The server sorts the data's keys, so the channel's name stands near the front.
_POSTED = re.compile(
    rb'\{"event": ?"posted", ?"data": ?\{'
    rb'"channel_display_name":"[^"\\]*(?:\\.[^"\\]*)*",'
    rb'"channel_name":("[^"\\]*")',
    re.DOTALL,
).match
_EVENT = re.compile(rb'\{"event": ?"([a-z_]+)",').match
_ALWAYS = frozenset(name.encode() for name in ("hello", *ABOUT_CHANNELS, *ABOUT_POSTS))
_ABOUT_ME = frozenset(name.encode() for name in ("posted", *ABOUT_ANYBODY))
_SEQ = re.compile(rb'[,{] ?"seq": ?(0|[1-9][0-9]{0,17})\}\n?\Z').search
_LONGEST_TAIL = 48


def _event(frame: dict[str, Any], seq: int, interest: Interest) -> Frame:
    event, data = frame.get("event"), frame.get("data")
    try:
        if event == "hello":
            return _hello(data, seq)
        if not isinstance(event, str) or not isinstance(data, dict):
            return Other(seq)
        if event == "posted":
            return _posted(data, seq, interest)
        broadcast = frame.get("broadcast")
        broadcast = broadcast if isinstance(broadcast, dict) else {}
        if change := parse_change(event, data, broadcast, interest.user_id):
            return ChangeEvent(change, seq)
    except MalformedError as error:
        return Malformed(error.message, seq)
    return Other(seq)


def _posted(data: Record, seq: int, interest: Interest) -> Frame:
    if not interest.may_cover(data):
        return Other(seq)
    posted = parse_posted(data)
    return PostedEvent(posted, seq) if interest.covers(posted) else Other(seq)


def _hello(data: object, seq: int) -> Hello:
    fields = data if isinstance(data, dict) else {}
    connection_id, version = fields.get("connection_id"), fields.get("server_version")
    return Hello(
        connection_id=connection_id if isinstance(connection_id, str) else "",
        server_version=version if isinstance(version, str) else "",
        seq=seq,
    )


def _reply(frame: dict[str, Any]) -> Reply:
    seq_reply, error = frame.get("seq_reply"), frame.get("error")
    return Reply(
        seq_reply=seq_reply if type(seq_reply) is int else 0,
        ok=frame["status"] == "OK",
        error_id=str(error.get("id", "")) if isinstance(error, dict) else "",
    )
