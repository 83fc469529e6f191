"""Turn the bytes of a response into events, whatever its Content-Type says. Pure: no I/O is imported here.

Servers and proxies label streams as `text/plain` or `application/octet-stream`, send one JSON body where a
stream was asked for, or a stream where JSON was. The first byte tells them apart.
"""

import json
import re
from typing import Any

from bridge.agent.sse import BYTE_ORDER_MARK, Event, EventStream

BODY_LIMIT = 3 << 19
"""Bytes of an answer in one JSON body: more than `ANSWER_LIMIT` characters have, and decoded within 50 ms."""

_SPACE = b" \t\r\n"
_TWO_LINES = re.compile(rb"([^\n]*)\n\s*+\S")


class BodyTooLong(ValueError):
    """A JSON body has more bytes than `BODY_LIMIT`."""


class NotCompletions(ValueError):
    """The body is neither JSON nor a stream of events, but a page or some other text."""


class Body:
    """The body of one response."""

    def __init__(self) -> None:
        self.is_whole = False
        """Whether it was one JSON document that came to its end."""
        self._start = b""
        self._json: bytearray | None = None
        self._has_lines: bool | None = None
        """Whether each line of the JSON is a document; None until a second line begins."""
        self._stream: EventStream | None = None
        self._any_event = False

    def feed(self, piece: bytes) -> list[Event]:
        """Return the events that this piece completes; raise `EventTooLong` or one of the errors above."""
        if self._stream is None and self._json is None:
            piece = self._begin(piece)
        if self._json is not None:
            return self._feed_json(self._json, piece)
        return self._seen(self._stream.feed(piece)) if self._stream else []

    def end(self) -> list[Event]:
        """Return the events that the end completes."""
        if self._json is not None:
            return self._end_json(self._json)
        if not self._stream:
            return []
        events = self._seen(self._stream.end())
        if self._stream.foreign and not self._any_event:
            raise NotCompletions
        return events

    def _begin(self, piece: bytes) -> bytes:
        """Choose the reader by the first byte; return the bytes for it, none while that byte is missing."""
        start = (self._start + piece).lstrip(_SPACE).removeprefix(BYTE_ORDER_MARK).lstrip(_SPACE)
        if BYTE_ORDER_MARK.startswith(start):
            self._start = start
            return b""
        if start.startswith(b"<"):
            raise NotCompletions
        if start.startswith((b"{", b"[")):
            self._json = bytearray()
        else:
            self._stream = EventStream()
        return start

    def _seen(self, events: list[Event]) -> list[Event]:
        self._any_event = self._any_event or bool(events)
        return events

    def _feed_json(self, body: bytearray, piece: bytes) -> list[Event]:
        """Collect the one body; where a second line begins after a whole one, each line is an event."""
        body += piece
        if len(body) > BODY_LIMIT:
            raise BodyTooLong
        if self._has_lines is None and b"\n" in piece and (match := _TWO_LINES.match(body)):
            self._has_lines = isinstance(_value(match[1]), dict)
        if not self._has_lines:
            return []
        *lines, rest = bytes(body).split(b"\n")
        body[:] = rest
        return [Event(_text(line)) for line in lines if line.strip()]

    def _end_json(self, body: bytearray) -> list[Event]:
        value = _value(body)
        self.is_whole = value is not None and not self._has_lines
        if value is not None:
            return [Event(_text(body), value=value)]
        return [Event(_text(line)) for line in body.split(b"\n", 1) if line.strip()]


def _text(body: bytes | bytearray) -> str:
    return body.decode("utf-8", "replace")


def _value(body: bytes | bytearray) -> Any:
    return decoded(_text(body))


def decoded(text: str) -> Any:
    """Return the value of a JSON text; None for any other text."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
