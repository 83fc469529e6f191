"""Signing in with Equa, through the proxy: the bridge, Mattermost and nginx as a deployment has them."""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bridge.sandbox import demo_data
from tests.support.front import APP, BOREALIS
from tests.support.nginx import serving
from tests.support.programs import required_program
from tests.support.sign_in import AGENT, IN_FRAME, IN_TAB, Browser, SignIn, signing_in

COMPLETE = "/signup/gitlab/complete"
AWAY = "http://127.0.0.1:1"


@pytest.fixture
async def equa(dsn: str) -> AsyncIterator[SignIn]:
    async with signing_in(dsn) as built:
        yield built


@asynccontextmanager
async def behind_a_proxy(
    equa: SignIn, tmp_path: Path, *, frame: bool = False, embed: str = "same"
) -> AsyncIterator[Browser]:
    """Give a browser that reaches the chat through nginx."""
    environment = {
        "MATTERMOST_UPSTREAM": equa.front.chat.server.url,
        "BRIDGE_UPSTREAM": str(equa.front.client.make_url("")).rstrip("/"),
        "FRAME_ANCESTORS": APP,
        "EMBED_SITE": embed,
    }
    site = "cross-site" if embed == "cross" else "same-site"
    browser = equa.browser({**(IN_FRAME if frame else IN_TAB), "Sec-Fetch-Site": site})
    async with serving(required_program("nginx"), tmp_path, environment) as nginx:
        browser.proxy = nginx.url
        yield browser


@pytest.mark.parametrize(("embed", "frame"), [("same", True), ("cross", True), ("same", False)])
async def test_a_visit_a_sign_out_and_back(equa: SignIn, tmp_path: Path, embed: str, *, frame: bool) -> None:
    """In a frame the page around it brings the new ticket; in a tab the Equa session is enough."""
    async with behind_a_proxy(equa, tmp_path, frame=frame, embed=embed) as browser:
        first = await browser.enter(await equa.ticket())
        assert await browser.me() == "ada"
        returning = await browser.enter(await equa.ticket())
        for name in ("MMAUTHTOKEN", "MMUSERID", "MMCSRF"):
            del browser.cookies["chat.example.com"][name]
        browser.sign_in_to_equa()
        back = await browser.press_button()
        if frame:
            assert "equabot:login-expired" in back[-1].text
            back = await browser.enter(await equa.ticket())

        assert await browser.me() == "ada"
    assert [len(first), len(returning)] == [5, 2]
    assert [hops[-1].path for hops in (first, returning, back)] == [AGENT] * 3
    assert all(hop.status < 400 for hops in (first, returning, back) for hop in hops)


async def test_a_mattermost_that_forgets_the_place_is_helped(equa: SignIn, tmp_path: Path) -> None:
    """As 11.6 does: the proxy knows where the browser wanted to go, from a cookie of the bridge's."""
    equa.front.chat.store.settings.version = "11.6.0"
    async with behind_a_proxy(equa, tmp_path, frame=True) as browser:
        hops = await browser.enter(await equa.ticket())

        assert hops[-1].path == AGENT
        assert await browser.me() == "ada"


async def test_a_state_that_names_a_team_leads_into_none(equa: SignIn, tmp_path: Path) -> None:
    """Whichever of the redirects a person edits."""
    await equa.ticket(demo_data.DMITRI, BOREALIS.id)
    foreign = equa.front.chat.team("borealis-labs")
    async with behind_a_proxy(equa, tmp_path) as browser:
        plain = (await browser.enter(await equa.ticket(), until=COMPLETE))[-1].location
        props = {**json.loads(base64.b64decode(plain.query["state"])), "team_id": foreign.id}
        edited = base64.b64encode(json.dumps(props).encode()).decode()

        refused = (await browser.open(str(plain.update_query(state=edited))))[-1]

        assert (refused.path, refused.status) == (COMPLETE, 403)
        assert "equabot:login-failed" in refused.text
        assert await browser.me() is None
    people = [user for user in equa.front.chat.people() if user.username == "ada"]
    assert not any(equa.front.chat.is_in(foreign, user) for user in people)


async def test_while_mattermost_does_not_reach_the_bridge_a_page_says_so(
    equa: SignIn, tmp_path: Path
) -> None:
    """And the next try works."""
    async with behind_a_proxy(equa, tmp_path, frame=True) as browser:
        equa.front.chat.set("GitLabSettings", UserAPIEndpoint=AWAY)
        failed = (await browser.enter(await equa.ticket()))[-1]
        equa.connect(equa.front)
        done = (await browser.enter(await equa.ticket()))[-1]

    assert (failed.path, failed.status, done.path) == (COMPLETE, 500, AGENT)
    assert "equabot:login-failed" in failed.text
