"""A browser with a ticket, and one without, is signed in by Mattermost's own sign-in."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bridge.sandbox import demo_data
from handlers.http.app_keys import LIMITS, Limits
from tests.support.clock import Clock
from tests.support.front import APP, BOREALIS, CONFIG, PATIENT, front
from tests.support.mattermost import eventually
from tests.support.sign_in import AGENT, CHAT, COMPLETION, IN_FRAME, IN_TAB, SignIn, signing_in

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
    assert chat.keys() == {"MMAUTHTOKEN", "MMUSERID", "MMCSRF", "__Host-equabot-place"}
    assert chat["MMAUTHTOKEN"] not in equa.front.tokens()
    assert browser.cookies["chat.example.com"]["__Host-equabot-place"] == AGENT
    assert all(hop.headers["Cache-Control"] == "no-store" for hop in (hops[0], hops[2]))


async def test_a_browser_that_is_signed_in_goes_right_on(equa: SignIn) -> None:
    """With the session that it has: a new one at each visit would stay for weeks."""
    browser = equa.browser()
    await browser.enter(await equa.ticket())
    before = dict(browser.cookies["chat.example.com"])

    hops = await browser.enter(await equa.ticket())

    assert [hop.path for hop in hops] == ["/login/token", AGENT]
    assert browser.cookies["chat.example.com"] == before


async def test_a_new_name_in_equa_comes_with_a_new_session(equa: SignIn) -> None:
    """Only a sign-in can change it in Mattermost; the next visit goes right on again."""
    browser = equa.browser()
    await browser.enter(await equa.ticket())
    equa.front.equa.store.users[demo_data.ADA.id].last_name = "King"

    followed = await browser.enter(await equa.ticket())
    after = await browser.enter(await equa.ticket())

    assert [hop.path for hop in after] == ["/login/token", AGENT]
    assert COMPLETE in [hop.path for hop in followed]
    (ada,) = equa.front.chat.people()
    assert (ada.first_name, ada.last_name) == ("Ada", "King")


@pytest.mark.parametrize("cookie", ["of nobody", "of another", "the bridge's token", "no session token"])
async def test_any_other_cookie_gives_way_to_a_session(equa: SignIn, cookie: str) -> None:
    """One that has ended, one of somebody else, and the personal access token of before."""
    browser, ben = equa.browser(), equa.browser()
    await ben.enter(await equa.ticket(demo_data.BEN))
    ticket = await equa.ticket()
    values = {
        "of nobody": "a" * 26,
        "of another": ben.cookies["chat.example.com"]["MMAUTHTOKEN"],
        "the bridge's token": equa.front.tokens()[-1],
        "no session token": "x/../y",
    }
    browser.cookies["chat.example.com"] = {"MMAUTHTOKEN": values[cookie], "MMCSRF": "c"}

    hops = await browser.enter(ticket)

    assert hops[-2].path == COMPLETE
    assert await browser.me() == "ada"
    assert browser.cookies["chat.example.com"]["MMAUTHTOKEN"] not in values.values()


async def test_what_the_browser_keeps_is_for_the_chats_host_alone_and_for_a_minute(equa: SignIn) -> None:
    """No script sees it, and no neighbouring host can set it."""
    hop = (await equa.browser().enter(await equa.ticket(), until="/oauth/gitlab/login"))[-1]

    cookie = hop.headers["Set-Cookie"]
    name, _, rest = cookie.partition("=")
    assert name == "__Host-equabot-browser"
    assert rest.split("; ")[1:] == ["HttpOnly", "Max-Age=60", "Path=/", "SameSite=Lax", "Secure"]


async def test_the_button_goes_by_the_equa_session(equa: SignIn) -> None:
    """Over the web app's host, which knows who is there, and back."""
    await equa.ticket()
    browser = equa.browser()
    browser.sign_in_to_equa()

    hops = await browser.press_button()

    assert [hop.path for hop in hops] == [
        "/oauth/gitlab/login",
        "/login/equa/authorize",
        "/messaging/sign-in",
        "/login/equa/authorize",
        COMPLETE,
        AGENT,
    ]
    assert await browser.me() == "ada"
    assert not browser.cookies["chat.example.com"].keys() & {
        "__Host-equabot-browser",
        "__Host-equabot-request",
    }


async def test_a_ticket_in_the_address_signs_in_no_second_browser(equa: SignIn) -> None:
    """Nor does what the first one goes on with: it has the cookies."""
    ticket = await equa.ticket()
    first, second = equa.browser(), equa.browser(IN_FRAME)
    on_the_way = await first.enter(ticket, until=COMPLETE)

    for hop in on_the_way[:2]:
        assert (await second.open(hop.headers["Location"]))[-1].status in (400, 401)
    stolen = await second.open(on_the_way[-1].headers["Location"])

    assert stolen[-1].status == 400
    assert await second.me() is None
    assert (await first.open(on_the_way[-1].headers["Location"]))[-1].status == 200
    assert await first.me() == "ada"


async def test_a_code_of_one_person_is_refused_with_the_cookies_of_another(equa: SignIn) -> None:
    """Whether the state stays or is swapped too, and whoever begins."""
    ada, ben = equa.browser(), equa.browser()
    of_ada = (await ada.enter(await equa.ticket(), until=COMPLETE))[-1].location
    of_ben = (await ben.enter(await equa.ticket(demo_data.BEN), until=COMPLETE))[-1].location

    swapped = of_ada.update_query(state=of_ben.query["state"])

    assert (await ben.open(str(of_ada)))[-1].status == 400
    assert await ben.me() is None
    assert not await equa.may_complete(str(swapped))
    assert await equa.may_complete(str(of_ada))


async def test_a_state_that_was_written_anew_goes_no_further(equa: SignIn) -> None:
    """Mattermost would let the person into any team of which they know the id."""
    await equa.ticket(demo_data.DMITRI, BOREALIS.id)
    foreign = equa.front.chat.team("borealis-labs")
    browser = equa.browser()
    await browser.enter(await equa.ticket(), until="/login/equa/authorize")
    asked = (await browser.press_button(until="/login/equa/authorize"))[-1].location
    edited = written_anew(asked.query["state"], team_id=foreign.id)

    before = await browser.open(str(asked.update_query(state=edited)), until=COMPLETE)
    plain = (await browser.open(str(asked), until=COMPLETE))[-1].location
    after = plain.update_query(state=edited)

    assert before[-1].location.query["error"] == "access_denied"
    assert "code" in plain.query
    assert not await equa.may_complete(str(after))
    assert not await equa.may_complete(f"{plain}&state={edited}")
    assert not await equa.may_complete(str(plain.update_query(state="")))
    # Where nginx and Mattermost both pass over what a reader of addresses takes for a fragment.
    assert not await equa.may_complete(f"/signup/gitlab/complete?error=#&{after.raw_query_string}")
    assert await equa.may_complete(str(plain))
    # What the sandbox does without a proxy, as a real server does: the reason for all of this.
    assert (await browser.open(str(after)))[-1].status == 200
    assert equa.front.chat.is_in(foreign, equa.front.chat.people()[-1])


async def test_whose_account_has_become_an_administrators_hears_it(equa: SignIn) -> None:
    """By ticket and by button, before Mattermost is asked, which has no sentence for it."""
    await equa.ticket()
    (ada,) = equa.front.chat.people()
    ada.roles = "system_user system_admin"
    browser = equa.browser()
    browser.sign_in_to_equa()

    for hops in (await browser.enter(await equa.ticket()), await browser.press_button()):
        assert hops[-1].status == 409
        assert "an administrator&#x27;s" in hops[-1].text
    assert await browser.me() is None


async def test_a_name_in_another_spelling_is_the_same_name(equa: SignIn) -> None:
    """Mattermost reads the path as the server behind it does."""
    browser = equa.browser()
    plain = (await browser.enter(await equa.ticket(), until=COMPLETE))[-1].location
    elsewhere = plain.update_query(state=written_anew(plain.query["state"], redirect_to="//evil.example"))

    for path in ("/signup/%67itlab/complete", "/signup%2fgitlab/complete", "/login/g%69tlab/complete"):
        assert await equa.may_complete(f"{path}?{plain.raw_query_string}")
        assert not await equa.may_complete(f"{path}?{elsewhere.raw_query_string}")


async def test_a_state_in_the_browsers_own_cookie_is_looked_at_again(equa: SignIn) -> None:
    """Whoever owns the browser can change it there too."""
    await equa.ticket()
    browser = equa.browser()
    browser.sign_in_to_equa()
    place = str((await browser.press_button(until="/messaging/sign-in"))[-1].location)
    jar = browser.cookies["chat.example.com"]
    nonce, _, state = jar["__Host-equabot-request"].partition(".")
    plain = base64.urlsafe_b64decode(state + "==").decode()
    edited = written_anew(plain, team_id="x" * 26)
    jar["__Host-equabot-request"] = f"{nonce}.{base64.urlsafe_b64encode(edited.encode()).decode()}"

    last = (await browser.open(place))[-1]

    assert (last.path, last.status) == ("/login/equa/authorize", 401)


def written_anew(state: str, **changes: str) -> str:
    props = json.loads(base64.b64decode(state))
    return base64.b64encode(json.dumps(props | changes).encode()).decode()


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uri": "https://evil.example/signup/gitlab/complete"},
        {"redirect_uri": f"{CHAT}/signup/gitlab/complete/"},
        {"redirect_uri": f"{CHAT}/signup/gitlab/complete?x"},
        {"redirect_uri": ""},
        {"client_id": "somebody-else"},
        {"client_id": ""},
    ],
)
async def test_nobody_is_sent_to_an_address_that_is_not_registered(
    equa: SignIn, changes: dict[str, str]
) -> None:
    """RFC 6749 section 4.1.2.1; what the browser has stays good."""
    browser = equa.browser()
    asked = (await browser.enter(await equa.ticket(), until="/login/equa/authorize"))[-1].location

    refused = (await browser.open(str(asked.update_query(changes))))[-1]

    assert (refused.status, "Location" in refused.headers) == (403, False)
    assert "evil" not in refused.text
    assert (await browser.open(str(asked)))[-1].status == 200
    assert await browser.me() == "ada"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": ""}, "invalid_request"),
        ({"scope": "api"}, "invalid_scope"),
        ({"state": ""}, "access_denied"),
    ],
)
async def test_other_mistakes_go_back_to_mattermost(
    equa: SignIn, changes: dict[str, str], error: str
) -> None:
    """With the state, and without a code."""
    browser = equa.browser()
    asked = (await browser.enter(await equa.ticket(), until="/login/equa/authorize"))[-1].location

    answer = (await browser.step(str(asked.update_query(changes)))).location

    assert str(answer.with_query(None)) == COMPLETION
    assert answer.query["error"] == error
    assert answer.query.get("state", "") == changes.get("state", asked.query["state"])
    assert "code" not in answer.query


async def test_a_link_that_somebody_else_has_begun_signs_in_nobody(equa: SignIn) -> None:
    """Neither the one who began nor the one who was lured: each step belongs to one browser."""
    await equa.ticket()
    mallory, ada = equa.browser(), equa.browser()
    ada.sign_in_to_equa()
    lure = (await mallory.press_button(until="/messaging/sign-in"))[-1].location

    lured = await ada.open(str(lure))
    stolen = await mallory.open(lured[1].url)

    assert [hop.path for hop in lured] == ["/messaging/sign-in", "/login/equa/authorize"]
    assert [lured[-1].status, stolen[-1].status] == [401, 401]
    assert [await ada.me(), await mallory.me()] == [None, None]


async def test_two_browsers_of_one_person_do_not_disturb_each_other(equa: SignIn) -> None:
    """Each has a session of its own."""
    laptop, phone = equa.browser(), equa.browser()
    for browser in (laptop, phone):
        await browser.enter(await equa.ticket())

    assert [await laptop.me(), await phone.me()] == ["ada", "ada"]
    assert laptop.cookies != phone.cookies


async def test_of_two_people_in_one_browser_the_last_one_is_signed_in(equa: SignIn) -> None:
    browser = equa.browser()
    for account in (demo_data.ADA, demo_data.BEN):
        await browser.enter(await equa.ticket(account))

    assert await browser.me() == "ben"


async def test_in_a_frame_the_page_around_it_is_told(equa: SignIn) -> None:
    """It brings a new ticket; a frame is not sent to the web app's page, which nobody may frame."""
    hops = await equa.browser(IN_FRAME).press_button()

    assert [hop.path for hop in hops] == ["/oauth/gitlab/login", "/login/equa/authorize"]
    assert hops[-1].status == 401
    assert "equabot:login-expired" in hops[-1].text
    assert f'["{APP}"]' in hops[-1].text
    assert "Set-Cookie" not in hops[-1].headers


async def test_where_a_browser_does_not_say_what_it_loads_the_page_finds_out(equa: SignIn) -> None:
    """An old browser, or plain HTTP: in a tab it goes on, in a frame it tells the page around it."""
    last = (await equa.browser({}).press_button())[-1]

    assert last.status == 200
    assert "equabot:login-expired" in last.text
    assert f'location.replace("{APP}/messaging/sign-in?request=' in last.text


async def test_a_cookie_that_is_there_twice_counts_as_none(equa: SignIn) -> None:
    """A neighbouring host could have set one of them."""
    browser = equa.browser()
    asked = (await browser.enter(await equa.ticket(), until="/login/equa/authorize"))[-1].location
    ((name, value),) = [
        pair for pair in browser.cookies["chat.example.com"].items() if pair[0].startswith("__Host-")
    ]
    headers = {"Cookie": f"{name}=x; {name}={value}", "X-Forwarded-Proto": "https", **IN_TAB}

    response = await equa.front.client.get(asked.path_qs, headers=headers, allow_redirects=False)

    assert response.headers["Location"].startswith(f"{APP}/messaging/sign-in")


async def test_a_phone_gets_its_session_by_its_own_address(equa: SignIn) -> None:
    """The steps of Mattermost's mobile app."""
    await equa.ticket()
    browser = equa.browser()
    browser.sign_in_to_equa()

    hops = await browser.open(f"{CHAT}/oauth/gitlab/mobile_login?redirect_to=mmauth://callback")

    assert (hops[-1].path, hops[-1].status) == (COMPLETE, 200)
    assert "mmauth://callback?MMAUTHTOKEN=" in hops[-1].text


async def test_the_desktop_app_gets_a_session_by_the_browser(equa: SignIn) -> None:
    """The steps of Mattermost's desktop app, which opens them in a browser."""
    await equa.ticket()
    browser = equa.browser()
    browser.sign_in_to_equa()

    hops = await browser.open(f"{CHAT}/oauth/gitlab/login?desktop_token=dev-1&redirect_to={AGENT}")

    assert (hops[-1].path, hops[-1].status) == ("/login/desktop", 200)
    assert hops[-1].query["client_token"] == "dev-1"
    user_id, _ = equa.front.chat.store.desktop_tokens[hops[-1].query["server_token"]]
    assert equa.front.chat.user(user_id).username == "ada"


async def test_while_the_database_is_away_a_page_tries_again(equa: SignIn) -> None:
    """What the browser has is not lost."""
    browser = equa.browser()
    asked = (await browser.enter(await equa.ticket(), until="/login/equa/authorize"))[-1].location
    await equa.front.pool.close()

    last = await browser.step(str(asked))

    assert (last.status, last.headers["Retry-After"]) == (503, "5")
    assert "equabot:login-failed" in last.text
    assert "Set-Cookie" not in last.headers


async def test_the_token_itself_leads_there_too(dsn: str) -> None:
    """In the customer's first design it is in the address; the browser gets a session all the same."""
    async with signing_in(dsn, SESSION_TOKEN="pat") as equa:
        browser = equa.browser()
        pat = await equa.ticket()

        hops = await browser.enter(pat)

        assert hops[-1].status == 200
        assert await browser.me() == "ada"
        assert browser.cookies["chat.example.com"]["MMAUTHTOKEN"] != pat


async def test_what_waits_for_the_database_leaves_it_to_others(dsn: str) -> None:
    """However many browsers bring cookies that are good for nothing."""
    time_passes = Clock()
    async with signing_in(dsn, Limits(timeouts=replace(PATIENT, login=20))) as equa:
        browser = equa.browser()
        asked = (await browser.enter(await equa.ticket(), until="/login/equa/authorize"))[-1].location
        async with equa.front.pool.acquire() as held, held.transaction():
            await held.execute("lock table sign_ins")
            async with asyncio.TaskGroup() as group:
                waiting = [group.create_task(browser.step(str(asked))) for _ in range(30)]
                queue = equa.front.app[LIMITS].tickets.queue
                await eventually(lambda: len(queue) == 26)
                config = await equa.front.client.get(CONFIG, headers={"Cookie": equa.front.cookie()})
                await time_passes.passes(20)

        assert config.status == 200
        assert {each.result().status for each in waiting} == {503}


async def test_without_the_secret_there_is_no_provider(dsn: str) -> None:
    """Sign-in is as before, and each route says so."""
    async with front(dsn) as door:
        paths = ("/login/equa/authorize", "/login/equa/user", "/messaging/sign-in?request=" + "0" * 64)
        responses = [await door.client.get(path) for path in paths]

        assert [response.status for response in responses] == [500] * 3


@pytest.mark.parametrize(
    ("site", "attributes"),
    [
        ("cross-site", "SameSite=None; Secure; Partitioned"),
        ("same-site", "SameSite=Lax; Secure"),
    ],
)
async def test_in_a_frame_of_another_site_the_cookie_is_one_that_browsers_keep(
    equa: SignIn, site: str, attributes: str
) -> None:
    browser = equa.browser({**IN_FRAME, "Sec-Fetch-Site": site})

    hops = await browser.enter(await equa.ticket())

    assert hops[0].headers["Set-Cookie"].endswith(f"; Path=/; {attributes}")
    assert await browser.me() == "ada"
