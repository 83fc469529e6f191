"""The doctor's checks at the public address, with the requests that a browser sends."""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import ClientSession

from bridge.ops.doctor.checks import Check, absent
from bridge.ops.doctor.context import Context
from bridge.ops.doctor.framing import MIXED, obstacle
from bridge.ops.doctor.web import Page, fetch
from bridge.ops.findings import Finding
from bridge.ops.sign_in_settings import AUTHORIZE, TOKEN, USER

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
    equa = [Check("sign-in with Equa outside", browser.equa, todo)]
    return [frame, Check("sign-in", browser.login, todo), *(equa if context.settings.sign_in_secret else ())]


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
        """Check that /login/token leads to the bridge, with what looks like a ticket and was never issued."""
        page, by_bridge = await self._asked("/login/token", f"?token={'0' * 26}&redirect_to=/")
        return [login("sign-in", "/login/token", page, by_bridge=by_bridge)]

    async def equa(self) -> Sequence[Finding]:
        """Check that browsers reach that part of the sign-in with Equa which is theirs, and no other."""
        subject = "sign-in with Equa outside"
        for path in (TOKEN, USER):
            if (await self._asked(path))[1]:
                todo = "let the proxy keep it inside: see deploy/proxy"
                return [Finding(subject, "bad", f"{path}, which is Mattermost's, leads to the bridge", todo)]
        page, by_bridge = await self._asked(AUTHORIZE)
        return [login(subject, AUTHORIZE, page, by_bridge=by_bridge)]

    async def _asked(self, path: str, query: str = "") -> tuple[Page, bool]:
        """Return the page, and whether it is the bridge's.

        The bridge repeats a request's id in its response; Mattermost makes an id of its own.
        """
        request_id = f"doctor-{secrets.token_hex(8)}"
        headers = {"Accept": "text/html", "X-Request-Id": request_id}
        page = await fetch(self.session, f"{self.public_url}{path}{query}", headers=headers)
        return page, page.headers.get("X-Request-Id") == request_id


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


def login(subject: str, path: str, page: Page, *, by_bridge: bool) -> Finding:
    if by_bridge:
        return _by_bridge(subject, path, page.status)
    route = f"let the proxy send {path} to the bridge: see deploy/proxy"
    if re.match(r"\d+\.\d+", page.headers.get("X-Version-Id", "")):
        return Finding(subject, "bad", f"{path} leads to Mattermost, which does not know it", route)
    if page.status in (502, 503, 504):
        todo = "start the bridge, and see BRIDGE_UPSTREAM of the proxy"
        return Finding(subject, "bad", f"the proxy does not reach the bridge (HTTP {page.status})", todo)
    return Finding(subject, "bad", f"{path} leads to another server (HTTP {page.status})", route)


def _by_bridge(subject: str, path: str, status: int) -> Finding:
    if status == 404:
        return Finding(subject, "bad", f"the bridge that answers has no {path}", "update it")
    if status >= 500:
        return Finding(subject, "bad", f"the bridge answers HTTP {status}", "see its log")
    return Finding(subject, "good", f"{path} leads to the bridge")
