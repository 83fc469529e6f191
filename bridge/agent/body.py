"""Turn the bytes of a response into events, whatever its Content-Type says. Pure: no I/O is imported here.

Servers and proxies label streams as `text/plain` or `application/octet-stream`, send one JSON body where a
stream was asked for, or a stream where JSON was. The first byte tells them apart.
"""

import json
from typing import Any

from bridge.agent.sse import BYTE_ORDER_MARK, Event, EventStream

BODY_LIMIT = 4 << 20
"""Bytes of an answer in one JSON body."""

_SPACE = b" \t\r\n"


class BodyTooLong(ValueError):
    """A JSON body has more bytes than `BODY_LIMIT`."""


class NotCompletions(ValueError):
    """The body is neither JSON nor a stream of events: a page, or some other text."""


class Body:
    """The body of one response."""

    def __init__(self) -> None:
        self.is_whole = False
        """Whether it was one JSON document that came to its end."""
        self._start = b""
        self._json: bytearray | None = None
        self._stream: EventStream | None = None
        self._any_event = False

    def feed(self, piece: bytes) -> list[Event]:
        """Return the events that this piece completes; raise `EventTooLong` or one of the errors above."""
        if self._stream is None and self._json is None:
            piece = self._begin(piece)
        if self._json is not None:
            self._json += piece
            if len(self._json) > BODY_LIMIT:
                raise BodyTooLong
            return []
        return self._seen(self._stream.feed(piece)) if self._stream else []

    def end(self) -> list[Event]:
        """Return the events that the end completes."""
        if self._json is not None:
            return self._end_json(self._json.decode("utf-8", "replace"))
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

    def _end_json(self, text: str) -> list[Event]:
        value = decoded(text)
        if value is not None:
            self.is_whole = True
            return [Event(text, value=value)]
        return [Event(line) for line in text.splitlines() if line.strip()]


def decoded(text: str) -> Any:
    """Return the value of a JSON text; None if it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
