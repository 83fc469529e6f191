"""The page and its files over HTTP."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession

from handlers.http.app import ROUTES, make_app
from handlers.http.openapi import document
from handlers.web.assets import assets
from tests.support.agent import serving
from tests.support.messaging import ACME, services

CHAT = "https://chat.example.com/base"


@pytest.fixture
async def url() -> AsyncIterator[str]:
    async with serving(
        make_app(services(CHAT, "https://app.example.com", "https://other.example.com"))
    ) as served:
        yield served


@pytest.fixture
async def http() -> AsyncIterator[ClientSession]:
    async with ClientSession() as session:
        yield session


async def test_the_page_holds_the_component(http: ClientSession, url: str) -> None:
    """With the organization of the address, in its canonical form, and the channel that is asked for."""
    async with http.get(f"{url}/messaging/{ACME.upper()}", params={"channel": "agent"}) as response:
        page = await response.text()

    assert (response.status, response.content_type) == (200, "text/html")
    assert f'<equa-messaging id="messaging" organization="{ACME}" channel="agent" downloads>' in page
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "same-origin"


async def test_the_page_leads_back_to_the_web_app(http: ClientSession, url: str) -> None:
    """Which is the first of the origins that may embed us; all of them may frame the page."""
    async with http.get(f"{url}/messaging/{ACME}") as response:
        page, policy = await response.text(), response.headers["Content-Security-Policy"]

    assert 'href="https://app.example.com/"' in page
    assert "frame-ancestors 'self' https://app.example.com https://other.example.com;" in policy
    assert "frame-src https://chat.example.com;" in policy


async def test_without_a_chat_or_a_web_app_there_is_a_page_too(http: ClientSession) -> None:
    """The component in it says what is not configured."""
    async with serving(make_app(services(None))) as url, http.get(f"{url}/messaging/{ACME}") as response:
        page, policy = await response.text(), response.headers["Content-Security-Policy"]

    assert "<equa-messaging" in page
    assert 'class="back"' not in page
    assert "frame-src 'none';" in policy


@pytest.mark.parametrize(
    "address",
    ["acme", "1", ACME[:-1], f"{ACME}0", "%00", "%3Cscript%3E", f"{ACME}?channel=", f"{ACME}?channel=A%20B"],
)
async def test_a_wrong_address_is_told_in_plain_words(http: ClientSession, url: str, address: str) -> None:
    """It is no JSON that a person gets, and nothing of the address is repeated."""
    async with http.get(f"{url}/messaging/{address}") as response:
        page = await response.text()

    assert (response.status, response.content_type) == (400, "text/html")
    assert "There is no chat at this address" in page
    assert "equa-messaging" not in page
    assert "Content-Security-Policy" in response.headers


async def test_files_that_a_page_names_are_kept_for_ever(http: ClientSession, url: str) -> None:
    """Their address changes with their content."""
    async with http.get(f"{url}/messaging/{ACME}") as response:
        page = await response.text()
    for name in ("messaging.js", "messaging-page.js", "messaging-page.css", "messaging.svg"):
        asset = assets()[name]
        assert f'"{asset.url}"' in page
        async with http.get(url + asset.url) as response:
            assert await response.read() == asset.body
            assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize("query", ["", "?v=", "?v=0123456789abcdef"])
async def test_a_plain_address_is_asked_for_again_soon(http: ClientSession, url: str, query: str) -> None:
    """With the tag of what it has already a browser is told that nothing changed."""
    async with http.get(f"{url}/static/messaging.js{query}") as first:
        assert (first.status, first.content_type) == (200, "text/javascript")
        assert first.headers["Cache-Control"] == "public, max-age=300"
        tag = first.headers["ETag"]
    for known in (tag, f'"other", W/{tag}', "*"):
        async with http.get(f"{url}/static/messaging.js", headers={"If-None-Match": known}) as again:
            assert (again.status, await again.read()) == (304, b"")
            assert again.headers["ETag"] == tag
    async with http.get(f"{url}/static/messaging.js", headers={"If-None-Match": '"other"'}) as changed:
        assert changed.status == 200


async def test_another_origin_may_load_the_component(http: ClientSession, url: str) -> None:
    """A module of another origin is loaded with CORS, without cookies."""
    async with http.get(f"{url}/static/messaging.js", headers={"Origin": "https://a.example"}) as response:
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert response.headers["Cross-Origin-Resource-Policy"] == "cross-origin"


async def test_types_are_served_as_text(http: ClientSession, url: str) -> None:
    """By their ending they would be a video."""
    async with http.get(f"{url}/static/messaging.d.ts") as response:
        assert response.content_type == "text/plain"
        assert "EquaMessaging" in await response.text()


@pytest.mark.parametrize(
    "name", ["nothing.js", "..%2fpages.py", "%2e%2e%2fpages.py", "..%2ftemplates%2fmessaging.html"]
)
async def test_nothing_else_is_served(http: ClientSession, url: str, name: str) -> None:
    """Only the files of that folder, by their names."""
    async with http.get(f"{url}/static/{name}") as response:
        assert response.status == 404
        assert (await response.json())["error"] == "not_found"


def test_the_routes_are_described() -> None:
    """In the OpenAPI document, with every file by name."""
    paths = document(ROUTES)["paths"]

    assert "/messaging/{orgId}" in paths
    [name, _, _] = paths["/static/{name}"]["get"]["parameters"]
    assert set(name["schema"]["enum"]) == set(assets())
