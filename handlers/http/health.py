"""How the daemon is: alive, ready, and in figures."""

from typing import Any

from aiohttp import web

from bridge.metrics import CONTENT_TYPE
from handlers.http.app_keys import SERVICES, Health, Part
from handlers.http.openapi import Paths, Schema, answer

_RETRY_AFTER = "5"
"""Seconds; about as long as a lost connection takes to come back."""


async def alive(_request: web.Request) -> web.Response:
    """Answer as long as the event loop runs, whatever else is broken: restarting us would not mend it."""
    return web.json_response({"status": "ok"})


async def ready(request: web.Request) -> web.Response:
    """Tell the state of every part; 503 unless all that are required are well."""
    health = await request.app[SERVICES].health()
    if health.ready:
        return web.json_response({"status": "ready", "parts": _parts(health)})
    missing = ", ".join(part.name for part in health.parts if part.required and not part.ok)
    body = {"error": "not_ready", "message": f"Not ready: {missing}.", "parts": _parts(health)}
    return web.json_response(body, status=503, headers={"Retry-After": _RETRY_AFTER})


async def figures(request: web.Request) -> web.Response:
    """Serve the metrics in Prometheus' text format."""
    return web.Response(body=request.app[SERVICES].metrics.render(), headers={"Content-Type": CONTENT_TYPE})


def _parts(health: Health) -> dict[str, dict[str, Any]]:
    return {part.name: _part(part) for part in health.parts}


def _part(part: Part) -> dict[str, Any]:
    told = {"ok": part.ok, "state": part.state, "required": part.required}
    return told if part.variable is None else {**told, "variable": part.variable}


_PARTS: Schema = {
    "type": "object",
    "additionalProperties": {
        "type": "object",
        "required": ["ok", "state", "required"],
        "properties": {
            "ok": {"type": "boolean"},
            "state": {"type": "string", "examples": ["connected", "token_refused"]},
            "required": {"type": "boolean", "description": "Whether we are not ready without it."},
            "variable": {"type": "string", "description": "What has to be configured anew."},
        },
    },
}


def _status(word: str) -> Schema:
    return {"type": "object", "required": ["status"], "properties": {"status": {"const": word}}}


PATHS: Paths = {
    "/healthz": {
        "get": {
            "summary": "Alive",
            "operationId": "alive",
            "responses": {"200": answer("The event loop runs.", _status("ok"))},
        }
    },
    "/readyz": {
        "get": {
            "summary": "Ready, and the state of each part",
            "operationId": "ready",
            "responses": {
                "200": answer(
                    "Ready.",
                    {
                        "type": "object",
                        "required": ["status", "parts"],
                        "properties": {"status": {"const": "ready"}, "parts": _PARTS},
                    },
                ),
                "503": {
                    **answer(
                        "`not_ready`",
                        {
                            "allOf": [{"$ref": "#/components/schemas/Error"}],
                            "required": ["parts"],
                            "properties": {"parts": _PARTS},
                        },
                    ),
                    "headers": {"Retry-After": {"schema": {"type": "string"}, "required": True}},
                },
            },
        }
    },
    "/metrics": {
        "get": {
            "summary": "Prometheus metrics",
            "operationId": "metrics",
            "responses": {"200": answer("Text format.", {"type": "string"}, "text/plain")},
        }
    },
}
