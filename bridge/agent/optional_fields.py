"""Fields of a request that a server may refuse to know. Pure: no I/O is imported here."""

import re
from collections.abc import Mapping
from typing import Any

from bridge.agent.error_reports import ErrorReport

OPTIONAL = ("stream_options", "user", "stream")
"""In the order in which they are left out."""

_COMPLAINT = re.compile(
    r"unknown|unsupported|unrecogni[sz]ed|unexpected|extra|additional|invalid|forbidden|disabled|cannot"
    r"|not (be )?(permitted|allowed|supported|accepted|a valid|available|implemented|true|enabled)"
    r"|(n.t|not) (support|allow|accept|recogni)|must be false"
)
_SPELLINGS = {"stream": r"stream(ing|ed)?"}


def refused_field(status: int, error: ErrorReport, body: Mapping[str, Any]) -> str | None:
    """Return the optional field of the body that a 400 or 422 names; None if it names none."""
    if status not in (400, 422):
        return None
    return next((field for field in OPTIONAL if field in body and _names(error, field)), None)


def without(body: Mapping[str, Any], fields: frozenset[str]) -> Mapping[str, Any]:
    """Return the body without these fields; without `stream` it has no `stream_options` either."""
    left_out = fields | {"stream_options"} if "stream" in fields else fields
    return {name: value for name, value in body.items() if name not in left_out}


def _names(error: ErrorReport, field: str) -> bool:
    if any(field in re.split(r"[^a-z_]+", name) for name in error.fields):
        return True
    sentence = error.sentence.lower()
    # `user` is a role as well: "roles must alternate user/assistant", "missing user message".
    if "role" in sentence or not _COMPLAINT.search(sentence):
        return False
    word = _SPELLINGS.get(field, field)
    other = r"[\w/.\[-]"
    return (
        re.search(rf"(?<!{other}){word}(?![\w/\[-]|\W?\s(message|turn|content|input|prompt)\b)", sentence)
        is not None
    )
