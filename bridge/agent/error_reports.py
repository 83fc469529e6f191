"""Find an error in a server's JSON, and read it. Pure: no I/O is imported here.

Every server has a form of its own: `{"error": {…}}`, `{"error": "…"}`, `[{"error": {…}}]`, `{"object":
"error", …}`, `{"error_type": …, "error_message": …}`, `{"detail": [{"loc": …, "msg": …}]}`, with a code that
is a number, a word or a number in quotes.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bridge.agent.body import decoded
from bridge.agent.finish import snake
from bridge.agent.sse import EventStream, EventTooLong

_ERROR_KEYS = frozenset(
    {"error", "errors", "error_message", "error_msg", "error_type", "errorMessage", "errorCode"}
)
_KIND_KEYS = frozenset({"type", "code", "status", "error_type", "error_code", "errorCode", "reason", "name"})
_STATUS_KEYS = frozenset({"code", "status", "status_code", "statusCode", "error_code", "http_status"})
_TEXT_KEYS = frozenset(
    {
        "message",
        "msg",
        "detail",
        "error",
        "error_message",
        "error_msg",
        "errorMessage",
        "description",
        "title",
    }
)
_FIELD_KEYS = frozenset({"param", "loc", "field", "parameter"})
_ERROR_WORDS = frozenset({"error", "exception", "failed", "failure"})
_STATUS = re.compile(r"[45]\d\d")
_DEPTH = 6
_VALUES = 200
"""Values of one error that are looked at."""


@dataclass(frozen=True, slots=True)
class ErrorReport:
    """A server's error, whatever its form."""

    kinds: tuple[str, ...] = ()
    """Types and codes in `snake_case`, the outermost first."""
    status: int | None = None
    """The HTTP status that it names."""
    sentence: str = ""
    """The server's own words."""
    fields: frozenset[str] = frozenset()
    """Fields of the request that it points at."""

    @property
    def words(self) -> str:
        """All of it in lower case, to be searched."""
        return " ".join([*self.kinds, self.sentence.lower()])

    @property
    def name(self) -> str:
        """Its first type or code that is a plain name, so that it can stand in a sentence."""
        return next((kind for kind in self.kinds if re.fullmatch(r"[a-z][a-z0-9_]{0,39}", kind)), "no type")


def is_error_event(name: str) -> bool:
    """Return whether an event's name says that it is an error: `error`, `response.failed`."""
    return bool(name) and not _ERROR_WORDS.isdisjoint(snake(name).split("_"))


def find_error(payload: Any) -> ErrorReport | None:
    """Return the error that a JSON value with status 200 holds; None if it holds none."""
    if isinstance(payload, list):
        return next((report for item in payload[:_VALUES] if (report := find_error(item))), None)
    if not isinstance(payload, dict):
        return None
    if _is_error(payload):
        return read_error(payload)
    choices = payload.get("choices")
    for choice in choices[:_VALUES] if isinstance(choices, list) else []:
        if isinstance(choice, dict) and choice.get("error"):
            return read_error(choice["error"])
    return None


def error_in_body(body: bytes) -> ErrorReport:
    """Read the body of an answer whose status is an error; its text counts if it is no JSON."""
    text = body.decode("utf-8", "replace")
    value = decoded(text.removeprefix("\ufeff"))
    if value is None:
        value = next((found for data in _events(body) if (found := decoded(data)) is not None), text)
    return read_error(value)


def read_error(error: Any) -> ErrorReport:
    """Read an error of any form."""
    kinds, statuses, sentences, fields = [], list[int](), list[str](), set[str]()
    for key, value in _values("error", error, _DEPTH, [_VALUES]):
        word = str(value).strip()
        if key in _STATUS_KEYS and _STATUS.fullmatch(word):
            statuses.append(int(word))
        elif key in _KIND_KEYS and isinstance(value, str) and len(word) <= 80 and word != "error":
            kinds.append(snake(word))
        elif key in _FIELD_KEYS and isinstance(value, str):
            fields.add(word)
        if key in _TEXT_KEYS and isinstance(value, str) and word:
            sentences.append(word)
    return ErrorReport(
        tuple(dict.fromkeys(kinds)),
        statuses[0] if statuses else None,
        "; ".join(dict.fromkeys(sentences))[:4000],
        frozenset(fields),
    )


def _is_error(payload: Mapping[str, Any]) -> bool:
    if not _ERROR_KEYS.isdisjoint(payload) and any(payload.get(key) for key in _ERROR_KEYS):
        return True
    if "error" in (payload.get("object"), payload.get("type"), payload.get("status")):
        return True
    if "choices" in payload:
        return False
    speaks = isinstance(payload.get("message"), str) or bool(payload.get("detail"))
    return speaks and bool("detail" in payload or payload.keys() & _STATUS_KEYS)


def _values(key: str, value: Any, depth: int, left: list[int]) -> Iterator[tuple[str, Any]]:
    """Yield the plain values inside, each with the nearest key above it; the outermost come first."""
    left[0] -= 1
    if depth == 0 or left[0] < 0:
        return
    if isinstance(value, dict):
        inner = sorted(value.items(), key=lambda item: isinstance(item[1], dict | list))
    elif isinstance(value, list):
        inner = [(key, item) for item in value]
    else:
        yield key, value
        return
    for name, item in inner:
        yield from _values(str(name), item, depth - 1, left)


def _events(body: bytes) -> list[str]:
    stream = EventStream()
    try:
        return [event.data for event in (*stream.feed(body), *stream.end())][:_VALUES]
    except EventTooLong:
        return []
