"""A ticket becomes Mattermost's cookies, once."""

import asyncio
import re
from collections.abc import AsyncIterator
from http.cookies import Morsel, SimpleCookie

import pytest
from aiohttp import ClientResponse, ClientSession, DummyCookieJar
from yarl import URL

from bridge.sandbox import demo_data
from handlers.http.mattermost_cookies import MAX_AGE
from tests.support.api import Lines
from tests.support.front import ACME, APP, BOREALIS, Front, front

PLACE = "/acme-corp/channels/agent"
PAGE = {"Accept": "text/html,application/xhtml+xml"}
FRAMED = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "iframe"}


@pytest.fixture
async def door(dsn: str) -> AsyncIterator[Front]:
    async with front(dsn) as built:
        yield built


def cookies(response: ClientResponse) -> dict[str, Morsel[str]]:
    """Return what was set, by name."""
    read: SimpleCookie = SimpleCookie()
    for header in response.headers.getall("Set-Cookie", ()):
        read.load(header)
    return dict(read)


async def test_a_ticket_signs_a_browser_in(door: Front) -> None:
    """It goes on to the place that it asked for, with cookies that Mattermost takes."""
    response = await door.login(await door.ticket(), PLACE)

    assert (response.status, response.headers["Location"]) == (303, PLACE)
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert await response.read() == b""
    (ada,) = door.chat.people()
    token, user = cookies(response)["MMAUTHTOKEN"], cookies(response)["MMUSERID"]
    assert ([token.value], user.value) == (door.tokens(), ada.id)
    assert token["httponly"]
    assert not user["httponly"]  # the web app reads it
    assert {"MMAUTHTOKEN", "MMUSERID"} == cookies(response).keys()
    for cookie in (token, user):
        assert (cookie["path"], cookie["samesite"], cookie["secure"]) == ("/", "Lax", True)
        assert (cookie["domain"], cookie["max-age"]) == ("", str(MAX_AGE))
    assert (await _asked_as(door, token.value)) == "ada"


async def _asked_as(door: Front, token: str) -> str:
    """Ask Mattermost, as a browser with the cookie does, who that is."""
    url, headers = f"{door.chat.server.url}/api/v4/users/me", {"Cookie": f"MMAUTHTOKEN={token}"}
    async with ClientSession() as session, session.get(url, headers=headers) as response:
        assert response.status == 200
        name: str = (await response.json())["username"]
        return name


async def test_without_a_place_the_browser_goes_to_the_team_of_the_ticket(door: Front) -> None:
    """Dmitri is in two."""
    for company, team in ((BOREALIS, "borealis-labs"), (ACME, "acme-corp")):
        ticket = await door.ticket(demo_data.DMITRI, company.id)
        response = await door.login(ticket, "" if company is ACME else None)
        assert response.headers["Location"] == f"/{team}/channels/town-square"


async def test_a_ticket_is_good_once(door: Front) -> None:
    """Of many that show it at once one is signed in."""
    ticket = await door.ticket()

    responses = await asyncio.gather(*(door.login(ticket, PLACE) for _ in range(8)))

    assert sorted(response.status for response in responses) == [303, *[401] * 7]
    assert sum("Set-Cookie" in response.headers for response in responses) == 1


@pytest.mark.parametrize(
    "token", ["", "a" * 26, "short", "A" * 26, "a" * 26 + "\n", "ä" * 26, "a" * 5000, "\x00"]
)
async def test_what_is_no_ticket_gets_a_page_and_no_cookie(door: Front, token: str) -> None:
    """The page says what to do, to the person and to the page around it."""
    response = await door.login(token, PLACE)

    assert response.status == 401
    assert response.content_type == "text/html"
    assert "Set-Cookie" not in response.headers
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    text = await response.text()
    assert "Open Messaging in Equa again" in text
    assert f'["{APP}"]' in text
    assert "equabot:login-expired" in text


async def test_without_a_token_the_page_is_the_same(door: Front) -> None:
    """Somebody has cut the address short."""
    assert (await door.client.get("/login/token", allow_redirects=False)).status == 401


async def test_an_expired_ticket_gets_the_page(door: Front) -> None:
    """A minute is what it has."""
    ticket = await door.ticket()
    await door.pool.execute("update tickets set expires = expires - interval '61 seconds'")

    assert (await door.login(ticket)).status == 401


async def test_the_page_allows_its_own_script_and_its_framing_only(door: Front) -> None:
    """With a nonce that is never the same."""
    one, two = [await door.login("x") for _ in range(2)]

    policies = [response.headers["Content-Security-Policy"] for response in (one, two)]
    pattern = (
        rf"default-src 'none'; script-src 'nonce-([\w-]{{16,}})'; frame-ancestors 'self' {re.escape(APP)}"
    )
    nonces = [match[1] for policy in policies if (match := re.fullmatch(pattern, policy))]
    assert len(set(nonces)) == 2
    assert f'<script nonce="{nonces[0]}">' in await one.text()
    assert not re.search(r"(src|href)=\"?[^\" >]", await one.text())


async def test_the_page_is_the_same_for_everybody(door: Front) -> None:
    """Nothing of the request comes back in it."""
    response = await door.login("<script>alert(1)</script>", "/" + "b" * 40)

    text = await response.text()
    assert "alert" not in text
    assert "bbb" not in text


async def test_head_uses_no_ticket_up(door: Front) -> None:
    """Scanners of links ask so, and nobody would be signed in."""
    ticket = await door.ticket()

    response = await door.client.head("/login/token", params={"token": ticket}, allow_redirects=False)

    assert (response.status, "Set-Cookie" in response.headers) == (405, False)
    assert (await door.login(ticket)).status == 303


@pytest.mark.parametrize(
    "place", ["//evil.example", "https://evil.example", "/%2f/evil.example", "/\\evil", "x"]
)
async def test_a_place_elsewhere_is_refused_and_the_ticket_stays_good(door: Front, place: str) -> None:
    """It is looked at first."""
    ticket = await door.ticket()

    response = await door.login(ticket, place)

    assert (response.status, (await response.json())["error"]) == (400, "invalid_request")
    assert "Set-Cookie" not in response.headers
    assert "Location" not in response.headers
    assert (await door.login(ticket, PLACE)).status == 303


async def test_a_browser_reads_a_page_and_not_json(door: Front) -> None:
    """Also about a place that is refused."""
    response = await door.login("x", "//evil.example", Accept=PAGE["Accept"])

    assert (response.status, response.content_type) == (400, "text/html")
    assert "Try again" in await response.text()
    assert "evil" not in await response.text()


async def test_nobody_needs_a_referrer(door: Front) -> None:
    """Pages may keep theirs to themselves; what else a browser tells makes no difference."""
    shown: list[dict[str, str]] = [{}, {"Referer": "https://evil.example/"}, {"Sec-Fetch-Site": "none"}, PAGE]
    for headers in shown:
        assert (await door.login(await door.ticket(), PLACE, **headers)).status == 303


OPENED = {"Sec-Fetch-Dest": "document", "Sec-Fetch-Mode": "navigate"}
SIGNED_IN = {"Cookie": "MMUSERID=u; MMAUTHTOKEN=of-somebody"}


async def test_a_link_from_elsewhere_asks_first_who_is_signed_in(door: Front) -> None:
    """It may be made for somebody else; until they go on, the ticket stays good and no cookie is set."""
    ticket = await door.ticket()

    asked = await door.login(ticket, PLACE, **OPENED, **SIGNED_IN, Sec_Fetch_Site="cross-site")
    gone_on = await door.login(ticket, PLACE, **OPENED, **SIGNED_IN, Sec_Fetch_Site="same-origin")

    assert (asked.status, asked.content_type) == (200, "text/html")
    assert "You are signed in already" in await asked.text()
    assert ticket not in await asked.text()
    assert "Set-Cookie" not in asked.headers
    assert asked.headers["Cache-Control"] == "no-store"
    assert asked.headers["Referrer-Policy"] == "no-referrer"
    assert "default-src 'none'" in asked.headers["Content-Security-Policy"]
    assert (gone_on.status, gone_on.headers["Location"]) == (303, PLACE)


@pytest.mark.parametrize("home", ["/", "/chat/"])
async def test_who_is_asked_can_stay_as_they_are(dsn: str, home: str) -> None:
    """The other link leads to the chat, wherever that is."""
    async with front(dsn, MATTERMOST_PUBLIC_URL=f"https://example.com{home}") as door:
        asked = await door.login("a" * 26, PLACE, **OPENED, **SIGNED_IN, Sec_Fetch_Site="none")

        assert f'<a href="{home}">Stay signed in' in await asked.text()


async def test_the_web_app_opens_a_tab_without_a_question(door: Front) -> None:
    """Its browser says who sends it."""
    sent = {**OPENED, **SIGNED_IN, "Sec-Fetch-Site": "cross-site", "Referer": f"{APP}/"}

    assert (await door.login(await door.ticket(), PLACE, **sent)).status == 303


@pytest.mark.parametrize(
    ("public_url", "forwarded", "secure"),
    [
        ("https://chat.example.com", "", True),
        ("https://chat.example.com", "http", True),
        ("http://chat.example.com", "https", True),
        ("http://chat.example.com", "HTTPS, http", True),
        ("http://chat.example.com", "http", False),
        ("http://chat.example.com", "", False),
    ],
)
async def test_cookies_are_for_https_where_the_chat_is(
    dsn: str, public_url: str, forwarded: str, *, secure: bool
) -> None:
    """Or where the proxy says that the browser has come by it."""
    async with front(dsn, MATTERMOST_PUBLIC_URL=public_url) as door:
        headers = {"X-Forwarded-Proto": forwarded} if forwarded else {}
        response = await door.login(await door.ticket(), PLACE, **headers)

        assert {bool(cookie["secure"]) for cookie in cookies(response).values()} == {secure}


async def test_in_a_frame_of_another_site_cookies_are_kept_for_that_site(door: Front) -> None:
    """Browsers drop all others there."""
    response = await door.login(await door.ticket(), PLACE, **FRAMED)

    for header in response.headers.getall("Set-Cookie"):
        assert header.endswith("; Path=/; SameSite=None; Secure; Partitioned")


@pytest.mark.parametrize(
    "shown",
    [
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Dest": "iframe"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "document"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
async def test_elsewhere_cookies_stay_with_their_site(door: Front, shown: dict[str, str]) -> None:
    """A tab of its own, or a frame in a page of the same site."""
    response = await door.login(await door.ticket(), PLACE, **shown)

    for header in response.headers.getall("Set-Cookie"):
        assert header.endswith("; Path=/; SameSite=Lax; Secure")


@pytest.mark.parametrize(
    "variables", [{"WEB_ORIGINS": ""}, {"MATTERMOST_PUBLIC_URL": "http://chat.example.com"}]
)
async def test_cookies_for_other_sites_need_such_sites_and_https(dsn: str, variables: dict[str, str]) -> None:
    """A browser would not take them otherwise."""
    async with front(dsn, **variables) as door:
        response = await door.login(await door.ticket(), PLACE, **FRAMED)

        assert {cookie["samesite"] for cookie in cookies(response).values()} == {"Lax"}


async def test_below_a_path_everything_stays_below_it(dsn: str) -> None:
    """The place as well as the cookies."""
    async with front(dsn, MATTERMOST_PUBLIC_URL="https://example.com/chat/") as door:
        response = await door.login(await door.ticket(), PLACE)

        assert response.headers["Location"] == f"/chat{PLACE}"
        assert {cookie["path"] for cookie in cookies(response).values()} == {"/chat"}


async def test_a_left_over_value_against_forgery_is_taken_away(door: Front) -> None:
    """It belongs to another session, and Mattermost would compare it with nothing."""
    response = await door.login(
        await door.ticket(), PLACE, Cookie="MMCSRF=old; MMAUTHTOKEN=old", Sec_Fetch_Dest="iframe"
    )

    assert (cookies(response)["MMCSRF"].value, cookies(response)["MMCSRF"]["max-age"]) == ("", "0")


async def test_who_was_removed_meanwhile_is_not_signed_in(door: Front) -> None:
    """Between the visit and the click."""
    ticket = await door.ticket()
    sign_in_service = door.built.services.sign_in
    assert sign_in_service
    await sign_in_service.provisioner.leave(demo_data.ADA.id, ACME.id)

    assert (await door.login(ticket)).status == 401


async def test_without_mattermost_there_is_nowhere_to_go(dsn: str) -> None:
    """As for a session."""
    async with front(dsn, MATTERMOST_ADMIN_BOT_TOKEN="") as door:
        response = await door.login("a" * 26)

        assert (response.status, (await response.json())["error"]) == (500, "mattermost_not_configured")


async def test_nothing_of_it_is_logged(lines: Lines, dsn: str) -> None:
    """Neither ticket nor token, whatever comes of them."""
    async with front(dsn) as door:
        ticket = await door.ticket()
        await door.login(ticket, PLACE)
        await door.login(ticket, PLACE)
        await door.login(ticket, "//evil.example")

        assert len(lines.requests) == 4
        for secret in (ticket, *door.tokens()):
            assert secret not in lines.stream.getvalue()


async def test_the_token_itself_signs_in_where_that_is_wanted(dsn: str) -> None:
    """Again and again, as the customer's first design has it."""
    async with front(dsn, SESSION_TOKEN="pat") as door:
        token = await door.ticket()
        for _ in range(2):
            response = await door.login(token, PLACE)
            assert (response.status, cookies(response)["MMAUTHTOKEN"].value) == (303, token)
        assert (await door.login(token)).headers["Location"] == "/"


async def test_only_tokens_that_the_bridge_has_given_out_sign_in(dsn: str) -> None:
    """Others may be good in Mattermost, which is not even asked; and a ticket is not the token."""
    async with front(dsn, SESSION_TOKEN="pat") as door:
        await door.ticket()
        (ada,) = door.chat.people()
        other = door.chat.store.create_token(ada).token
        sign_in_service = door.built.services.sign_in
        assert sign_in_service
        ticket = await sign_in_service.issue_ticket(demo_data.ADA.id, ACME.id)

        tokens = (other, door.chat.store.admin_token, door.chat.bot_token, ticket)
        assert [(await door.login(token)).status for token in tokens] == [401] * 4


async def test_where_tickets_are_wanted_the_token_itself_does_not_sign_in(door: Front) -> None:
    """It stands in no address then."""
    await door.ticket()

    assert (await door.login(door.tokens()[0])).status == 401


async def test_a_token_in_the_place_of_a_ticket_ends_with_the_last_membership(dsn: str) -> None:
    """It is forgotten and revoked."""
    async with front(dsn, SESSION_TOKEN="pat") as door:
        token = await door.ticket()
        sign_in_service = door.built.services.sign_in
        assert sign_in_service
        await sign_in_service.provisioner.leave(demo_data.ADA.id, ACME.id)

        assert (await door.login(token)).status == 401


async def test_an_address_with_everything_twice_is_read_one_way(door: Front) -> None:
    """The place that is looked at is the place where the browser goes."""
    ticket = await door.ticket()
    url = door.client.make_url("/login/token")
    query = f"token={ticket}&redirect_to=%2Facme-corp&redirect_to=%2F%2Fevil.example"

    async with (
        ClientSession(cookie_jar=DummyCookieJar()) as session,
        session.get(URL(f"{url}?{query}", encoded=True), allow_redirects=False) as response,
    ):
        assert (response.status, response.headers["Location"]) == (303, "/acme-corp")
