"""CloudEvents 1.0 in JSON: the envelope of an event, single events and lists. Pure: no I/O is imported here.

Structured mode only. Extension attributes are ignored, and `data_base64` is not supported. See
https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
"""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints, WithJsonSchema

from bridge.errors import InvalidRequest
from bridge.events.fields import Uuid, form_schema, in_form, wrong

SINGLE = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
EITHER = "application/json"

MOST = 100
"""The most events in a list."""

_NAME = r"[^\x00-\x1f\x7f-\x9f]+"
"""The specification's strings have no control characters."""
_DAY = r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9])(\.[0-9]{1,9})?"
_ZONE = r"([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
_TIME = f"{_DAY}[Tt]{_CLOCK}{_ZONE}"
_JSON = r"application/([A-Za-z0-9.-]+\+)?json(;.*)?"


def _as_time(value: object) -> datetime | None:
    if value is None:
        return None
    try:
        if isinstance(value, str) and re.fullmatch(_TIME, value):
            return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        pass  # 30 February, or the year 1 east of Greenwich
    raise wrong("must be a time such as 2026-11-22T14:05:00Z")


_Attribute = Annotated[
    str,
    StringConstraints(max_length=500),
    in_form(_NAME, "must be a text without control characters, not empty"),
    form_schema(_NAME, maxLength=500),
]


class Envelope(BaseModel):
    """The attributes of an event except its type; `subject` is the organization."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    specversion: Annotated[str, in_form(r"1\.0", 'must be "1.0"'), WithJsonSchema({"const": "1.0"})]
    id: _Attribute
    source: _Attribute
    subject: Uuid
    time: Annotated[
        datetime | None,
        BeforeValidator(_as_time),
        WithJsonSchema({"type": ["string", "null"], "format": "date-time"}),
    ] = None
    datacontenttype: (
        Annotated[str, in_form(_JSON, 'must be "application/json"'), form_schema(_JSON)] | None
    ) = None


def listed(body: Any, media_type: str) -> list[Any]:
    """Return the events of a body as a list; raise `InvalidRequest` if it does not fit its media type."""
    match body:
        case dict() if media_type in (SINGLE, EITHER):
            return [body]
        case list() if media_type in (BATCH, EITHER) and 1 <= len(body) <= MOST:
            return body
    raise InvalidRequest(
        f"The body must be one event as {SINGLE} or a list of 1 to {MOST} events as {BATCH};"
        f" {EITHER} may be either."
    )
