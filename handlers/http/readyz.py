"""`GET /readyz`: ready, and the state of every part."""

from typing import Annotated, Literal

from aiohttp import web
from pydantic import Field

from bridge.errors import NotFound
from handlers.http.app_keys import SERVICES, Health
from handlers.http.models import Model, reply
from handlers.http.route import Reply, Route

PATH = "/readyz"

_RETRY_AFTER = "5"
"""Seconds; about as long as a lost connection takes to come back."""


class _PartState(Model):
    ok: bool
    state: Annotated[str, Field(examples=["connected", "token_refused"])]
    required: Annotated[bool, Field(description="Whether the daemon is not ready without it.")]
    variable: Annotated[
        str | None, Field(exclude_if=lambda name: name is None, description="What to configure anew.")
    ] = None


class _Ready(Model):
    status: Literal["ready"] = "ready"
    parts: dict[str, _PartState]


class _NotReady(Model):
    error: Literal["not_ready"] = "not_ready"
    message: str
    parts: dict[str, _PartState]


async def ready(request: web.Request) -> web.Response:
    """Answer with the state of every part; 503 unless all that are required are well."""
    health = await request.app[SERVICES].health()
    parts = _parts(health)
    if health.ready:
        return reply(_Ready(parts=parts))
    missing = ", ".join(part.name for part in health.parts if part.required and not part.ok)
    not_ready = _NotReady(message=f"Not ready: {missing}.", parts=parts)
    return reply(not_ready, 503, {"Retry-After": _RETRY_AFTER})


def _parts(health: Health) -> dict[str, _PartState]:
    return {
        part.name: _PartState(ok=part.ok, state=part.state, required=part.required, variable=part.variable)
        for part in health.parts
    }


ROUTE = Route(
    method="GET",
    path=PATH,
    handler=ready,
    operation="ready",
    summary="Ready, and the state of each part",
    errors=(NotFound,),
    internal=True,
    replies={
        200: Reply("Ready.", _Ready),
        503: Reply("`not_ready`", _NotReady, headers={"Retry-After": "Seconds."}),
    },
)
