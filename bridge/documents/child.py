"""The process that reads one file: its bytes come on standard input, the result goes to standard output.

The first line of the result says what it is: `text`, `cut`, a media type, or the failure. The rest is the
text, or the picture in base64. Whatever a file does to its parser happens here: within limits of memory and
processor time, with no file to be written, and without the daemon's environment.
"""

import logging
import os
import resource
import sys
from base64 import b64encode
from collections.abc import Iterable
from contextlib import suppress
from importlib import import_module
from itertools import accumulate
from pathlib import Path

from bridge.documents.parsers.unreadable import Unreadable
from bridge.documents.results import LONGEST_TEXT

MEMORY = 384 << 20
"""Bytes of address space; a photograph of 12 megapixels takes 180 MB."""
SECONDS = 10
"""Of processor time."""


def limit() -> None:
    """Give this process its limits, and make it the first to end where memory is short."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    for none in (resource.RLIMIT_FSIZE, resource.RLIMIT_CORE, resource.RLIMIT_NPROC):
        resource.setrlimit(none, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    os.nice(10)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def read(kind: str, data: bytes) -> tuple[str, bytes]:
    """Return the head and the body of the result."""
    try:
        parser = import_module(f"bridge.documents.parsers.{kind}")
        return _image(parser.scaled(data)) if kind == "image" else _text(parser.read(data))
    except Unreadable as error:
        return error.failure, b""
    except MemoryError:
        return "too_large", b""


def _image(picture: tuple[bytes, str]) -> tuple[str, bytes]:
    return picture[1], b64encode(picture[0])


def _text(pieces: Iterable[str]) -> tuple[str, bytes]:
    text = ""
    for text in accumulate(pieces):
        if len(text) > LONGEST_TEXT:
            return "cut", text[:LONGEST_TEXT].encode(errors="replace")
    return ("text" if text.strip() else "empty"), text.encode(errors="replace")


def main() -> None:
    limit()
    logging.disable()
    try:
        head, body = read(sys.argv[1], sys.stdin.buffer.read())
    except Exception:  # noqa: BLE001 - whatever the parser raises, the file is to blame
        head, body = "broken", b""
    sys.stdout.buffer.write(head.encode() + b"\n" + body)


if __name__ == "__main__":
    main()
