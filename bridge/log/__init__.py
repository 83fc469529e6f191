"""One line an event: JSON for machines, readable on a terminal, and never a secret."""

import json
import logging
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from typing import Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from bridge.log.limits import within_limits
from bridge.log.secrets import HIDDEN, hide_secrets, without_credentials

__all__ = ["HIDDEN", "configure", "hide_secrets"]

Level = Literal["debug", "info", "warning", "error"]
Format = Literal["auto", "json", "console"]

_LEAST_OF_LIBRARIES = logging.INFO
"""Below this libraries write what passes through them: frames, headers with tokens, whole posts."""

_AT_LEAST = {
    "aiohttp.access": logging.WARNING,
    "asyncio": logging.WARNING,
    "mattermostdriver": logging.WARNING,
}
"""Libraries that write at INFO what we write ourselves."""

_HANDLER = "equabot-bridge"


def configure(level: Level, form: Format, stream: TextIO | None = None) -> None:
    """Write structlog's events and the standard library's records as lines to one stream.

    The default is stderr: standard output belongs to the commands. `auto` writes for people
    if the stream is a terminal, and JSON otherwise.
    """
    stream = stream or sys.stderr
    number = logging.getLevelNamesMapping()[level.upper()]
    rendering = _rendering(form, stream)
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, _origin, *rendering],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=lambda name="": _Lines(stream, name),
        cache_logger_on_first_use=False,
    )
    _configure_standard_library(number, rendering, stream)


class _Lines(structlog.WriteLogger):
    """Writes whole lines; a stream that takes no more does not end the daemon."""

    def __init__(self, stream: TextIO, name: str) -> None:
        super().__init__(stream)
        self.name = name

    def msg(self, message: str) -> None:
        with suppress(OSError, ValueError):
            super().msg(message)

    debug = info = warning = error = critical = msg


class _Careful:
    """Renders an event within the limits of a line, and without credentials."""

    def __init__(self, renderer: Processor) -> None:
        self._renderer = renderer

    def __call__(self, logger: WrappedLogger, method: str, event: EventDict) -> str:
        line = within_limits(event, lambda shown: str(self._renderer(logger, method, dict(shown))))
        return without_credentials(line)


def now() -> str:
    """Return the time as lines have it, in UTC and with milliseconds."""
    seconds, milliseconds = divmod(time.time_ns() // 1_000_000, 1000)
    return f"{_second(seconds)}.{milliseconds:03}+00:00"


@lru_cache(maxsize=1)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _origin(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    record = event.get("_record")
    event["level"] = method
    event["logger"] = record.name if record else logger.name
    event.setdefault("timestamp", now())
    return event


def _rendering(form: Format, stream: TextIO) -> tuple[Processor, ...]:
    terminal = stream.isatty()
    renderer: Processor = _json
    if form == "console" or (form == "auto" and terminal):
        # Any other formatter of exceptions shows local variables, and with them secrets.
        renderer = structlog.dev.ConsoleRenderer(
            colors=terminal, exception_formatter=structlog.dev.plain_traceback
        )
    return structlog.processors.format_exc_info, hide_secrets, _Careful(renderer)


def _configure_standard_library(level: int, rendering: tuple[Processor, ...], stream: TextIO) -> None:
    handler = logging.StreamHandler(stream)
    handler.set_name(_HANDLER)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.contextvars.merge_contextvars, _origin],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    root = logging.getLogger()
    for before in [other for other in root.handlers if other.get_name() == _HANDLER]:
        root.removeHandler(before)
    root.addHandler(handler)
    root.setLevel(max(level, _LEAST_OF_LIBRARIES))
    for name, least in _AT_LEAST.items():
        logging.getLogger(name).setLevel(max(level, least))


def _worded(value: object) -> str:
    return repr(value) if isinstance(value, BaseException) else str(value)


_encode = json.JSONEncoder(default=_worded).encode


def _json(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    return _encode(event)
