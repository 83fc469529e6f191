"""`GET /openapi.json`: what this API is, put together from what each handler's module says of its routes."""

import json
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import Any

from aiohttp import web

from handlers.http.app_keys import DOCUMENT

Schema = Mapping[str, Any]
Paths = Mapping[str, Mapping[str, Any]]
"""Path → method in lower case → operation."""

REQUEST_ID: Schema = {
    "name": "X-Request-Id",
    "in": "header",
    "required": False,
    "description": "Stands in the answer and in every line of the log. 1 to 64 of `A-Z a-z 0-9 . _ -`; "
    "any other is replaced by one of ours.",
    "schema": {"type": "string"},
}

BEARER: Schema = {"security": [{"bearer": []}]}

COOKIE: Schema = {"security": [{"equaSession": []}]}

_ERROR: Schema = {
    "type": "object",
    "required": ["error", "message"],
    "properties": {
        "error": {"type": "string", "description": "A stable code.", "examples": ["not_found"]},
        "message": {"type": "string", "description": "A sentence for people."},
    },
}


def answer(description: str, schema: Schema, content_type: str = "application/json") -> Schema:
    """Return a response with a body."""
    return {"description": description, "content": {content_type: {"schema": schema}}}


def error(*codes: str, **headers: str) -> Schema:
    """Return a response with an error of one of the codes; `Retry_After="…"` describes that header."""
    described = {
        name.replace("_", "-"): {"description": text, "schema": {"type": "string"}, "required": True}
        for name, text in headers.items()
    }
    body = answer(" · ".join(f"`{code}`" for code in codes), {"$ref": "#/components/schemas/Error"})
    return {**body, "headers": described} if described else body


WAIT = "Seconds."

CHANGE_ERRORS: Mapping[str, Schema] = {
    "400": error("invalid_request"),
    "401": error("not_signed_in"),
    "413": error("payload_too_large"),
    "415": error("unsupported_media_type"),
    "429": error("too_many_requests", Retry_After=WAIT),
    "500": error("mattermost_not_configured", "internal_error"),
    "502": error("mattermost_refused"),
    "503": error(
        "mattermost_unavailable", "equa_unavailable", "database_unavailable", "unavailable", Retry_After=WAIT
    ),
    "507": error("mattermost_full"),
}
"""Of what a person with an Equa session changes in Mattermost."""


def document(described: Iterable[Paths]) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of all these paths."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "equabot-bridge",
            "version": version("equabot-bridge"),
            "summary": "The bridge between team chat and an organization's AI agent.",
        },
        "paths": {path: _common(item) for paths in described for path, item in paths.items()},
        "components": {
            "schemas": {"Error": _ERROR},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "One of `GATEWAY_TOKENS`."},
                "equaSession": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "connect.sid",
                    "description": "Equa's session; `EQUA_SESSION_COOKIES` names the cookies it may have.",
                },
            },
        },
    }


def _common(item: Mapping[str, Any]) -> dict[str, Any]:
    return {**item, "parameters": [*item.get("parameters", ()), REQUEST_ID]}


def rendered(described: Iterable[Paths]) -> bytes:
    """Return the document as JSON."""
    return json.dumps(document(described), ensure_ascii=False, indent=2).encode()


async def openapi(request: web.Request) -> web.Response:
    """Serve the document."""
    return web.Response(body=request.app[DOCUMENT], content_type="application/json")


PATHS: Paths = {
    "/openapi.json": {
        "get": {
            "summary": "This document",
            "operationId": "openapi",
            "responses": {"200": answer("OpenAPI 3.1.", {"type": "object"})},
        }
    }
}
