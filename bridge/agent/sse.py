"""Read a stream of server-sent events. Pure: bytes in, events out, no I/O is imported here.

Follows the parsing rules of the HTML standard, section 9.2 "Server-sent events": a byte order mark, lines
ended by CR, LF or CRLF wherever the network has cut them, comments, data of several lines. Two rules are
wider, for servers that are in use: a line `error: …` is an event of that name (llama.cpp), and `end` returns
an event whose blank line is missing.
"""

import re
from dataclasses import dataclass
from typing import Any

LINE_LIMIT = 1 << 20
"""Bytes of one event; no model answers with more."""

BYTE_ORDER_MARK = b"\xef\xbb\xbf"

_LINE_END = re.compile(rb"\r\n?|\n")
_IGNORED = frozenset({b"", b"id", b"retry"})
"""Fields that say nothing about an answer; comments have an empty name."""


class EventTooLong(ValueError):
    """An event has more bytes than `LINE_LIMIT`."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event; its name is empty unless the server gave it one."""

    data: str
    name: str = ""
    value: Any = None
    """The JSON value of the data, where it was decoded already."""


class EventStream:
    """The state between two pieces of one stream."""

    def __init__(self) -> None:
        self.foreign = False
        """Whether a line was seen that no stream of events has."""
        self._line = bytearray()
        self._name = ""
        self._data: list[bytes] = []
        self._size = 0
        self._ended_with_cr = False
        self._first_line = True

    def feed(self, piece: bytes) -> list[Event]:
        """Return the events that this piece completes; raise `EventTooLong`."""
        if self._ended_with_cr and piece:
            piece = piece.removeprefix(b"\n")
            self._ended_with_cr = False
        if piece.endswith(b"\r"):
            self._ended_with_cr = True
        *ended, rest = _LINE_END.split(piece)
        events = []
        for end in ended:
            self._line += end
            events += self._end_line()
        self._line += rest
        self._check(len(self._line))
        return events

    def end(self) -> list[Event]:
        """Return the event that no blank line has ended, if there is one."""
        return [*self._end_line(), *self._end_event()]

    def _end_line(self) -> list[Event]:
        line = bytes(self._line)
        self._line.clear()
        if self._first_line:
            line = line.removeprefix(BYTE_ORDER_MARK)
            self._first_line = False
        if not line:
            return self._end_event()
        name, _, value = line.partition(b":")
        self._take_field(name, value)
        return []

    def _take_field(self, name: bytes, value: bytes) -> None:
        self._check(len(value))
        if name in (b"data", b"error"):
            self._size += len(value) + 1
            self._data.append(value.removeprefix(b" "))
        if name == b"error":
            self._name = "error"
        elif name == b"event":
            self._name = value.decode("utf-8", "replace").strip()
        elif name != b"data" and name not in _IGNORED:
            self.foreign = True

    def _end_event(self) -> list[Event]:
        if not self._data and not self._name:
            return []
        event = Event(b"\n".join(self._data).decode("utf-8", "replace"), self._name)
        self._data.clear()
        self._name, self._size = "", 0
        return [event]

    def _check(self, more: int) -> None:
        if self._size + more > LINE_LIMIT:
            raise EventTooLong(f"an event is longer than {LINE_LIMIT} bytes")
