"""What the component asks for, shows and says, one state after the other."""

import asyncio

import pytest
from playwright.async_api import Page, expect

from tests.support.browser import stop_clock
from tests.support.messaging import (
    ACME,
    SANDBOX,
    Bridge,
    Reply,
    comes_to,
    component,
    element,
    heard,
    host,
    refusal,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_it_loads_and_then_shows_the_chat(page: Page, bridge: Bridge) -> None:
    """While the first visit is prepared there is a spinner; then the frame, signed in with the ticket."""
    release = asyncio.Event()
    bridge.replies = [Reply(release=release)]
    await page.goto(bridge.page_of(ACME))
    await expect(page.get_by_text("Opening Messaging…").last).to_be_visible()
    release.set()
    await comes_to(page, "ready")

    frame = component(page).locator("iframe")
    await expect(frame).to_be_visible()
    await expect(frame).to_have_attribute("sandbox", f"{SANDBOX} allow-downloads")
    await expect(frame).to_have_attribute("title", "Team chat: acme-corp")
    await expect(page.get_by_text("Opening Messaging…")).to_have_count(0)
    assert bridge.chat.logins == [
        {"token": "ticket00000000000000000001", "redirect_to": "/acme-corp/channels/town-square"}
    ]
    assert [event["state"] for event in await heard(page, "state")] == ["loading", "ready"]
    assert await heard(page, "ready") == [
        {"name": "ready", "baseUrl": bridge.chat.url, "teamName": "acme-corp", "mmUserId": "u" * 26}
    ]


@pytest.mark.parametrize("policy", ["no-referrer", "unsafe-url"])
async def test_it_asks_with_cookies_in_json_and_from_a_known_origin(
    page: Page, bridge: Bridge, policy: str
) -> None:
    """Whatever the page's referrer policy: with `Origin: null` the bridge would have to refuse."""
    bridge.host = host(element(), head=f'<meta name="referrer" content="{policy}">')
    await page.context.add_cookies([{"name": "connect.sid", "value": "s%3Aabc", "url": bridge.url}])
    await page.goto(f"{bridge.url}/host")
    await comes_to(page, "ready")

    asked = bridge.requests[0].headers
    assert bridge.asked == [ACME]
    assert asked["Content-Type"] == "application/json"
    assert asked["Cookie"] == "connect.sid=s%3Aabc"
    assert asked["Origin"] == bridge.url
    assert asked["Referer"] == f"{bridge.url}/"


@pytest.mark.parametrize(
    ("team", "channel", "redirect_to"),
    [
        ("acme-corp", "agent", "/acme-corp/channels/agent"),
        ("a&b=c/../d", "x?y#z", "/a%26b%3Dc%2F..%2Fd/channels/x%3Fy%23z"),
    ],
)
async def test_names_are_encoded(
    page: Page, bridge: Bridge, team: str, channel: str, redirect_to: str
) -> None:
    """What a team or channel is called changes neither the query nor the path around it."""
    session = {"token": "a+b&c", "baseUrl": f"{bridge.chat.url}/", "teamName": team, "mmUserId": ""}
    bridge.replies = [Reply(body=session)]
    bridge.host = host(element(channel=channel))
    await page.goto(f"{bridge.url}/host")
    await comes_to(page, "ready")

    assert bridge.chat.logins == [{"token": "a+b&c", "redirect_to": redirect_to}]


@pytest.mark.parametrize(
    ("status", "code", "title"),
    [
        (401, "not_signed_in", "You are not signed in"),
        (403, "not_a_member", "Only members can open this chat"),
        (409, "account_conflict", "Your chat account needs attention"),
        (500, "mattermost_not_configured", "Messaging is not set up yet"),
        (507, "mattermost_full", "The chat server is full"),
        (403, "forbidden_origin", "Messaging may not be opened from this page"),
        (400, "invalid_request", "This is not an organization"),
        (500, "internal_error", "Messaging could not be opened"),
        (502, "mattermost_refused", "Messaging could not be opened"),
    ],
)
async def test_it_says_what_is_wrong_and_tries_again_when_told_to(
    page: Page, bridge: Bridge, status: int, code: str, title: str
) -> None:
    """Every code has its sentence; what trying again does not mend is not tried by itself."""
    bridge.replies = [refusal(status, code)]
    await page.goto(bridge.page_of(ACME))
    await comes_to(page, "error")

    await expect(page.get_by_role("heading", name=title)).to_be_visible()
    await expect(component(page).get_by_role("status")).to_contain_text(title)
    [error] = await heard(page, "error")
    assert (error["code"], error["status"], error["retryIn"]) == (code, status, None)
    await page.get_by_role("button", name="Try again").click()
    await comes_to(page, "ready")
    assert len(bridge.asked) == 2


@pytest.mark.parametrize(
    ("status", "code", "title"),
    [
        (503, "mattermost_unavailable", "The chat is not available right now"),
        (503, "equa_unavailable", "Equa is not available right now"),
        (503, "database_unavailable", "Messaging is not available right now"),
        (503, "something_new", "Messaging could not be opened"),
        (429, "too_many_requests", "That was a little too often"),
    ],
)
async def test_what_will_pass_is_tried_again(
    page: Page, bridge: Bridge, status: int, code: str, title: str
) -> None:
    """Its sentence comes with a countdown, and with a button for the impatient."""
    bridge.replies = [refusal(status, code, Retry_After="300")]
    await page.goto(bridge.page_of(ACME))
    await comes_to(page, "waiting")

    await expect(page.get_by_role("heading", name=title)).to_be_visible()
    await expect(component(page).locator("[part=countdown]")).to_contain_text("Trying again in ")
    [error] = await heard(page, "error")
    assert (error["code"], error["status"]) == (code, status)
    assert 300 <= error["retryIn"] <= 301
    await page.get_by_role("button", name="Try now").click()
    await comes_to(page, "ready")


@pytest.mark.parametrize("code", ["account_conflict", "something_new"])
async def test_the_servers_own_sentence_is_shown_where_it_tells_more(
    page: Page, bridge: Bridge, code: str
) -> None:
    """It is text, whatever it contains."""
    bridge.replies = [refusal(409, code, "The account <b>ada</b> belongs to a bot.")]
    await page.goto(bridge.page_of(ACME))

    await expect(component(page).locator("[part=error]")).to_contain_text("<b>ada</b> belongs to a bot.")


@pytest.mark.parametrize(
    "body",
    [
        "<!doctype html><title>Sign in</title>",
        "",
        [],
        {"token": "t", "teamName": "acme-corp"},
        {"token": "", "baseUrl": "http://127.0.0.1", "teamName": "acme-corp"},
        {"token": "t", "baseUrl": "javascript:alert(1)//", "teamName": "acme-corp"},
        {"token": "t", "baseUrl": "/chat", "teamName": "acme-corp"},
        {"token": "t", "baseUrl": "http://127.0.0.1", "teamName": {"evil": True}},
    ],
)
async def test_an_answer_that_is_no_session_makes_no_frame(page: Page, bridge: Bridge, body: object) -> None:
    """A script as an address, above all, gets nowhere."""
    bridge.replies = [Reply(body=body)]
    await page.goto(bridge.page_of(ACME))
    await comes_to(page, "error")

    await expect(component(page).locator("iframe")).to_have_count(0)
    assert [error["code"] for error in await heard(page, "error")] == ["invalid_answer"]


@pytest.mark.parametrize(
    ("status", "state", "code"),
    [
        (401, "error", "not_signed_in"),
        (404, "error", "unexpected"),
        (500, "error", "unexpected"),
        (429, "waiting", "too_many_requests"),
        (502, "waiting", "unavailable"),
        (504, "waiting", "unavailable"),
    ],
)
async def test_a_proxys_answer_is_understood_by_its_status(
    page: Page, bridge: Bridge, status: int, state: str, code: str
) -> None:
    """What stands before the bridge answers with pages of its own."""
    bridge.replies = [Reply(status, "<html><h1>nginx</h1></html>")]
    await page.goto(bridge.page_of(ACME))
    await comes_to(page, state)

    assert [error["code"] for error in await heard(page, "error")] == [code]


async def test_a_connection_that_fails_is_tried_again(page: Page, bridge: Bridge) -> None:
    """As when somebody is offline for a moment."""
    await page.route("**/session", lambda route: route.abort())
    await page.goto(bridge.page_of(ACME))
    await comes_to(page, "waiting")
    await expect(page.get_by_role("heading", name="Messaging could not be reached")).to_be_visible()
    await page.unroute_all()
    await page.evaluate("dispatchEvent(new Event('online'))")
    await comes_to(page, "ready")

    assert [error["code"] for error in await heard(page, "error")] == ["network"]


async def test_a_server_that_does_not_answer_is_given_up(page: Page, bridge: Bridge) -> None:
    """After a minute; a first visit may take most of that."""
    bridge.replies = [Reply(release=asyncio.Event())]
    await stop_clock(page)
    await page.goto(bridge.page_of(ACME))
    await bridge.until(lambda: len(bridge.asked) == 1)
    await page.clock.run_for(59_000)
    await comes_to(page, "loading")
    await page.clock.run_for(1_500)
    await comes_to(page, "waiting")

    assert [error["code"] for error in await heard(page, "error")] == ["timeout"]


async def test_without_an_organization_nothing_is_asked(page: Page, bridge: Bridge) -> None:
    """As while a framework has not told it yet."""
    bridge.host = host(element(""))
    await page.goto(f"{bridge.url}/host")
    await expect(component(page).locator(".panel")).to_be_empty()
    await comes_to(page, "idle")
    await component(page).evaluate("(element, id) => { element.organization = id }", ACME)
    await comes_to(page, "ready")

    assert bridge.asked == [ACME]


async def test_a_page_can_ask_whether_there_is_a_chat(page: Page, bridge: Bridge) -> None:
    """Before it shows a link to Messaging; the API is a part of the module."""
    bridge.host = host()
    await page.context.add_cookies([{"name": "connect.sid", "value": "s%3Aabc", "url": bridge.url}])
    await page.goto(f"{bridge.url}/host")
    asking = "import('/static/messaging.js').then(({ MattermostApi }) => new MattermostApi().config())"
    config = await page.evaluate(asking)

    assert config == {"enabled": True, "baseUrl": bridge.chat.url}
    assert bridge.requests[0].headers["Cookie"] == "connect.sid=s%3Aabc"
