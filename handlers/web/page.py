"""`GET /messaging/{orgId}`: a complete page around the web component."""

import re
from functools import cache
from html import escape
from pathlib import Path
from string import Template
from typing import Annotated
from uuid import UUID

from aiohttp import web
from pydantic import Field

from bridge.models.ids import is_uuid
from handlers.http.app_keys import SERVICES, Services
from handlers.http.models import Input, OfOrganization
from handlers.http.route import HTML, Reply, Route
from handlers.web.assets import assets
from handlers.web.policy import page_policy

CHANNEL = "town-square"
"""The one channel that every team has and nobody can leave; shown as "General"."""

_CHANNEL = "[a-z0-9][a-z0-9_-]{0,63}"
_TEMPLATES = Path(__file__).parent / "templates"

NO_ORGANIZATION = "It should end with the id of an organization, and that is not what it ends with."
_NO_CHANNEL = "It names a channel in a way that no channel can be called."


class _Query(Input):
    channel: Annotated[str, Field(pattern=f"^{_CHANNEL}$", description="The channel that is opened.")] = (
        CHANNEL
    )


async def messaging(request: web.Request) -> web.Response:
    """Return the page to anybody; what they may see is decided with their session."""
    organization, channel = request.match_info["orgId"], request.query.get("channel", CHANNEL)
    if not is_uuid(organization):
        return wrong_address(request, NO_ORGANIZATION)
    if not re.fullmatch(_CHANNEL, channel):
        return wrong_address(request, _NO_CHANNEL)
    return template_page(request, "messaging.html", organization=str(UUID(organization)), channel=channel)


def wrong_address(request: web.Request, reason: str) -> web.Response:
    """Return a page that says what is wrong with the address."""
    return template_page(request, "wrong-address.html", status=400, reason=reason)


def template_page(
    request: web.Request,
    template: str,
    *,
    status: int = 200,
    framed: bool = True,
    shows_chat: bool = True,
    **holes: str,
) -> web.Response:
    """Return a page of `templates/`, its holes filled; other pages of `WEB_ORIGINS` may frame it."""
    services = request.app[SERVICES]
    chat, embedders = services.public_url if shows_chat else None, services.web_origins if framed else None
    text = _template(template).substitute(
        {name: escape(value) for name, value in holes.items()},
        icon=assets()["messaging.svg"].url,
        style=assets()["messaging-page.css"].url,
        script=assets()["messaging-page.js"].url,
        component=assets()["messaging.js"].url,
        agent_component=assets()["agent-admin.js"].url,
        agent_script=assets()["agent-page.js"].url,
        sign_in=assets()["sign-in.js"].url,
        back=_back(services),
    )
    headers = {
        "Content-Security-Policy": page_policy(chat, embedders),
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


ROUTE = Route(
    method="GET",
    path="/messaging/{orgId}",
    handler=messaging,
    operation="messaging",
    summary="A page with the organization's chat",
    path_model=OfOrganization,
    query_model=_Query,
    replies={
        200: Reply("The page.", str, (HTML,)),
        400: Reply("A page that says what is wrong.", str, (HTML,)),
    },
)
