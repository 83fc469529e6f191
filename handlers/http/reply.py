"""Responses of models."""

from collections.abc import Mapping

from aiohttp import web
from pydantic import BaseModel

from handlers.http.route import JSON


def reply(model: BaseModel, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """Return the model as JSON."""
    body = model.model_dump_json(by_alias=True).encode()
    return web.Response(body=body, status=status, headers=headers, content_type=JSON, charset="utf-8")
