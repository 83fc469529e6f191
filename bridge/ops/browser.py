"""The doctor's checks at the public address, with the requests that a browser sends."""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import ClientSession

from bridge.ops.checks import Check, absent
from bridge.ops.context import Context
from bridge.ops.findings import Finding
from bridge.ops.framing import MIXED, obstacle
from bridge.ops.web import Page, fetch

_BROWSER = {"Accept": "text/html", "Sec-Fetch-Dest": "iframe"}


def checks(context: Context) -> list[Check]:
    if not context.url:
        return []
    origins = context.settings.web_origins
    browser = BrowserChecks(context.session, context.public_url, origins)
    todo = "see MATTERMOST_PUBLIC_URL, DNS, certificate and proxy"
    frame = Check("frame", browser.framing, todo)
    if not origins:
        frame = absent("frame", "without WEB_ORIGINS no page embeds the chat", required=False)
    return [frame, Check("sign-in", browser.login, todo)]


@dataclass(frozen=True, slots=True)
class BrowserChecks:
    session: ClientSession
    public_url: str
    origins: tuple[str, ...]
    """Origins of the pages that embed the chat."""

    async def framing(self) -> Sequence[Finding]:
        page = await fetch(self.session, f"{self.public_url}/", headers=_BROWSER, follow=True)
        if page.status != 200:
            todo = "see MATTERMOST_PUBLIC_URL and the log of the proxy there"
            return [Finding("frame", "bad", f"{self.public_url} answers HTTP {page.status}", todo)]
        return [framed(self.public_url, origin, page) for origin in self.origins]

    async def login(self) -> Sequence[Finding]:
        """Check that /login/token leads to the bridge.

        The bridge repeats a request's id in its response; Mattermost makes an id of its own.
        """
        request_id = f"doctor-{secrets.token_hex(8)}"
        page = await fetch(
            self.session,
            # It looks like a ticket and was never issued.
            f"{self.public_url}/login/token?token={'0' * 26}&redirect_to=/",
            headers={"Accept": "text/html", "X-Request-Id": request_id},
        )
        return [login(page, request_id)]


def framed(public_url: str, origin: str, page: Page) -> Finding:
    policies = page.headers.getall("Content-Security-Policy", [])
    obstacles = obstacle(public_url, origin, policies, page.headers.getall("X-Frame-Options", []))
    if not obstacles:
        return Finding("frame", "good", f"{origin} may show the chat")
    todo = "give MATTERMOST_PUBLIC_URL a certificate and https"
    if obstacles != MIXED:
        todo = f"put deploy/proxy in front, with {origin} in its FRAME_ANCESTORS; Mattermost from 10.6.1 on"
        todo += " can do without: run `equabot-bridge setup`"
    return Finding("frame", "bad", f"{origin} may not show the chat: {obstacles}", todo)


def login(page: Page, request_id: str) -> Finding:
    route = "let the proxy send /login/token, and nothing else, to the bridge: see deploy/proxy"
    if page.headers.get("X-Request-Id") == request_id:
        if page.status == 404:
            return Finding("sign-in", "bad", "the bridge that answers has no /login/token", "update it")
        if page.status >= 500:
            return Finding("sign-in", "bad", f"the bridge answers HTTP {page.status}", "see its log")
        return Finding("sign-in", "good", "/login/token leads to the bridge")
    if re.match(r"\d+\.\d+", page.headers.get("X-Version-Id", "")):
        return Finding("sign-in", "bad", "/login/token leads to Mattermost, which does not know it", route)
    if page.status in (502, 503, 504):
        todo = "start the bridge, and see BRIDGE_UPSTREAM of the proxy"
        return Finding("sign-in", "bad", f"the proxy does not reach the bridge (HTTP {page.status})", todo)
    return Finding("sign-in", "bad", f"/login/token leads to another server (HTTP {page.status})", route)
