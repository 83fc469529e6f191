"""One line an event: JSON for machines, readable on a terminal, and never a secret."""

import json
import logging
import re
import sys
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from types import NoneType
from typing import Any, Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

Level = Literal["debug", "info", "warning", "error"]
Format = Literal["auto", "json", "console"]

HIDDEN = "[hidden]"

_SECRET_NAME = re.compile(
    r"(?i)(token|ticket|authorization|cookie|password|secret|credential|api[_-]?key|dsn)s?$"
)
_SECRET_TEXT = re.compile(r"(?i)(\bbearer\s+|token=|ticket=|://[^/\s:@]*:(?=[^/\s@]*@))[^\s\"'\\,;&@]+")
_HINTS = ("bearer", "token=", "ticket=", "://")
"""One of these stands wherever there can be a match; looking for them costs a fraction of that."""

_AT_LEAST = {
    "aiohttp.access": logging.WARNING,
    "asyncio": logging.WARNING,
    "mattermostdriver": logging.WARNING,
    "websockets": logging.INFO,
}
"""Below this they write headers and frames with tokens in them, or what we write ourselves."""

_NESTED = (dict, list, tuple)
_PLAIN = frozenset({str, int, float, bool, NoneType})

_HANDLER = "equabot-bridge"


def configure(level: Level, form: Format, stream: TextIO | None = None) -> None:
    """Write structlog's events and the standard library's records as lines to one stream.

    It is stderr unless told otherwise: standard output belongs to the commands. `auto` writes for people
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


def hide_secrets(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Hide the values of names that sound secret, at any depth."""
    if _PLAIN.issuperset(map(type, event.values())) and not _have_secrets(tuple(event)):
        return event
    return {name: _hidden(name, value) for name, value in event.items()}


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
    """Renders an event, and hides what looks like a credential wherever it stands in the line."""

    def __init__(self, renderer: Processor) -> None:
        self._renderer = renderer

    def __call__(self, logger: WrappedLogger, method: str, event: EventDict) -> str:
        line = str(self._renderer(logger, method, event))
        lower = line.lower()
        if any(hint in lower for hint in _HINTS):
            return _SECRET_TEXT.sub(rf"\g<1>{HIDDEN}", line)
        return line


def _origin(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    record = event.get("_record")
    event["level"] = method
    event["logger"] = record.name if record else logger.name
    event["timestamp"] = datetime.now(UTC).isoformat(timespec="milliseconds")
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
    root.setLevel(level)
    for name, least in _AT_LEAST.items():
        logging.getLogger(name).setLevel(max(level, least))


def _hidden(name: str, value: Any) -> Any:
    if _is_secret(name) and not isinstance(value, int | float | None):
        return HIDDEN
    if isinstance(value, dict):
        return {str(key): _hidden(str(key), inner) for key, inner in value.items()}
    if isinstance(value, _NESTED):
        return [_hidden("", inner) for inner in value]
    return value


def _worded(value: object) -> str:
    return repr(value) if isinstance(value, BaseException) else str(value)


_encode = json.JSONEncoder(default=_worded).encode


def _json(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    return _encode(event)


@lru_cache(maxsize=1024)
def _have_secrets(names: tuple[str, ...]) -> bool:
    return any(map(_is_secret, names))


@lru_cache(maxsize=1024)
def _is_secret(name: str) -> bool:
    return _SECRET_NAME.search(name) is not None
