"""The JSON that Equa may send, in any of the shapes that are likely. Pure: no I/O is imported here.

Equa's documents do not show the shape of its lists, so they are read bare or wrapped. An unknown shape is
unreadable, never empty.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from bridge.errors import EquaUnavailable
from bridge.models.ids import is_uuid
from bridge.text.storable import one_line

_NIL = UUID(int=0)

_WRAPPERS = ("data", "items", "results", "result", "list", "rows", "records")
_DEPTH = 3

_PAGING = frozenset({"pagination", "paging", "pageinfo", "meta", "links"})
_MORE = frozenset(
    {"more", "hasmore", "hasnext", "hasnextpage", "next", "nextpage", "nexturl", "nextlink", "truncated"}
    | {"nextcursor", "nexttoken", "nextpagetoken"}
)
_TOTALS = frozenset({"total", "totalcount", "totalitems", "totalresults", "count"})
_PAGES = frozenset({"pages", "pagecount", "totalpages", "lastpage"})


@dataclass(frozen=True, slots=True)
class Listing:
    """A list, and whether it is all there is."""

    items: Sequence[Any]
    complete: bool


def unreadable(what: str) -> EquaUnavailable:
    """Return the error for an answer that cannot be understood; `what` names what was asked for."""
    return EquaUnavailable(f"Equa sent an answer that cannot be read: {what}.")


def decode(body: bytes, what: str) -> Any:
    """Return the JSON value of a body; of an empty one None, which is how Express sends null."""
    if not body.strip():
        return None
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise unreadable(what) from None


def failed(payload: Mapping[str, Any]) -> bool:
    """Return whether an object reports an error although its status was 200."""
    return bool(payload.get("error") or payload.get("errors")) or payload.get("success") is False


def uuid_of(value: object) -> UUID | None:
    """Return the UUID that a text is in its usual form; none for the nil UUID, which is nobody's."""
    if not is_uuid(value):
        return None
    found = UUID(value)
    return found if found != _NIL else None


def text(*values: object) -> str:
    """Return the first that is a text with something in it, on one line and trimmed; else an empty one."""
    texts = (one_line(value) for value in values if isinstance(value, str))
    return next(filter(None, texts), "")


def listing(payload: object, name: str, *, depth: int = _DEPTH) -> Listing:
    """Return the list that an answer is, or wraps under `name` or under a word such as `data`."""
    if isinstance(payload, list):
        return Listing(payload, complete=True)
    if isinstance(payload, Mapping) and depth and not failed(payload):
        for key in (name, *_WRAPPERS):
            if isinstance(payload.get(key), list | Mapping):
                inner = listing(payload[key], name, depth=depth - 1)
                return Listing(inner.items, inner.complete and not says_more(payload, len(inner.items)))
    raise unreadable(name)


def says_more(payload: Mapping[str, Any], length: int) -> bool:
    """Whether an object around a list of that length says that there are more items or pages."""
    return any(_more(_plain(key), value, length) for key, value in payload.items())


def number(value: object) -> int:
    """Return a count, from a number or its digits; 0 for anything else."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value[:9])
    return value if isinstance(value, int) else 0


def _more(key: str, value: object, length: int) -> bool:
    if key in _PAGING and isinstance(value, Mapping):
        return says_more(value, length)
    if key in _MORE:
        return bool(value)
    return (key in _TOTALS and number(value) > length) or (key in _PAGES and number(value) > 1)


def _plain(key: str) -> str:
    return key.lower().replace("_", "").replace("-", "")
