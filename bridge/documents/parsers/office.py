"""Common to the formats of Office: a checked archive, and tables as CSV."""

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator
from typing import Any

from bridge.documents.parsers.unreadable import Unreadable

_UNPACKED = 150 << 20
"""Bytes that the parts of a file may have in all."""
_PARTS = 10_000


def checked(data: bytes) -> io.BytesIO:
    """Return an Office file to read; raise `Unreadable` if it is no archive or unpacks to too much."""
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise Unreadable("protected")  # Office wraps what has a password into its older format
    parts = zipfile.ZipFile(io.BytesIO(data)).infolist()
    if len(parts) > _PARTS or sum(part.file_size for part in parts) > _UNPACKED:
        raise Unreadable("too_large")
    return io.BytesIO(data)


def rows(table: Iterable[Iterable[Any]]) -> Iterator[str]:
    """Yield the rows of a table as CSV, without empty ones and empty ends."""
    for row in table:
        cells = ["" if cell is None else str(cell) for cell in row]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            line = io.StringIO()
            csv.writer(line, lineterminator="\n").writerow(cells)
            yield line.getvalue()
