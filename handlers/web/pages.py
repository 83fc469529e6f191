"""`GET /messaging/{orgId}`, a complete page around the web component, and `GET /static/{name}`, its files."""

import re
from functools import cache
from html import escape
from pathlib import Path
from string import Template
from uuid import UUID

from aiohttp import ETag, web

from bridge.errors import NotFound
from handlers.http.app_keys import SERVICES, Services
from handlers.http.identifiers import UUID_PATTERN
from handlers.http.openapi import Paths, answer, error
from handlers.web.assets import Asset, assets
from handlers.web.policy import page_policy

CHANNEL = "town-square"
"""The one channel that every team has and nobody can leave; shown as "General"."""

_CHANNEL = "[a-z0-9][a-z0-9_-]{0,63}"
_TEMPLATES = Path(__file__).parent / "templates"

_FOR_EVER = "public, max-age=31536000, immutable"
_FOR_A_WHILE = "public, max-age=300"

_NO_ORGANIZATION = "It should end with the id of an organization, and that is not what it ends with."
_NO_CHANNEL = "It names a channel in a way that no channel can be called."


async def messaging(request: web.Request) -> web.Response:
    """Return the page, whoever asks: who may see what is the session's business."""
    organization, channel = request.match_info["orgId"], request.query.get("channel", CHANNEL)
    if not re.fullmatch(UUID_PATTERN, organization):
        return _wrong_address(request, _NO_ORGANIZATION)
    if not re.fullmatch(_CHANNEL, channel):
        return _wrong_address(request, _NO_CHANNEL)
    return _page(request, "messaging.html", organization=str(UUID(organization)), channel=channel)


async def static(request: web.Request) -> web.Response:
    """Return a file, to every origin: another may embed the component; it holds nothing secret."""
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


def _wrong_address(request: web.Request, reason: str) -> web.Response:
    return _page(request, "wrong-address.html", status=400, reason=reason)


def _page(request: web.Request, template: str, *, status: int = 200, **holes: str) -> web.Response:
    services = request.app[SERVICES]
    text = _template(template).substitute(
        {name: escape(value) for name, value in holes.items()},
        icon=assets()["messaging.svg"].url,
        style=assets()["messaging-page.css"].url,
        script=assets()["messaging-page.js"].url,
        component=assets()["messaging.js"].url,
        back=_back(services),
    )
    headers = {
        "Content-Security-Policy": page_policy(services.public_url, services.web_origins),
        # A browser with "no-referrer" would send "Origin: null" with the page's own POST.
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    return web.Response(status=status, text=text, content_type="text/html", headers=headers)


def _back(services: Services) -> str:
    """Return the link to the web app, which is the first of `WEB_ORIGINS`."""
    return "".join(
        f'<a class="back" href="{escape(origin)}/">← Equa</a>' for origin in services.web_origins[:1]
    )


@cache
def _template(name: str) -> Template:
    return Template((_TEMPLATES / name).read_text())


PATHS: Paths = {
    "/messaging/{orgId}": {
        "parameters": [
            {
                "name": "orgId",
                "in": "path",
                "required": True,
                "schema": {"type": "string", "format": "uuid", "pattern": f"^{UUID_PATTERN}$"},
            },
            {
                "name": "channel",
                "in": "query",
                "description": "The channel that is opened.",
                "schema": {"type": "string", "pattern": f"^{_CHANNEL}$", "default": CHANNEL},
            },
        ],
        "get": {
            "summary": "A page with the organization's chat",
            "operationId": "messaging",
            "responses": {
                "200": answer("The page.", {"type": "string"}, "text/html"),
                "400": answer("A page that says what is wrong.", {"type": "string"}, "text/html"),
            },
        },
    },
    "/static/{name}": {
        "parameters": [
            {
                "name": "name",
                "in": "path",
                "required": True,
                "schema": {"type": "string", "enum": list(assets())},
            },
            {
                "name": "v",
                "in": "query",
                "description": "The version that a page names, which is kept for ever.",
                "schema": {"type": "string"},
            },
        ],
        "get": {
            "summary": "A file: messaging.js is the web component, messaging.d.ts its types",
            "operationId": "static",
            "responses": {
                "200": {
                    "description": "The file.",
                    "content": {
                        kind: {"schema": {"type": "string"}}
                        for kind in sorted({asset.content_type for asset in assets().values()})
                    },
                },
                "304": {"description": "It is still the one that `If-None-Match` names."},
                "404": error("not_found"),
            },
        },
    },
}
