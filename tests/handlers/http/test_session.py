"""From an Equa session to the organization's team, over real sockets to everybody involved."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import ClientResponse

from bridge.db.pool import unchecked_pool
from bridge.sandbox import demo_data
from bridge.sandbox.equa import Fault, away, garbage
from bridge.sandbox.mattermost import RestFault
from handlers.http.app_keys import SERVICES, Limits
from handlers.http.limits import RateLimiter, Timeouts
from provisioning.tokens import token_digest
from tests.support.front import ACME, APP, BOREALIS, CONFIG, PATIENT, SESSION, Front, front, served
from tests.support.relay import Relay


@pytest.fixture
async def door(dsn: str) -> AsyncIterator[Front]:
    async with front(dsn) as built:
        yield built


async def said(response: ClientResponse) -> tuple[int, str]:
    """Return the status and the error's code."""
    return response.status, (await response.json())["error"]


async def test_a_member_is_let_in(door: Front) -> None:
    """With an account, a team, and what signs in at the chat's address."""
    response = await door.visit(door.cookie())

    body = await response.json()
    assert response.status == 200
    assert response.headers["Cache-Control"] == "no-store"
    assert body == {
        "token": body["token"],
        "baseUrl": "https://chat.example.com",
        "teamName": "acme-corp",
        "mmUserId": body["mmUserId"],
    }
    (ada,) = door.chat.people()
    assert (ada.id, ada.email) == (body["mmUserId"], "ada@example.com")
    assert door.chat.is_in(door.chat.team("acme-corp"), ada)
    assert body["token"] not in door.tokens()


async def test_a_returning_visit_is_cheap(door: Front) -> None:
    """Two questions to Equa, one to Mattermost."""
    await door.ticket()
    asked = door.equa.controls.calls.total()
    calls = _mattermost_calls(door)

    await door.ticket()

    assert door.equa.controls.calls.total() - asked == 2
    assert _mattermost_calls(door) - calls == 1


async def test_returning_visits_at_once_have_a_ticket_each(door: Front) -> None:
    """Each is stored once, and none for nobody."""
    cookie = door.cookie()
    tickets = {await door.ticket()}

    responses = await asyncio.gather(*(door.visit(cookie) for _ in range(5)))

    tickets |= {(await response.json())["token"] for response in responses}
    stored = await door.pool.fetch("select hash from tickets")
    assert len(tickets) == 6
    assert sorted(row["hash"] for row in stored) == sorted(map(token_digest, tickets))


def _mattermost_calls(door: Front) -> int:
    text = door.app[SERVICES].metrics.render().decode()
    lines = [
        line for line in text.splitlines() if line.startswith("equabot_bridge_mattermost_call_seconds_count")
    ]
    return sum(round(float(line.rpartition(" ")[2])) for line in lines)


async def test_an_organization_that_is_listed_without_a_name_is_asked_for_it_once(door: Front) -> None:
    """For the name of its team; a returning visit needs none."""
    door.equa.controls.shapes.organizations = "nameless"

    assert (await (await door.visit(door.cookie())).json())["teamName"] == "acme-corp"
    await door.visit(door.cookie())

    assert door.equa.controls.calls["GET /organization/{organization}"] == 1


async def test_many_visits_at_once_make_one_account_and_one_team(door: Front) -> None:
    """Ten tabs, each with a ticket of its own."""
    cookie = door.cookie()

    responses = await asyncio.gather(*(door.visit(cookie) for _ in range(10)))

    bodies = [await response.json() for response in responses]
    assert [response.status for response in responses] == [200] * 10
    assert len({body["token"] for body in bodies}) == 10
    assert len(door.chat.people()) == len(door.chat.teams()) == len(door.tokens()) == 1


@pytest.mark.parametrize(
    "cookie",
    [
        None,
        "",
        "theme=dark",
        "connect.sid=s%3Anobody.signature",
        "connect.sid=",
        "Connect.Sid=x",
        "session",
        "\x01=;;=",
    ],
)
async def test_without_an_equa_session_nobody_is_let_in(door: Front, cookie: str | None) -> None:
    """No cookie, a foreign one, an invented one."""
    headers = {} if cookie is None else {"Cookie": cookie.replace("\x01", "")}

    response = await door.client.post(SESSION, json={"organizationId": str(ACME.id)}, headers=headers)

    assert await said(response) == (401, "not_signed_in")
    assert door.chat.people() == []


async def test_an_ended_session_lets_nobody_in(door: Front) -> None:
    """Signed out in Equa is signed out here."""
    cookie = door.cookie()
    session = door.equa.store.session(cookie)
    assert session
    door.equa.store.sign_out(session)

    assert await said(await door.visit(cookie)) == (401, "not_signed_in")


async def test_equa_hears_only_of_its_own_cookies(door: Front) -> None:
    """What other programs have set on the host is none of its business."""
    response = await door.visit(f"theme=dark; {door.cookie()}; MMAUTHTOKEN=secret")

    assert response.status == 200
    assert (await door.visit("theme=dark; MMAUTHTOKEN=secret")).status == 401
    assert door.equa.controls.calls["GET /user/current"] == 1


async def test_who_is_no_member_is_not_let_in(door: Front) -> None:
    """Be it of an organization that exists or of one that does not."""
    cookie = door.cookie(demo_data.ADA)

    assert await said(await door.visit(cookie, BOREALIS.id)) == (403, "not_a_member")
    assert await said(await door.visit(cookie, uuid4())) == (403, "not_a_member")
    assert door.chat.teams() == []


async def test_an_account_of_somebody_else_is_not_taken(door: Front) -> None:
    """Ada has verified her address in Equa, but the account is an administrator's."""
    door.chat.store.create_user("boss", email=demo_data.ADA.email, roles="system_user system_admin")

    assert await said(await door.visit(door.cookie())) == (409, "account_conflict")


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 60_000, "not JSON"),
        (b"[]", "object"),
        (b'"x"', "object"),
        (b"null", "object"),
        (b"{}", "UUID"),
        (b'{"organizationId": null}', "UUID"),
        (b'{"organizationId": 7}', "UUID"),
        (b'{"organizationId": "acme"}', "UUID"),
        (b'{"organizationId": "0f3b6a527d184c9eb1a46e2d90c5f713"}', "UUID"),
        (b'{"organizationId": "{0f3b6a52-7d18-4c9e-b1a4-6e2d90c5f713}"}', "UUID"),
        (b'{"organizationId": "0f3b6a52-7d18-4c9e-b1a4-6e2d90c5f713\\n"}', "UUID"),
    ],
)
async def test_a_wrong_body_is_refused_before_anybody_is_asked(door: Front, body: bytes, hint: str) -> None:
    """The answer says what is wrong with it."""
    headers = {"Cookie": door.cookie(), "Content-Type": "application/json"}

    response = await door.client.post(SESSION, data=body, headers=headers)

    assert response.status == 400
    answer = await response.json()
    assert answer["error"] == "invalid_request"
    assert hint in answer["message"]
    assert not door.equa.controls.calls


async def test_an_organization_may_be_spelled_in_capitals(door: Front) -> None:
    """It is the same one."""
    assert (await door.visit(door.cookie(), str(ACME.id).upper())).status == 200


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_that_is_too_long_is_refused(door: Front, *, chunked: bool) -> None:
    """Whether or not it says so beforehand."""
    body = json.dumps({"organizationId": str(ACME.id), "more": "x" * 65_536}).encode()

    async def pieces() -> AsyncIterator[bytes]:
        for at in range(0, len(body), 8192):
            yield body[at : at + 8192]

    headers = {"Cookie": door.cookie(), "Content-Type": "application/json"}
    response = await door.client.post(SESSION, data=pieces() if chunked else body, headers=headers)

    assert await said(response) == (413, "payload_too_large")


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "json"]
)
async def test_only_json_is_read(door: Front, content_type: str) -> None:
    """A form of another site can send the others, with the person's cookies."""
    body = json.dumps({"organizationId": str(ACME.id)}).encode()
    headers = {"Cookie": door.cookie(), "Content-Type": content_type}

    response = await door.client.post(SESSION, data=body, headers=headers)

    assert await said(response) == (415, "unsupported_media_type")
    assert door.chat.teams() == []


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", f"{APP}.evil.example", "http://app.example.com", f"{APP}:444"]
)
async def test_pages_of_other_origins_are_refused(door: Front, origin: str) -> None:
    """With or without a session, and they cannot read why."""
    response = await door.visit(door.cookie(), Origin=origin)

    assert await said(response) == (403, "forbidden_origin")
    assert "Access-Control-Allow-Origin" not in response.headers
    assert not door.equa.controls.calls


async def test_pages_of_the_web_app_are_served(door: Front) -> None:
    """They may read answers, errors no less."""
    for cookie, status in ((door.cookie(), 200), (None, 401)):
        response = await door.visit(cookie, Origin=APP)
        assert response.status == status
        assert response.headers["Access-Control-Allow-Origin"] == APP
        assert response.headers["Access-Control-Allow-Credentials"] == "true"
        assert response.headers["Vary"] == "Origin"


@pytest.mark.parametrize("missing", ["MATTERMOST_URL", "MATTERMOST_ADMIN_BOT_TOKEN"])
async def test_without_mattermost_it_says_so(dsn: str, missing: str) -> None:
    """500, as the customer's interface has it; and the configuration says that there is none."""
    without = {missing: ""}
    if missing == "MATTERMOST_URL":
        without |= {"MATTERMOST_ADMIN_BOT_TOKEN": "", "MATTERMOST_BOT_TOKEN": ""}
    async with front(dsn, **without) as door:
        cookie = door.cookie()
        assert await said(await door.visit(cookie)) == (500, "mattermost_not_configured")
        assert await said(await door.visit(None)) == (401, "not_signed_in")

        response = await door.client.get(CONFIG, headers={"Cookie": cookie})
        assert await response.json() == {"enabled": False, "baseUrl": None}


async def test_a_refused_administrators_token_is_an_outage_for_people(door: Front) -> None:
    """They hear a sentence for them, without a variable, and when to try again."""
    (token,) = (each for each in door.chat.store.tokens.values() if each.token == door.chat.store.admin_token)
    token.is_active = False

    response = await door.visit(door.cookie())

    assert await said(response) == (503, "mattermost_unavailable")
    assert response.headers["Retry-After"] == "60"
    assert "TOKEN" not in (await response.json())["message"]


async def test_without_equa_nobody_can_be_let_in(dsn: str) -> None:
    """Nor is anybody told that they are not signed in."""
    async with front(dsn, EQUA_API_URL="") as door:
        response = await door.visit(door.cookie())

        assert await said(response) == (503, "equa_unavailable")


async def test_a_full_server_is_told_of(door: Front) -> None:
    """With a status that trying again does not follow."""
    door.chat.set("TeamSettings", MaxUsersPerTeam=1)

    assert await said(await door.visit(door.cookie())) == (507, "mattermost_full")


@pytest.mark.parametrize("fault", [away(503, retry_after="7"), away(502), garbage(), Fault(cut=True)])
async def test_while_equa_is_away_nobody_is_called_no_member(door: Front, fault: Fault) -> None:
    """503, and how long to wait."""
    door.equa.controls.fail(fault)

    response = await door.visit(door.cookie())

    assert await said(response) == (503, "equa_unavailable")
    assert int(response.headers["Retry-After"]) == (7 if fault.headers else 5)


async def test_a_deaf_equa_is_not_waited_for(dsn: str) -> None:
    """The deadline is ours."""
    async with front(dsn, Limits(timeouts=replace(PATIENT, equa=0.3))) as door:
        door.equa.controls.fail(Fault(delay=600, route="GET /organization"))
        async with asyncio.timeout(60):
            response = await door.visit(door.cookie())

        assert await said(response) == (503, "equa_unavailable")
        assert "Retry-After" in response.headers


async def test_a_slow_mattermost_goes_on_being_waited_for_behind_the_scenes(dsn: str) -> None:
    """A later visit finds what the first one has begun, and nothing twice."""
    made = asyncio.Event()
    async with front(dsn, Limits(timeouts=replace(PATIENT, visit=3))) as door:
        door.chat.server.faults.rest(RestFault(release=made, method="POST", path="/teams", times=1))
        cookie = door.cookie()
        response = await door.visit(cookie)
        assert await said(response) == (503, "mattermost_unavailable")
        assert response.headers["Retry-After"] == "3"

        made.set()
        async with asyncio.timeout(60):
            while (await door.visit(cookie)).status != 200:
                pass
        assert len(door.chat.people()) == len(door.chat.teams()) == len(door.tokens()) == 1


async def test_a_mattermost_that_is_away_is_told_of(door: Front) -> None:
    """Returning visits hear of it too."""
    await door.ticket()
    await door.chat.server.stop()

    assert await said(await door.visit(door.cookie())) == (503, "mattermost_unavailable")


async def test_a_deaf_database_is_not_waited_for(postgres: str, dsn: str) -> None:
    """It neither answers nor confirms that a question was taken back."""
    patient = Timeouts(equa=3, visit=3, diagnosis=3, login=3)
    with Relay(dsn) as relay:
        async with relay.open(), front(relay.dsn, Limits(timeouts=patient)) as door:
            assert (await door.visit(door.cookie())).status == 200
            relay.deaf = True
            try:
                async with asyncio.timeout(60):
                    visit = await said(await door.visit(door.cookie(demo_data.BEN)))
                    login = await said(await door.login("a" * 26))
            finally:
                relay.deaf = False
                relay.cut()

    assert visit == login == (503, "database_unavailable")


async def test_a_person_who_asks_too_often_is_told_to_wait(dsn: str) -> None:
    """Each has an allowance of their own, whatever sessions they have."""
    async with front(dsn, Limits(visits=RateLimiter(burst=2, per_second=0.01))) as door:
        for _ in range(2):
            assert (await door.visit(door.cookie())).status == 200

        response = await door.visit(door.cookie())

        assert await said(response) == (429, "too_many_requests")
        assert 1 <= int(response.headers["Retry-After"]) <= 100
        assert (await door.visit(door.cookie(demo_data.BEN))).status == 200


async def test_who_is_signed_in_learns_where_the_chat_is(door: Front) -> None:
    """Members or not; nobody else."""
    response = await door.client.get(CONFIG, headers={"Cookie": door.cookie(demo_data.HANA)})

    assert await response.json() == {"enabled": True, "baseUrl": "https://chat.example.com"}
    assert await said(await door.client.get(CONFIG)) == (401, "not_signed_in")


async def test_the_token_itself_is_returned_where_that_is_wanted(dsn: str) -> None:
    """The customer's first design."""
    async with front(dsn, SESSION_TOKEN="pat") as door:
        token = await door.ticket()

        assert [await door.ticket()] == door.tokens() == [token]
        assert not await door.pool.fetch("select from tickets")


async def test_the_chat_is_where_browsers_reach_it(dsn: str) -> None:
    """Which is where the bridge does, unless told otherwise."""
    async with front(dsn, MATTERMOST_PUBLIC_URL="") as door:
        body: Any = await (await door.visit(door.cookie())).json()

        assert body["baseUrl"] == door.chat.server.url


async def test_two_processes_let_a_person_in_once(door: Front, dsn: str) -> None:
    """First visits at the same moment, through both."""
    async with (
        await unchecked_pool(dsn) as pool,
        served(door.chat, door.equa, pool, dsn, TOKEN_KEYS=door.environ["TOKEN_KEYS"]) as other,
    ):
        cookies = [door.cookie() for _ in range(3)]
        requests = [process.visit(cookie) for cookie in cookies for process in (door, other)]
        responses = await asyncio.gather(*requests)

    assert {response.status for response in responses} == {200}
    assert len(door.chat.people()) == len(door.chat.teams()) == len(door.tokens()) == 1


async def test_organizations_keep_apart(door: Front) -> None:
    """Dmitri is in both teams, with one account; nobody else is in a team of which they are no member."""
    for account, company in (
        (demo_data.ADA, ACME),
        (demo_data.ELIF, BOREALIS),
        (demo_data.DMITRI, ACME),
        (demo_data.DMITRI, BOREALIS),
    ):
        await door.ticket(account, company.id)

    teams = {
        team.name: {user.username for user in door.chat.people() if door.chat.is_in(team, user)}
        for team in door.chat.teams()
    }
    assert teams == {"acme-corp": {"ada", "dmitri"}, "borealis-labs": {"elif", "dmitri"}}


@pytest.mark.parametrize("scheme", ["dark", "light", None])
async def test_the_chat_follows_the_page_at_the_first_visit(door: Front, scheme: str | None) -> None:
    """A later visit from another page changes nothing."""
    for given in (scheme, "dark"):
        body = {"organizationId": str(ACME.id), "scheme": given}
        response = await door.client.post(SESSION, json=body, headers={"Cookie": door.cookie()})
        assert response.status == 200

    (ada,) = door.chat.people()
    themes = [category for category, _ in door.chat.store.preferences[ada.id] if category == "theme"]
    assert len(themes) == (scheme == "dark")


@pytest.mark.parametrize("scheme", ["sepia", 7, ["dark"], ""])
async def test_a_scheme_that_is_none_is_refused(door: Front, scheme: object) -> None:
    """With the name of the field."""
    body = {"organizationId": str(ACME.id), "scheme": scheme}
    response = await door.client.post(SESSION, json=body, headers={"Cookie": door.cookie()})

    assert (response.status, "scheme" in (await response.json())["message"]) == (400, True)
