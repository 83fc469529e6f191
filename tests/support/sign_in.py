"""Signing in with Equa: the bridge as provider of a sandbox Mattermost, and browsers in front of both."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from aiohttp import ClientResponse, ClientSession, DummyCookieJar
from yarl import URL

from bridge.sandbox import demo_data
from handlers.http.app_keys import Limits
from tests.support.front import ACME, APP, Front, front

SECRET = "the-secret-of-both-sides"
CHAT = "https://chat.example.com"
COMPLETION = f"{CHAT}/signup/gitlab/complete"
AGENT = "/acme-corp/channels/agent"

IN_TAB = {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Dest": "document", "Sec-Fetch-Mode": "navigate"}
IN_FRAME = {**IN_TAB, "Sec-Fetch-Dest": "iframe"}


@dataclass(frozen=True, slots=True)
class Hop:
    """An answer on a browser's way."""

    url: str
    status: int
    text: str
    headers: Mapping[str, str]
    set_cookies: Sequence[str] = ()

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    @property
    def query(self) -> Mapping[str, str]:
        return dict(URL(self.url).query)

    @property
    def location(self) -> URL:
        return URL(self.headers["Location"])


@dataclass(slots=True)
class Browser:
    """Keeps cookies for each host, and follows redirects through the proxy that a deployment has."""

    front: Front
    http: ClientSession
    fetch: Mapping[str, str] = field(default_factory=lambda: IN_TAB)
    cookies: dict[str, dict[str, str]] = field(default_factory=dict)
    proxy: str = ""
    """What stands before the chat; without one this class sends each path where it belongs."""

    async def step(self, url: str) -> Hop:
        """Ask for one address, and keep the cookies that come."""
        parts = urlsplit(url)
        jar = self.cookies.setdefault(parts.netloc, {})
        headers = {**self.fetch, "Accept": "text/html", "X-Forwarded-Proto": "https"}
        if jar:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in jar.items())
        target = URL(self._server(parts.netloc, parts.path) + url.removeprefix(f"https://{parts.netloc}"))
        async with self.http.get(target, headers=headers, allow_redirects=False) as response:
            _keep(jar, response)
            cookies = response.headers.getall("Set-Cookie", ())
            return Hop(url, response.status, await response.text(), dict(response.headers), cookies)

    async def open(self, url: str, *, until: str = "") -> list[Hop]:
        """Follow redirects, to the end or to the first answer that leads to a path `until`."""
        hops = [await self.step(url)]
        while "Location" in hops[-1].headers and len(hops) < 12:
            following = str(URL(hops[-1].url).join(hops[-1].location))
            if until and urlsplit(following).path == until:
                break
            hops.append(await self.step(following))
        return hops

    async def enter(self, ticket: str, place: str = AGENT, *, until: str = "") -> list[Hop]:
        """Open the address that the web component's frame opens."""
        return await self.open(f"{CHAT}/login/token?token={ticket}&redirect_to={place}", until=until)

    async def press_button(self, *, until: str = "") -> list[Hop]:
        """Sign in by the button on Mattermost's own page."""
        return await self.open(f"{CHAT}/oauth/gitlab/login?redirect_to={AGENT}", until=until)

    async def me(self) -> str | None:
        """Return as whom Mattermost knows the browser; None if as nobody."""
        token = self.cookies.get("chat.example.com", {}).get("MMAUTHTOKEN", "")
        url = f"{self.front.chat.server.url}/api/v4/users/me"
        async with self.http.get(url, headers={"Cookie": f"MMAUTHTOKEN={token}"}) as response:
            return str((await response.json())["username"]) if response.status == 200 else None

    def sign_in_to_equa(self, account: demo_data.Account = demo_data.ADA) -> None:
        """Give the browser a session of Equa, which the web app's host has."""
        name, _, value = self.front.cookie(account).partition("=")
        self.cookies["app.example.com"] = {name: value}

    def _server(self, host: str, path: str) -> str:
        bridge = str(self.front.client.make_url("/")).rstrip("/")
        if self.proxy and host == urlsplit(CHAT).netloc:
            return self.proxy
        if host == urlsplit(APP).netloc or path.startswith(("/login/token", "/login/equa/")):
            return bridge
        return self.front.chat.server.url


def _keep(jar: dict[str, str], response: ClientResponse) -> None:
    for header in response.headers.getall("Set-Cookie", ()):
        pair, *attributes = header.split("; ")
        name, _, value = pair.partition("=")
        jar.pop(name, None)
        if "Max-Age=0" not in attributes:
            jar[name] = value.strip('"')


@dataclass(slots=True)
class SignIn:
    """The bridge and Mattermost, set up for each other."""

    front: Front
    http: ClientSession

    def browser(self, fetch: Mapping[str, str] = IN_TAB) -> Browser:
        return Browser(self.front, self.http, fetch)

    async def ticket(self, account: demo_data.Account = demo_data.ADA, organization: Any = ACME.id) -> str:
        return await self.front.ticket(account, organization)

    def connect(self, front: Front) -> None:
        """Let Mattermost ask this process from now on."""
        bridge = str(front.client.make_url("/")).rstrip("/")
        self.front.chat.set("ServiceSettings", SiteURL=CHAT)
        self.front.chat.set(
            "GitLabSettings",
            Enable=True,
            Id="equabot-bridge",
            Secret=SECRET,
            AuthEndpoint=f"{CHAT}/login/equa/authorize",
            TokenEndpoint=f"{bridge}/login/equa/token",
            UserAPIEndpoint=f"{bridge}/login/equa/user",
        )

    async def exchange(self, code: str, **changes: str) -> ClientResponse:
        """Ask for an access token as Mattermost does."""
        form = {
            "client_id": "equabot-bridge",
            "client_secret": SECRET,
            "code": code,
            "grant_type": "authorization_code",
            "redirect_uri": COMPLETION,
        }
        sent = {name: value for name, value in {**form, **changes}.items() if value}
        return await self.front.client.post("/login/equa/token", data=sent)

    async def may_complete(self, url: str) -> bool:
        """Ask as the proxy does before it passes a completion on."""
        asked = {"X-Original-URI": url.removeprefix(CHAT)}
        response = await self.front.client.get("/login/equa/completion", headers=asked)
        assert response.status in (204, 403)
        return response.status == 204

    async def user(self, token: str) -> ClientResponse:
        return await self.front.client.get(
            "/login/equa/user", headers={"Authorization": f"Bearer {token}"} if token else {}
        )


@asynccontextmanager
async def signing_in(dsn: str, limits: Limits | None = None, /, **variables: str) -> AsyncIterator[SignIn]:
    """Set both up."""
    environ = {"SIGN_IN_SECRET": SECRET, **variables}
    async with (
        front(dsn, limits, **environ) as built,
        ClientSession(cookie_jar=DummyCookieJar()) as http,
    ):
        sign_in = SignIn(built, http)
        sign_in.connect(built)
        yield sign_in
