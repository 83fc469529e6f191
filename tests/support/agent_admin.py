"""What the component of the organization's page talks to: a bridge whose answers are scripted."""

from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import escape
from typing import Any

from aiohttp import web
from playwright.async_api import Locator, Page, expect

from handlers.http.app_keys import SERVICES
from handlers.web import agent_page, static
from tests.support.agent import serving
from tests.support.messaging import ACME, Reply, services

API = "/api/v1/mattermost"

Body = dict[str, Any]

ONE, TWO = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"


_COUNTS = (
    *("questions", "answered", "failed", "stopped", "refused", "noReply", "unfinished"),
    *("promptTokens", "completionTokens", "unknownTokens", "unknownCost", "up", "down"),
)


def figures(**given: Any) -> Body:
    """Return figures of usage; what is not given is nothing."""
    return {**dict.fromkeys(_COUNTS, 0), "cost": None, "firstText": None, "lastText": None, **given}


def line(key: str, **given: Any) -> Body:
    """Return the figures of a day or a person."""
    return {"key": key, "name": None, "username": None, **figures(**given)}


def day(ago: int) -> str:
    """Return the day that was so many days ago, in UTC."""
    return (datetime.now(UTC) - timedelta(days=ago)).date().isoformat()


def usage(total: Body, *lines: Body, budget: Body | None = None) -> Body:
    return {"budget": budget, "total": total, "lines": list(lines)}


QUIET: dict[str, Body] = {
    "usage/day": usage(figures()),
    "usage/person": usage(figures()),
    "approvals": {"pending": [], "ended": []},
    "audit": {"entries": [], "next": None},
}
"""Of an organization in which nothing has happened."""


def settings(**more: Any) -> Body:
    """Return what a bridge without a budget says of settings that nobody has changed."""
    nothing = {"tokens": None, "cost": None}
    holds = {"approvers": "members", "followUps": "alone", "budget": nothing, "mutedNotices": []}
    return {
        "version": 0,
        "approvers": None,
        "followUps": None,
        "budget": nothing,
        "mutedNotices": [],
        "effective": holds,
        "bounds": {
            "approvers": ["admins", "members"],
            "followUps": ["never", "alone"],
            "budget": {"tokens": 5_000_000, "cost": None},
            "costsKnown": True,
            "noticeTypes": ["cc.equa.announcement", "cc.equa.shares.issued"],
        },
        **more,
    }


def approval(which: str = ONE, **more: Any) -> Body:
    """Return an approval that waits."""
    now = datetime.now(UTC)
    return {
        "id": which,
        "title": "Issue 5,000 shares to <b>Chloe</b>",
        "description": "issue --holder chloe",
        "tool": "cap_table.issue",
        "severity": "warning",
        "askedBy": "ben",
        "isDirect": False,
        "choices": ["approve", "deny"],
        "createdAt": now.isoformat(),
        "expiresAt": (now + timedelta(minutes=10)).isoformat(),
        "state": "pending",
        "outcome": None,
        "decidedBy": None,
        "endedAt": None,
        "link": None,
        **more,
    }


def ended(which: str = ONE, state: str = "approved", **more: Any) -> Body:
    by = {"username": "ada", "name": "", "role": "admin", "via": "page"}
    return approval(which, state=state, decidedBy=by, endedAt="2026-11-26T09:12:00Z", **more)


def lists(*pending: Body, past: tuple[Body, ...] = ()) -> Body:
    return {"pending": list(pending), "ended": list(past)}


def entry(kind: str, outcome: str, **more: Any) -> Body:
    """Return an entry of the audit."""
    return {
        "id": 1,
        "at": "2026-11-26T09:12:00Z",
        "kind": kind,
        "outcome": outcome,
        "username": "ada",
        "personId": None,
        "userId": None,
        "role": "admin",
        "via": "page",
        "subject": "",
        "details": {},
        **more,
    }


def busy() -> dict[str, Body]:
    """Return the answers of an organization in which all kinds of things happen."""
    some = {
        "questions": 30,
        "answered": 20,
        "failed": 3,
        "stopped": 3,
        "refused": 2,
        "noReply": 1,
        "unfinished": 1,
    }
    took = {"promptTokens": 70_000, "completionTokens": 9_000, "cost": "1.25", "up": 4, "down": 1}
    lines = [line(day(ago), **(some | took if ago % 3 else {})) for ago in range(4, 0, -1)]
    unknown = line(day(0), questions=2, answered=2, unknownTokens=2, unknownCost=2)
    total = figures(**some, **took, unknownTokens=2, unknownCost=2, firstText=1.5, lastText=7)
    people = [line("a", name="Ada Moreno", **some, **took), line("others", questions=2, unknownTokens=2)]
    return {
        "usage/day": usage(total, *lines, unknown),
        "usage/person": usage(total, *people),
        "approvals": lists(approval(), past=(ended(TWO),)),
        "audit": {
            "entries": [
                entry("approval_decided", "approved", details={"tool": "cap_table.issue"}),
                entry("question_refused", "too_many_questions", username="ben", role="asker", via="thread"),
            ],
            "next": "more",
        },
        "settings": settings(followUps="never"),
    }


@dataclass(slots=True)
class Scene:
    """The real page and component; each answer is the next of `replies`, else the one of `bodies`."""

    url: str = ""
    bodies: dict[str, dict[str, Body]] = field(default_factory=lambda: defaultdict(dict))
    """By organization, then by what is asked for: `usage/day`, `approvals`, `audit`, `settings`."""
    replies: dict[str, list[Reply]] = field(default_factory=lambda: defaultdict(list))
    """What the next requests of a kind get instead, whatever the organization."""
    asked: list[web.Request] = field(default_factory=list)
    written: list[Any] = field(default_factory=list)
    """The bodies of requests that change something."""
    host: str = ""
    host_headers: dict[str, str] = field(default_factory=dict)
    """What `/host`, a page of somebody else, consists of."""

    def app(self) -> web.Application:
        app = web.Application()
        app[SERVICES] = services("https://chat.example.com", "https://app.example.com")
        app.add_routes(
            [
                web.get("/messaging/{orgId}/agent", agent_page.agent),
                web.get("/static/{name}", static.static),
                web.get("/host", self._host),
                web.route("*", f"{API}/{{what}}/{{orgId}}", self._answer),
                web.route("*", f"{API}/{{what}}/{{orgId}}/{{part}}", self._answer),
            ]
        )
        return app

    def page_of(self, organization: str = ACME, section: str = "") -> str:
        return f"{self.url}/messaging/{organization}/agent{section and '#'}{section}"

    async def _answer(self, request: web.Request) -> web.Response:
        kind = request.match_info["what"]
        if kind == "usage":
            kind = f"usage/{request.query['by']}"
        if request.method != "GET":
            kind = f"{request.method} {kind}"
            self.written.append(await request.json())
        self.asked.append(request)
        reply = self.replies[kind].pop(0) if self.replies[kind] else self._usual(request, kind)
        if reply.release:
            await reply.release.wait()
        if isinstance(reply.body, str):
            return web.Response(status=reply.status, text=reply.body, headers=reply.headers)
        return web.json_response(reply.body, status=reply.status, headers=reply.headers)

    def _usual(self, request: web.Request, kind: str) -> Reply:
        known = {**QUIET, "settings": settings(), **self.bodies[request.match_info["orgId"]]}
        return Reply(body=known.get(kind, {}))

    async def _host(self, _request: web.Request) -> web.Response:
        return web.Response(text=self.host, content_type="text/html", headers=self.host_headers)


@asynccontextmanager
async def scene() -> AsyncIterator[Scene]:
    """Serve the page, the component and what it asks for."""
    served = Scene()
    async with serving(served.app()) as served.url:
        yield served


def component(page: Page) -> Locator:
    return page.locator("equa-agent-admin")


async def comes_to(page: Page, state: str) -> None:
    """Wait until the component is in this state."""
    await expect(component(page)).to_have_js_property("state", state)


def host(*elements: str, head: str = "") -> str:
    """Return a page of somebody else with these elements in it."""
    return f"""<!doctype html><html lang="en"><head><title>Host</title>{head}
        <script type="module" src="/static/agent-admin.js"></script></head>
        <body><main><h1>Host</h1>{"".join(elements)}</main></body></html>"""


def element(organization: str = ACME, **attributes: str) -> str:
    """Return the component's markup."""
    written = "".join(f' {name}="{escape(value)}"' for name, value in attributes.items())
    return f'<equa-agent-admin organization="{organization}"{written}></equa-agent-admin>'
