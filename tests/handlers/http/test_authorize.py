"""A browser with a ticket, and one without, is signed in by Mattermost's own sign-in."""

from collections.abc import AsyncIterator

import pytest

from tests.support.sign_in import AGENT, SignIn, signing_in

COMPLETE = "/signup/gitlab/complete"


@pytest.fixture
async def equa(dsn: str) -> AsyncIterator[SignIn]:
    async with signing_in(dsn) as built:
        yield built


async def test_a_ticket_leads_to_a_session_of_mattermost(equa: SignIn) -> None:
    """Three redirects later; the session is an ordinary one, and the token stays with the bridge."""
    browser = equa.browser()

    hops = await browser.enter(await equa.ticket())

    assert [hop.path for hop in hops] == [
        "/login/token",
        "/oauth/gitlab/login",
        "/login/equa/authorize",
        COMPLETE,
        AGENT,
    ]
    assert await browser.me() == "ada"
    chat = browser.cookies["chat.example.com"]
    assert chat.keys() == {"MMAUTHTOKEN", "MMUSERID", "MMCSRF"}
    assert chat["MMAUTHTOKEN"] not in equa.front.tokens()
    assert all(hop.headers["Cache-Control"] == "no-store" for hop in (hops[0], hops[2]))


async def test_what_the_browser_keeps_is_for_the_chats_host_alone_and_for_a_minute(equa: SignIn) -> None:
    """No script sees it, and no neighbouring host can set it."""
    hop = (await equa.browser().enter(await equa.ticket(), until="/oauth/gitlab/login"))[-1]

    cookie = hop.headers["Set-Cookie"]
    name, _, rest = cookie.partition("=")
    assert name == "__Host-equabot-browser"
    assert rest.split("; ")[1:] == ["HttpOnly", "Max-Age=60", "Path=/", "SameSite=Lax", "Secure"]
