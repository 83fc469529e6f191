"""What the web component talks to: a bridge with scripted sessions, and a chat that takes its tickets."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html import escape
from typing import Any

from aiohttp import web
from playwright.async_api import Locator, Page, expect

from bridge.metrics import Metrics
from handlers.http.app_keys import SERVICES, Health, Services
from handlers.http.login_page import storage_page
from handlers.web import page as messaging_page
from handlers.web import static
from tests.support.agent import serving
from tests.support.api import FakeInbox

ACME = "0f3b6a52-7d18-4c9e-b1a4-6e2d90c5f713"
BOREALIS = "c41d8e07-a5f9-4b36-92d0-38b7e16f4ac8"
TEAMS = {ACME: "acme-corp", BOREALIS: "borealis-labs"}

SANDBOX = "allow-scripts allow-same-origin allow-forms allow-popups allow-popups-to-escape-sandbox"
"""What the frame may do unless told otherwise."""

EXPIRED = """<!doctype html><title>Expired</title><p>This sign-in has expired.</p>
<script>parent.postMessage({ type: "equabot:login-expired" }, "*")</script>"""

FAILED = """<!doctype html><title>Trouble</title><p>The database does not answer.</p>
<script>parent.postMessage({ type: "equabot:login-failed", retryAfter: %s }, "*")</script>"""

CAN_STORE = """<!doctype html><title>Storage</title>
<script>parent.postMessage({ type: "equabot:storage", works: true }, "*")</script>"""
"""What a browser says that lets frames of other sites store; that of these tests does not."""

_CHAT = """<!doctype html><html lang="en"><meta name="color-scheme" content="light dark"><title>Chat</title>
<style>body {{ margin: 2rem; font: 15px system-ui }} header {{ margin-bottom: 1rem }}</style>
</head><header>{path}</header><label>Message <input></label>"""


@dataclass(slots=True)
class Reply:
    """An answer to come; without a body it is a session."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    release: asyncio.Event | None = None
    """What it waits for."""


def refusal(status: int, code: str, message: str = "A sentence.", **headers: str) -> Reply:
    """Return an error in the bridge's shape; `Retry_After="5"` is a header."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, {"error": code, "message": message}, named)


class Chat:
    """Redeems tickets at `/login/token`, by default as often as asked for."""

    def __init__(self) -> None:
        self.url = ""
        self.logins: list[Mapping[str, str]] = []
        """The queries, in their order."""
        self.referrers: list[str | None] = []
        self.sites: list[str | None] = []
        """What the browser says of who sends it there."""
        self.pages: list[web.Response] = []
        """What the next logins answer instead."""
        self.release: asyncio.Event | None = None
        self.checks = 0
        """How often the page that tries storage was asked for."""
        self.unchecked: str | None = None
        """What it consists of instead."""

    def app(self) -> web.Application:
        app = web.Application()
        app.add_routes(
            [
                web.get("/login/token", self._login),
                web.get("/file", self._file),
                web.get("/static/{name}", static.static),
                web.get("/{path:.*}", self._page),
            ]
        )
        return app

    def expire(self, times: int = 1) -> None:
        """Let the next logins say that their ticket is no longer good."""
        self.pages += [web.Response(text=EXPIRED, content_type="text/html") for _ in range(times)]

    def fail(self, times: int = 1, *, retry_after: str = "null") -> None:
        """Let the next logins say that they did not work this time; `retry_after` is an expression."""
        text = FAILED % retry_after
        self.pages += [web.Response(status=503, text=text, content_type="text/html") for _ in range(times)]

    async def _login(self, request: web.Request) -> web.Response:
        if request.query.get("check") == "storage":
            return await self._check(request)
        self.logins.append(dict(request.query))
        self.referrers.append(request.headers.get("Referer"))
        self.sites.append(request.headers.get("Sec-Fetch-Site"))
        if self.release:
            await self.release.wait()
        if self.pages:
            return self.pages.pop(0)
        raise web.HTTPSeeOther(request.query["redirect_to"])

    async def _check(self, _request: web.Request) -> web.Response:
        self.checks += 1
        if self.unchecked is not None:
            return web.Response(text=self.unchecked, content_type="text/html")
        return web.Response(text=storage_page("n", ["*"]), content_type="text/html")

    async def _file(self, _request: web.Request) -> web.Response:
        headers = {"Content-Disposition": 'attachment; filename="report.txt"'}
        return web.Response(text="Figures", headers=headers)

    async def _page(self, request: web.Request) -> web.Response:
        return web.Response(text=_CHAT.format(path=escape(request.path)), content_type="text/html")


def services(public_url: str | None, *web_origins: str) -> Services:
    """Return what the page is given."""
    return Services(
        mappings=_NoTeams(),
        inbox=FakeInbox(),
        metrics=Metrics(),
        health=_well,
        public_url=public_url,
        web_origins=web_origins,
    )


class Bridge:
    """The real page and component; answers about sessions are taken from `replies`, then all is well."""

    def __init__(self, chat: Chat) -> None:
        self.chat = chat
        self.url = ""
        self.replies: list[Reply] = []
        self.asked: list[str] = []
        """The organizations of all calls, in their order."""
        self.requests: list[web.Request] = []
        self.ended = 0
        """How many requests for a session the browser ended before their answer."""
        self.host = ""
        """What `/host`, a page of somebody else, consists of."""
        self.host_headers: dict[str, str] = {}
        self._tickets = itertools.count(1)

    def app(self) -> web.Application:
        app = web.Application()
        app[SERVICES] = services(self.chat.url, "https://app.example.com")
        app.add_routes(
            [
                web.get("/messaging/{orgId}", messaging_page.messaging),
                web.get("/static/{name}", static.static),
                web.post("/api/v1/mattermost/session", self._session),
                web.post("/elsewhere/session", self._session),
                web.get("/api/v1/mattermost/config", self._config),
                web.get("/host", self._host),
            ]
        )
        return app

    def page_of(self, organization: str) -> str:
        return f"{self.url}/messaging/{organization}"

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until the condition holds."""
        async with asyncio.timeout(60):
            while not condition():
                await asyncio.sleep(0.01)

    async def _session(self, request: web.Request) -> web.Response:
        organization = (await request.json())["organizationId"]
        self.asked.append(organization)
        self.requests.append(request)
        reply = self.replies.pop(0) if self.replies else Reply()
        try:
            if reply.release:
                await reply.release.wait()
        except asyncio.CancelledError:
            self.ended += 1
            raise
        if isinstance(reply.body, str):
            return web.Response(status=reply.status, text=reply.body, headers=reply.headers)
        body = self._a_session(organization) if reply.body is None else reply.body
        return web.json_response(body, status=reply.status, headers=reply.headers)

    async def _config(self, request: web.Request) -> web.Response:
        self.requests.append(request)
        return web.json_response({"enabled": True, "baseUrl": self.chat.url})

    def _a_session(self, organization: str) -> dict[str, str]:
        return {
            "token": f"ticket{next(self._tickets):020}",
            "baseUrl": self.chat.url,
            "teamName": TEAMS.get(organization, "elsewhere"),
            "mmUserId": "u" * 26,
        }

    async def _host(self, _request: web.Request) -> web.Response:
        return web.Response(text=self.host, content_type="text/html", headers=self.host_headers)


class _NoTeams:
    async def organization_of_team(self, team_id: object) -> None:
        return None


async def _well() -> Health:
    return Health(())


@asynccontextmanager
async def scene() -> AsyncIterator[Bridge]:
    """Serve a bridge and its chat, each on a port of its own."""
    chat = Chat()
    async with serving(chat.app()) as chat.url:
        bridge = Bridge(chat)
        async with serving(bridge.app()) as bridge.url:
            yield bridge


LISTEN = """
    window.heard = [];
    for (const name of ["state", "error", "ready"])
        document.addEventListener(`equa-messaging-${name}`, ({ detail }) => heard.push({ name, ...detail }));
"""
"""A script that keeps all of the component's events in `window.heard`."""


def component(page: Page) -> Locator:
    return page.locator("equa-messaging")


async def comes_to(page: Page, state: str) -> None:
    """Wait until the component is in this state."""
    await expect(component(page)).to_have_js_property("state", state)


async def heard(page: Page, name: str) -> list[dict[str, Any]]:
    """Return the details of the component's events of this name, in their order."""
    events: list[dict[str, Any]] = await page.evaluate("heard")
    return [event for event in events if event["name"] == name]


def host(*elements: str, head: str = "") -> str:
    """Return a page of somebody else with the component and these elements in it."""
    return f"""<!doctype html><html lang="en"><head><title>Host</title>{head}
        <script type="module" src="/static/messaging.js"></script></head>
        <body><main><h1>Host</h1>{"".join(elements)}</main></body></html>"""


def element(organization: str = ACME, **attributes: str) -> str:
    """Return the component's markup."""
    written = "".join(f' {name}="{escape(value)}"' for name, value in attributes.items())
    return f'<equa-messaging organization="{organization}"{written}></equa-messaging>'
