"""What a browser makes of the page for a ticket that is not good."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from playwright.async_api import Page

from handlers.login_page import expired_page, policy, trouble_page
from tests.support.agent import serving
from tests.support.browser import errors_of, launched, violations
from tests.support.front import front

_PARENT = """<!doctype html><html lang="en"><title>Parent</title><script>
    window.heard = [];
    addEventListener("message", ({ data, origin }) => heard.push([origin, data]));
</script><iframe src="%s"></iframe></html>"""


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


async def test_the_page_around_it_is_told(dsn: str) -> None:
    """If it is one of ours; any other cannot even show the frame."""
    async with (
        parent() as (ours, our_frame),
        parent() as (theirs, their_frame),
        front(dsn, WEB_ORIGINS=f"https://app.example.com,{ours}") as door,
        launched() as browser,
    ):
        expired = str(door.client.make_url("/login/token").with_query(token="a" * 26))
        our_frame.append(expired)
        their_frame.append(expired)
        page = await browser.new_page()
        errors = errors_of(page)
        await page.goto(ours)
        await page.wait_for_function("heard.length > 0")

        origin = str(door.client.make_url("")).rstrip("/")
        assert await page.evaluate("heard") == [[origin, {"type": "equabot:login-expired"}]]
        assert errors == []
        assert await _shown(page) == "Please open Messaging again"

        await page.goto(theirs)
        assert await page.evaluate("heard") == []
        assert await _shown(page) != "Please open Messaging again"


async def _shown(page: Page) -> str:
    return await page.frames[-1].locator("h1").inner_text()


async def test_everybody_can_read_it(dsn: str) -> None:
    """In a tab of its own too, where it tells nobody."""
    async with front(dsn) as door, launched() as browser:
        page = await (await browser.new_context()).new_page()
        errors = errors_of(page)
        await page.goto(str(door.client.make_url("/login/token").with_query(token="x")))

        assert await _shown(page) == "Please open Messaging again"
        assert await violations(await _unbound(page)) == []
        assert errors == []


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


def test_without_origins_only_the_chat_may_frame_it() -> None:
    """And there is nobody to tell."""
    assert policy("n", []).endswith("frame-ancestors 'self'")
    assert "of [])" in expired_page("n", [])
