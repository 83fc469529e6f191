"""Which rows of an audit a request wants. Pure: no I/O is imported here."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from bridge.errors import InvalidRequest
from bridge.models.audit import AUDIT_KINDS, AuditCursor, AuditFilter, AuditId, AuditKind, AuditRow
from bridge.text import moments
from handlers.http.models import Input, parsed

_KINDS = f"one or several of {', '.join(AUDIT_KINDS)}, separated by commas"
_MOMENT_LIKE = "a day such as 2026-11-27 or a moment such as 2026-11-27T14:05:00Z"
_CURSOR = re.compile(r"([0-9]{1,17})\.([0-9]{1,18})")
_ENCODED = re.compile("[A-Za-z0-9_-]{1,64}")
_CURSOR_LIKE = "what `next` was in an earlier response"
_NUMBER = re.compile("[0-9]{1,3}")
_MOST = 200
"""Rows of a page."""
_MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _kinds(value: str) -> str:
    if not set(value.split(",")) <= set(AUDIT_KINDS):
        raise ValueError
    return value


def _cursor(text: str) -> AuditCursor:
    if not _ENCODED.fullmatch(text):
        raise ValueError
    match = _CURSOR.fullmatch(urlsafe_b64decode(f"{text}==").decode("ascii"))
    if not match:
        raise ValueError
    return AuditCursor(_EPOCH + int(match[1]) * _MICROSECOND, AuditId(int(match[2])))


def next_cursor(row: AuditRow) -> str:
    """Return the text by which a later request goes on after a row."""
    place = f"{(row.at - _EPOCH) // _MICROSECOND}.{row.id}"
    return urlsafe_b64encode(place.encode()).decode().rstrip("=")


def _limit(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise ValueError
    return int(text)


_MOMENT_SCHEMA = WithJsonSchema({"type": "string", "anyOf": [{"format": "date"}, {"format": "date-time"}]})
_ONE_KIND = f"({'|'.join(AUDIT_KINDS)})"
_KINDS_SCHEMA = WithJsonSchema({"type": "string", "pattern": f"^{_ONE_KIND}(,{_ONE_KIND})*$"})
_CURSOR_SCHEMA = WithJsonSchema({"type": "string", "pattern": f"^{_ENCODED.pattern}$"})


class AuditQuery(Input):
    since: Annotated[
        datetime | None,
        BeforeValidator(moments.beginning),
        _MOMENT_SCHEMA,
        Field(alias="from", description=_MOMENT_LIKE),
    ] = None
    until: Annotated[
        datetime | None,
        BeforeValidator(moments.end),
        _MOMENT_SCHEMA,
        Field(alias="to", description=f"{_MOMENT_LIKE}; that day is included, that moment is not"),
    ] = None
    kind: Annotated[str | None, AfterValidator(_kinds), _KINDS_SCHEMA, Field(description=_KINDS)] = None
    cursor: Annotated[
        AuditCursor | None, BeforeValidator(_cursor), _CURSOR_SCHEMA, Field(description=_CURSOR_LIKE)
    ] = None
    limit: Annotated[
        int, Field(ge=1, le=_MOST, description=f"a whole number from 1 to {_MOST}"), BeforeValidator(_limit)
    ] = 50
    format: Annotated[
        Literal["json", "csv"] | None, Field(description="json, a page, or csv, all rows; else by Accept")
    ] = None

    @property
    def filter(self) -> AuditFilter:
        """Which rows are wanted."""
        return AuditFilter(self.since, self.until, _split(self.kind))


def _split(kinds: str | None) -> frozenset[AuditKind] | None:
    if kinds is None:
        return None
    named = kinds.split(",")
    return frozenset(kind for kind in AUDIT_KINDS if kind in named)


def read_query(given: Mapping[str, str]) -> AuditQuery:
    """Return what a query wants; raise an `InvalidRequest` that names what is wrong."""
    query = parsed(AuditQuery, given)
    if query.since and query.until and query.since >= query.until:
        raise InvalidRequest("from has to be before to.")
    return query
