"""The page and what it loads."""

from collections.abc import Mapping
from pathlib import Path

from aiohttp import web

_HERE = Path(__file__).parent / "static"

HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


async def index(_request: web.Request) -> web.StreamResponse:
    """Return the page."""
    return _file("index.html")


async def static(request: web.Request) -> web.StreamResponse:
    """Return one of the files that the page names."""
    name = request.match_info["name"]
    if name not in {path.name for path in _HERE.iterdir()}:
        raise web.HTTPNotFound
    return _file(name)


def _file(name: str) -> web.StreamResponse:
    return web.FileResponse(_HERE / name, headers=HEADERS)
