"""Read a stream of server-sent events. Pure: bytes in, the events' data out, no I/O is imported here.

Follows the parsing rules of the HTML standard, section 9.2 "Server-sent events": a byte order mark, lines
ended by CR, LF or CRLF wherever the network has cut them, comments, data of several lines. Fields other
than `data` are passed over, and an event that its blank line has not ended is none.
"""

import re

LINE_LIMIT = 1 << 20
"""Bytes that one event may have: what is longer is no answer of a model."""

_LINE_END = re.compile(rb"\r\n?|\n")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class EventTooLong(ValueError):
    """An event has more bytes than `LINE_LIMIT`."""


class EventStream:
    """The state between two pieces of one stream."""

    def __init__(self) -> None:
        self._line = bytearray()
        self._data: list[bytes] = []
        self._size = 0
        self._ended_with_cr = False
        self._first_line = True

    def feed(self, piece: bytes) -> list[str]:
        """Return the data of the events that this piece completes; raise `EventTooLong`."""
        if self._ended_with_cr and piece:
            piece = piece.removeprefix(b"\n")
            self._ended_with_cr = False
        if piece.endswith(b"\r"):
            self._ended_with_cr = True
        *ended, rest = _LINE_END.split(piece)
        events = []
        for end in ended:
            self._line += end
            event = self._end_line()
            if event is not None:
                events.append(event)
        self._line += rest
        self._check(len(self._line))
        return events

    def _end_line(self) -> str | None:
        line = bytes(self._line)
        self._line.clear()
        if self._first_line:
            line = line.removeprefix(_BYTE_ORDER_MARK)
            self._first_line = False
        if not line:
            return self._end_event()
        name, _, value = line.partition(b":")
        if name == b"data":
            self._check(len(value))
            self._size += len(value) + 1
            self._data.append(value.removeprefix(b" "))
        return None

    def _end_event(self) -> str | None:
        if not self._data:
            return None
        event = b"\n".join(self._data).decode("utf-8", "replace")
        self._data.clear()
        self._size = 0
        return event

    def _check(self, more: int) -> None:
        if self._size + more > LINE_LIMIT:
            raise EventTooLong(f"an event is longer than {LINE_LIMIT} bytes")
