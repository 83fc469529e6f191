"""The last step of the way in, through the proxy that stands before Mattermost."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http.cookies import Morsel, SimpleCookie
from pathlib import Path

import pytest
from aiohttp import ClientResponse, ClientSession, DummyCookieJar

from tests.support.front import APP, Front, front
from tests.support.nginx import Nginx, serving
from tests.support.programs import required_program

PLACE = "/acme-corp/channels/agent"
HTTPS = {"X-Forwarded-Proto": "https"}
FRAMED = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "iframe"}


@pytest.fixture
async def door(dsn: str) -> AsyncIterator[Front]:
    async with front(dsn) as built:
        yield built


@asynccontextmanager
async def proxied(door: Front, tmp_path: Path, **variables: str) -> AsyncIterator[Nginx]:
    environment = {
        "MATTERMOST_UPSTREAM": door.chat.server.url,
        "BRIDGE_UPSTREAM": str(door.client.make_url("")).rstrip("/"),
        "FRAME_ANCESTORS": APP,
        **variables,
    }
    async with serving(required_program("nginx"), tmp_path, environment) as nginx:
        yield nginx


async def login(nginx: Nginx, token: str, **headers: str) -> ClientResponse:
    async with (
        ClientSession(cookie_jar=DummyCookieJar()) as session,
        session.get(
            f"{nginx.url}/login/token",
            params={"token": token, "redirect_to": PLACE},
            headers=HTTPS | headers,
            allow_redirects=False,
        ) as response,
    ):
        await response.read()
        return response


def attributes(response: ClientResponse) -> dict[str, list[str]]:
    """Return the attributes of each cookie, in small letters."""
    found = {}
    for header in response.headers.getall("Set-Cookie"):
        pair, *given = (part.strip() for part in header.split(";"))
        found[pair.partition("=")[0]] = sorted(each.lower() for each in given)
    return found


async def test_a_browser_is_signed_in_and_goes_on(door: Front, tmp_path: Path) -> None:
    """The place is one of the proxy's own host, and neither log has the ticket."""
    ticket = await door.ticket()
    async with proxied(door, tmp_path) as nginx:
        response = await login(nginx, ticket)
        cookies = {
            name: morsel.value
            for header in response.headers.getall("Set-Cookie")
            for name, morsel in _read(header).items()
        }
        async with (
            ClientSession(cookies=cookies) as browser,
            browser.get(f"{nginx.url}/api/v4/users/me") as me,
        ):
            assert (await me.json())["username"] == "ada"

    assert (response.status, response.headers["Location"]) == (303, PLACE)
    assert ticket not in nginx.access_log.read_text() + nginx.error_log.read_text()


def _read(header: str) -> dict[str, Morsel[str]]:
    read: SimpleCookie = SimpleCookie()
    read.load(header)
    return dict(read)


@pytest.mark.parametrize(("embed", "framed"), [("cross", True), ("cross", False), ("same", True)])
async def test_in_another_sites_frame_the_cookies_are_the_same_by_either_way(
    door: Front, tmp_path: Path, embed: str, *, framed: bool
) -> None:
    """The browser's word and the proxy's setting together say nothing that a browser could misread."""
    ticket = await door.ticket()
    async with proxied(door, tmp_path, EMBED_SITE=embed) as nginx:
        response = await login(nginx, ticket, **(FRAMED if framed else {}))

    for given in attributes(response).values():
        assert {"samesite=none", "secure", "partitioned", "path=/"} <= set(given)
        assert [each for each in given if each.startswith("samesite")] == ["samesite=none"]
    assert "httponly" in attributes(response)["MMAUTHTOKEN"]


async def test_the_page_of_an_expired_ticket_may_be_framed(door: Front, tmp_path: Path) -> None:
    """With its script, which tells the page around it."""
    async with proxied(door, tmp_path) as nginx:
        response = await login(nginx, "a" * 26)

    policy = response.headers["Content-Security-Policy"]
    assert response.status == 401
    assert policy.startswith(f"frame-ancestors 'self' {APP}; default-src 'none'; script-src 'nonce-")
    assert policy.count("frame-ancestors") == 1


@pytest.mark.parametrize(("referer", "status"), [(f"{APP}/", 303), ("https://evil.example/", 200)])
async def test_who_opens_a_tab_is_known_behind_the_proxy(
    door: Front, tmp_path: Path, referer: str, status: int
) -> None:
    """Nobody who is signed in becomes somebody else by a link of another site, unless they want to."""
    ticket = await door.ticket()
    reported = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "document", "Cookie": "MMAUTHTOKEN=of-ada"}
    async with proxied(door, tmp_path) as nginx:
        response = await login(nginx, ticket, **reported, Referer=referer)

    assert response.status == status
    assert ("Set-Cookie" in response.headers) == (status == 303)
