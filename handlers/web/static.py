"""`GET /static/{name}`: the files of the page and the web component."""

from typing import Annotated

from aiohttp import ETag, web
from pydantic import Field, WithJsonSchema

from bridge.errors import NotFound
from handlers.http.models import Input
from handlers.http.route import Reply, Route
from handlers.web.assets import Asset, assets

_FOR_EVER = "public, max-age=31536000, immutable"
_FOR_A_WHILE = "public, max-age=300"


class _Name(Input):
    name: Annotated[str, WithJsonSchema({"type": "string", "enum": list(assets())})]


class _Query(Input):
    v: Annotated[str, Field(description="The version that a page names; it is kept for ever.")] = ""


async def static(request: web.Request) -> web.Response:
    """Return a file to pages of every origin: they may embed the component, and it holds nothing secret."""
    asset = assets().get(request.match_info["name"])
    if asset is None:
        raise NotFound("There is no file of this name.")
    response = _not_modified() if _is_known(request, asset) else _file(asset)
    response.etag = ETag(asset.version)
    versioned = request.query.get("v") == asset.version
    response.headers["Cache-Control"] = _FOR_EVER if versioned else _FOR_A_WHILE
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def _is_known(request: web.Request, asset: Asset) -> bool:
    return any(tag.value in (asset.version, "*") for tag in request.if_none_match or ())


def _file(asset: Asset) -> web.Response:
    return web.Response(body=asset.body, content_type=asset.content_type, charset="utf-8")


def _not_modified() -> web.Response:
    return web.Response(status=304)


ROUTE = Route(
    method="GET",
    path="/static/{name}",
    handler=static,
    operation="static",
    summary="A file: messaging.js and agent-admin.js are the web components, the .d.ts their types",
    path_model=_Name,
    query_model=_Query,
    replies={
        200: Reply("The file.", str, tuple(sorted({asset.content_type for asset in assets().values()}))),
        304: Reply("It is still the one that `If-None-Match` names."),
    },
    errors=(NotFound,),
)
