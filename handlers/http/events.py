"""`POST /api/v1/mattermost/events`: what the platform tells is stored, and told in its channel later."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Protocol

from aiohttp import web

from bridge.errors import PayloadTooLarge
from bridge.events.cloudevents import BATCH, EITHER, MOST, SINGLE, Envelope
from bridge.events.fields import schema_of
from bridge.events.plan import jobs_for
from bridge.events.read import read
from bridge.events.types import TYPES
from bridge.models.jobs import Entry
from handlers.http.auth import require_bearer
from handlers.http.openapi import BEARER, WAIT, Paths, Schema, answer, error

PATH = "/api/v1/mattermost/events"

LARGEST_BODY = 1024 * 1024
"""Bytes."""


class JobStore(Protocol):
    """Where jobs wait to be done."""

    async def put_all(self, entries: Sequence[Entry]) -> frozenset[str]:
        """Store in one transaction what is not stored yet; return the `dedupe` keys of that."""


INBOX: web.AppKey[JobStore] = web.AppKey("inbox")


async def receive(request: web.Request) -> web.Response:
    """Store all events or none; those that are known already are counted and change nothing."""
    require_bearer(request)
    events = read(await _body(request), request.content_type)
    now = datetime.now(UTC)
    planned = [jobs_for(event, now) for event in events]
    new = await request.app[INBOX].put_all([entry for jobs in planned for entry in jobs])
    # A list may hold the same event twice, so the keys are counted and not the events.
    accepted = len(new & {jobs[0].dedupe for jobs in planned})
    return web.json_response({"accepted": accepted, "duplicates": len(events) - accepted}, status=202)


async def _body(request: web.Request) -> bytes:
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > LARGEST_BODY:
            raise PayloadTooLarge(f"Events may have {LARGEST_BODY} bytes at most; send fewer at once.")
    return bytes(body)


def _event_schema(name: str) -> Schema:
    envelope = schema_of(Envelope)
    return {
        "type": "object",
        "title": name,
        "properties": {**envelope["properties"], "type": {"const": name}, "data": schema_of(TYPES[name])},
        "required": [*envelope["required"], "type", "data"],
    }


_SCHEMA_OF = f"#/paths/{PATH.replace('/', '~1')}/post/requestBody/content/{{}}/schema"
_ONE: Schema = {"$ref": _SCHEMA_OF.format(SINGLE.replace("/", "~1"))}
_MANY: Schema = {"$ref": _SCHEMA_OF.format(BATCH.replace("/", "~1"))}

_COUNTS: Schema = {
    "type": "object",
    "required": ["accepted", "duplicates"],
    "properties": {
        "accepted": {"type": "integer", "minimum": 0, "description": "Events that are stored now."},
        "duplicates": {
            "type": "integer",
            "minimum": 0,
            "description": "Events of a `source` and `id` that were stored before.",
        },
    },
    "additionalProperties": False,
}

PATHS: Paths = {
    PATH: {
        "post": {
            "summary": "What happened on the platform: one CloudEvents 1.0 event or a list",
            "description": "All are stored or none; a 202 means that each will be told in its channel once.",
            "operationId": "receiveEvents",
            **BEARER,
            "requestBody": {
                "required": True,
                "content": {
                    SINGLE: {"schema": {"oneOf": [_event_schema(name) for name in sorted(TYPES)]}},
                    BATCH: {"schema": {"type": "array", "minItems": 1, "maxItems": MOST, "items": _ONE}},
                    EITHER: {"schema": {"oneOf": [_ONE, _MANY]}},
                },
            },
            "responses": {
                "202": answer("Stored.", _COUNTS),
                "400": error("invalid_request"),
                "401": error("not_signed_in", WWW_Authenticate="`Bearer`"),
                "413": error("payload_too_large"),
                "503": error("database_unavailable", Retry_After=WAIT),
            },
        }
    }
}
