"""Hide secrets: the values of names that sound secret, and credentials wherever they stand in a text."""

import re
from functools import lru_cache
from types import NoneType
from typing import Any

from structlog.typing import EventDict, WrappedLogger

HIDDEN = "[hidden]"

_SECRET_NAME = re.compile(
    r"(?i)(token|ticket|authorization|cookie|password|secret|credential|api[_-]?key|dsn)s?$"
)
_SECRET_TEXT = re.compile(r"(?i)(\bbearer\s+|token=|ticket=|://[^/\s:@]*:(?=[^/\s@]*@))[^\s\"'\\,;&@]+")
_NESTED = (dict, list, tuple)
_PLAIN = frozenset({str, int, float, bool, NoneType})


def hide_secrets(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Hide the values of names that sound secret, at any depth."""
    if _PLAIN.issuperset(map(type, event.values())) and not _have_secrets(tuple(event)):
        return event
    return {name: _hidden(name, value) for name, value in event.items()}


def without_credentials(line: str) -> str:
    """Hide what looks like a credential anywhere in a line."""
    lower = line.lower()
    # One of these stands wherever there can be a match; looking for them costs a fraction of that.
    if "bearer" in lower or "token=" in lower or "ticket=" in lower or "://" in lower:
        return _SECRET_TEXT.sub(rf"\g<1>{HIDDEN}", line)
    return line


def _hidden(name: str, value: Any) -> Any:
    if _is_secret(name) and not isinstance(value, int | float | None):
        return HIDDEN
    if isinstance(value, dict):
        return {str(key): _hidden(str(key), inner) for key, inner in value.items()}
    if isinstance(value, _NESTED):
        return [_hidden("", inner) for inner in value]
    return value


@lru_cache(maxsize=1024)
def _have_secrets(names: tuple[str, ...]) -> bool:
    return any(map(_is_secret, names))


@lru_cache(maxsize=1024)
def _is_secret(name: str) -> bool:
    return _SECRET_NAME.search(name) is not None
