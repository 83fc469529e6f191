"""The page on the web app's host that says who is there, or what has to be done first."""

import json
from collections.abc import AsyncIterator

import pytest

from bridge.sandbox import demo_data
from bridge.sandbox.equa import Fault, away
from handlers.http.app_keys import Limits
from handlers.http.limits import RateLimiter
from tests.support.front import APP
from tests.support.sign_in import IN_FRAME, Browser, Hop, SignIn, signing_in


@pytest.fixture
async def equa(dsn: str) -> AsyncIterator[SignIn]:
    async with signing_in(dsn) as built:
        yield built


async def asked(browser: Browser) -> Hop:
    """Press the button on Mattermost's page and follow to the web app's host."""
    hops = await browser.press_button(until="/messaging/sign-in")
    return await browser.step(str(hops[-1].location))


async def test_who_is_not_signed_in_to_equa_is_told_where_and_goes_on(equa: SignIn) -> None:
    """The same address works once they are."""
    await equa.ticket()
    browser = equa.browser()

    page = await asked(browser)
    browser.sign_in_to_equa()
    hops = await browser.open(page.url)

    assert page.status == 401
    assert f'href="{APP}/login" target="_blank"' in page.text
    assert 'data-again="back"' in page.text
    assert hops[-1].status == 200
    assert await browser.me() == "ada"


async def test_nobody_may_frame_it(equa: SignIn) -> None:
    """And nothing remembers or passes on its address."""
    page = await asked(equa.browser())

    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "no-referrer"


async def test_in_a_frame_it_confirms_nobody(equa: SignIn) -> None:
    """Whatever a browser does about framing."""
    await equa.ticket()
    browser = equa.browser()
    browser.sign_in_to_equa()
    hops = await browser.press_button(until="/messaging/sign-in")
    browser.fetch = IN_FRAME

    page = await browser.step(str(hops[-1].location))

    assert (page.status, "Location" in page.headers) == (400, False)


async def test_who_is_no_member_hears_so(equa: SignIn) -> None:
    """Of no organization that has a team: nothing is made for them."""
    browser = equa.browser()
    browser.sign_in_to_equa()

    page = await asked(browser)

    assert page.status == 403
    assert "Only members can open this chat" in page.text
    assert not equa.front.chat.teams()


async def test_a_removed_member_hears_so(equa: SignIn) -> None:
    """As Equa says it, though no event has come."""
    await equa.ticket()
    browser = equa.browser()
    browser.sign_in_to_equa()
    equa.front.equa.store.remove_member(demo_data.ACME.id, demo_data.ADA.id)

    assert (await asked(browser)).status == 403
    assert await browser.me() is None


async def test_a_member_who_was_never_here_gets_an_account(equa: SignIn) -> None:
    """On the phone, without having opened Messaging in Equa before."""
    await equa.ticket()
    browser = equa.browser()
    browser.sign_in_to_equa(demo_data.BEN)

    hops = await browser.press_button()

    assert hops[-1].status == 200
    assert await browser.me() == "ben"


async def test_while_equa_is_away_it_tries_again(equa: SignIn) -> None:
    """It is never said that somebody is no member."""
    await equa.ticket()
    browser = equa.browser()
    browser.sign_in_to_equa()
    equa.front.equa.controls.fail(away())

    page = await asked(browser)

    assert page.status == 503
    assert f'data-again="{page.headers["Retry-After"]}"' in page.text


async def test_where_equas_list_goes_on_nobody_hears_that_they_are_no_member(equa: SignIn) -> None:
    """The organization may be on the next page; one on this page is enough."""
    browser = equa.browser()
    browser.sign_in_to_equa()
    route, body = "GET /organization", json.dumps({"organizations": [], "total": 40})
    unknown = equa.front.equa.controls.fail(Fault(200, body, route=route))

    assert (await asked(browser)).status == 503
    equa.front.equa.controls.clear()
    await equa.ticket()
    unknown.body = json.dumps({"organizations": [{"id": str(demo_data.ACME.id)}], "total": 40})
    equa.front.equa.controls.fail(unknown)
    assert (await browser.press_button())[-1].status == 200


async def test_who_asks_too_often_waits(dsn: str) -> None:
    """Each time costs Equa and Mattermost something."""
    async with signing_in(dsn, Limits(visits=RateLimiter(burst=1, per_second=0.01))) as equa:
        await equa.ticket()
        browser = equa.browser()
        browser.sign_in_to_equa()

        page = await asked(browser)

        assert page.status == 429
        assert int(page.headers["Retry-After"]) > 0


@pytest.mark.parametrize("query", ["", "?request=", "?request=" + "0" * 63, "?request=" + "G" * 64])
async def test_a_malformed_address_has_a_page(equa: SignIn, query: str) -> None:
    page = await equa.browser().step(f"{APP}/messaging/sign-in{query}")

    assert (page.status, page.headers["Content-Type"]) == (400, "text/html; charset=utf-8")
