"""What a browser makes of the pages of a link that does not sign it in."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import BrowserContext, Page

from handlers.http.app_keys import Limits
from handlers.http.limits import RateLimiter, TicketLimits
from handlers.http.login_page import expired_page, passing_page, policy, trouble_page
from tests.support.agent import serving
from tests.support.browser import Tabs, violations
from tests.support.front import APP, front

_PARENT = """<!doctype html><html lang="en"><title>Parent</title><script>
    window.heard = [];
    addEventListener("message", ({ data, origin }) => heard.push([origin, data]));
</script><iframe src="%s"></iframe></html>"""


_IN_A_BROWSER = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def page(tabs: Tabs) -> AsyncIterator[Page]:
    async with tabs.page() as opened:
        yield opened


@asynccontextmanager
async def parent() -> AsyncIterator[tuple[str, list[str]]]:
    """Serve a page of another origin that frames what the list holds."""
    framed: list[str] = []

    async def page(_: web.Request) -> web.Response:
        return web.Response(text=_PARENT % framed[-1], content_type="text/html")

    app = web.Application()
    app.add_routes([web.get("/", page)])
    async with serving(app) as url:
        yield url, framed


@_IN_A_BROWSER
async def test_the_page_around_it_is_told(dsn: str, page: Page) -> None:
    """If it is one of ours; any other cannot even show the frame."""
    async with (
        parent() as (ours, our_frame),
        parent() as (theirs, their_frame),
        front(dsn, WEB_ORIGINS=f"https://app.example.com,{ours}") as door,
    ):
        expired = str(door.client.make_url("/login/token").with_query(token="a" * 26))
        our_frame.append(expired)
        their_frame.append(expired)
        await page.goto(ours)
        await page.wait_for_function("heard.length > 0")

        origin = str(door.client.make_url("")).rstrip("/")
        assert await page.evaluate("heard") == [[origin, {"type": "equabot:login-expired"}]]
        assert await _shown(page) == "Please open Messaging again"

        async with page.expect_event("requestfailed") as refused:
            await page.goto(theirs)
        assert (await refused.value).failure == "net::ERR_BLOCKED_BY_RESPONSE"
        assert await page.evaluate("heard") == []
        assert page.frames[-1].url == "chrome-error://chromewebdata/"


async def _shown(page: Page) -> str:
    return await page.frames[-1].locator("h1").inner_text()


@_IN_A_BROWSER
async def test_the_page_around_it_is_told_of_what_passes(dsn: str, page: Page) -> None:
    """And when to come back."""
    strict = TicketLimits(RateLimiter(burst=1, per_second=0.002))
    async with (
        parent() as (ours, frame),
        front(dsn, Limits(tickets=strict), WEB_ORIGINS=ours) as door,
    ):
        assert (await door.login("a" * 26)).status == 401
        frame.append(str(door.client.make_url("/login/token").with_query(token="b" * 26)))
        await page.goto(ours)
        await page.wait_for_function("heard.length > 0")

        [[origin, message]] = await page.evaluate("heard")
        assert origin == str(door.client.make_url("")).rstrip("/")
        assert message["type"] == "equabot:login-failed"
        assert 400 <= message["retryAfter"] <= 500
        assert await _shown(page) == "Signing in did not work"


async def test_of_what_stays_nobody_is_told(dsn: str) -> None:
    """Trying again would not help."""
    async with front(dsn) as door:
        refused = await door.login("a" * 26, "//evil.example", Accept="text/html")

        assert refused.status == 400
        assert "<script" not in await refused.text()


@_IN_A_BROWSER
async def test_who_follows_a_strange_link_decides_who_they_are(dsn: str, page: Page) -> None:
    """They stay who they are, or go on; the ticket is used up only then."""
    async with (
        parent() as (elsewhere, _),
        front(dsn, MATTERMOST_PUBLIC_URL="http://127.0.0.1") as door,
    ):
        context = page.context
        ticket = await door.ticket()
        chat = door.client.make_url("/")
        await context.add_cookies([{"name": "MMAUTHTOKEN", "value": "of-ada", "url": str(chat)}])
        await _follow(page, elsewhere, f"{chat}login/token?token={ticket}&redirect_to=/healthz")

        assert await _shown(page) == "You are signed in already"
        assert await violations(await _unbound(page)) == []
        assert await _token(context) == "of-ada"
        await page.reload()
        assert await _shown(page) == "You are signed in already"
        await page.get_by_role("link", name="Continue").click()
        await page.wait_for_url(f"{chat}healthz")
        assert [await _token(context)] == door.tokens()


async def _follow(page: Page, elsewhere: str, link: str) -> None:
    """Click on a link in a page of another site; to a browser "localhost" is one."""
    await page.goto(elsewhere.replace("127.0.0.1", "localhost"))
    await page.evaluate("(link) => document.body.innerHTML = `<a href='${link}'>Look</a>`", link)
    await page.get_by_role("link").click()
    await page.wait_for_url(link)


async def _token(context: BrowserContext) -> str | None:
    values = {cookie.get("name"): cookie.get("value") for cookie in await context.cookies()}
    return values.get("MMAUTHTOKEN")


@_IN_A_BROWSER
async def test_everybody_can_read_it(dsn: str, page: Page) -> None:
    """In a tab of its own too, where it tells nobody."""
    async with front(dsn) as door:
        await page.goto(str(door.client.make_url("/login/token").with_query(token="x")))

        assert await _shown(page) == "Please open Messaging again"
        assert await violations(await _unbound(page)) == []


async def _unbound(page: Page) -> Page:
    """Return a page with the same content and no policy, in which a checker may run."""
    content = await page.content()
    bare = await page.context.new_page()
    await bare.set_content(content)
    return bare


def test_no_origin_can_end_the_script() -> None:
    """Whatever was configured."""
    text = expired_page("n", ["https://x</script><script>alert(1)</script>"])

    assert text.count("<script") == 1
    (listed,) = re.findall(r"of (\[.*?\])\) if", text)
    assert json.loads(listed) == ["https://x</script><script>alert(1)</script>"]


def test_a_sentence_is_no_markup() -> None:
    """Of whomever it is."""
    assert "<b>" not in trouble_page("<b>Mattermost</b>")
    assert "<b>" not in passing_page("<b>Mattermost</b>", 5, "n", [])


def test_without_origins_only_the_chat_may_frame_it() -> None:
    """And there is nobody to tell."""
    assert policy("n", []).endswith("frame-ancestors 'self'")
    assert "of [])" in expired_page("n", [])


async def test_a_page_tries_storage_and_signs_nobody_in(dsn: str) -> None:
    """It needs no ticket, takes none, and tells only pages that may frame the chat."""
    async with front(dsn) as door:
        ticket = await door.ticket()
        for token in ("", ticket):
            response = await door.client.get("/login/token", params={"check": "storage", "token": token})
            page = await response.text()

            assert (response.status, response.content_type) == (200, "text/html")
            assert "Set-Cookie" not in response.headers
            assert f'["{APP}"]' in page
            assert f"frame-ancestors 'self' {APP}" in response.headers["Content-Security-Policy"]

        assert (await door.login(ticket)).status == 303
