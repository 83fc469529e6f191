"""An organization's administrator makes its team match the roster, and hears what came of it."""

import asyncio
import re
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from aiohttp import ClientResponse

from bridge.sandbox import demo_data
from bridge.sandbox.equa import Fault, away
from bridge.sandbox.mattermost import RestFault
from tests.support.front import ACME, APP, BOREALIS, front
from tests.support.mattermost import eventually
from tests.support.services import built as process
from tests.support.syncing import Desk, desk, path

NOBODY_CHANGED = {"created": 0, "added": 0, "removed": 0}


@pytest.fixture
async def acme(dsn: str) -> AsyncIterator[Desk]:
    """With a worker."""
    async with desk(dsn) as built, built.working():
        yield built


async def said(response: ClientResponse) -> tuple[int, str]:
    """Return the status and the error's code."""
    return response.status, (await response.json())["error"]


def names(where: Desk) -> set[str]:
    chat = where.chat
    return {user.first_name for user in chat.people() if chat.is_in(chat.team("acme-corp"), user)}


async def test_the_team_matches_the_roster(acme: Desk) -> None:
    """Its four people are in it, the company on the roster is not."""
    response = await acme.sync()

    assert response.status == 200
    assert await response.json() == {
        "organizationId": str(ACME.id),
        "created": 4,
        "added": 4,
        "removed": 0,
        "unchanged": 0,
        "failed": [],
    }
    assert names(acme) == {"Ada", "Ben", "Chloe", "Dmitri"}
    again = await (await acme.sync()).json()
    assert again == {"organizationId": str(ACME.id), **NOBODY_CHANGED, "unchanged": 4, "failed": []}


async def test_who_has_left_is_removed(acme: Desk) -> None:
    """Although nobody has heard of it."""
    await acme.sync()
    acme.equa.store.remove_member(ACME.id, demo_data.BEN.id)

    report = await (await acme.sync()).json()

    assert (report["removed"], report["unchanged"]) == (1, 3)
    assert names(acme) == {"Ada", "Chloe", "Dmitri"}


async def test_failures_are_told_by_person(acme: Desk) -> None:
    """And the others are done."""
    acme.chat.store.create_user("legacy", email=demo_data.BEN.email)

    report = await (await acme.sync()).json()

    assert (report["created"], report["added"]) == (3, 3)
    (failure,) = report["failed"]
    assert (failure["personId"], failure["error"]) == (str(demo_data.BEN.id), "account_conflict")
    assert re.fullmatch(r"[A-Z][^@]+\.", failure["message"])


async def test_only_administrators_may(acme: Desk) -> None:
    """Members may not, strangers may not, and nobody without a session."""
    assert await said(await acme.sync(acme.front.cookie(demo_data.BEN))) == (403, "not_an_admin")
    assert await said(await acme.sync(acme.front.cookie(demo_data.ELIF))) == (403, "not_an_admin")
    assert await said(await acme.sync("connect.sid=s%3Anobody.x")) == (401, "not_signed_in")
    assert await said(await acme.sync("")) == (401, "not_signed_in")
    assert await said(await acme.sync(organization=BOREALIS.id)) == (403, "not_an_admin")
    assert acme.chat.teams() == []
    assert await acme.pool.fetchval("select count(*) from jobs") == 0


@pytest.mark.parametrize("organization", ["acme", "7", "0" * 32, f"{ACME.id}x"])
async def test_what_is_no_organization_is_refused(acme: Desk, organization: str) -> None:
    """Before anybody is asked."""
    response = await acme.sync(organization=organization)

    assert await said(response) == (400, "invalid_request")
    assert acme.equa.controls.calls.total() == 0


async def test_pages_of_other_origins_may_not(acme: Desk) -> None:
    """Those of `WEB_ORIGINS` may, and may read the answer."""
    assert await said(await acme.sync(Origin="https://evil.example")) == (403, "forbidden_origin")

    response = await acme.sync(Origin=APP)

    assert response.status == 200
    assert response.headers["Access-Control-Allow-Origin"] == APP


@pytest.mark.parametrize("suffix", ["", "/ce8e8537-d343-481a-ba0b-3fb7bbcd47d9"])
async def test_a_page_may_ask_first(acme: Desk, suffix: str) -> None:
    """As browsers do before a request with a body of JSON."""
    where = path(ACME.id) + suffix

    good = await acme.front.client.options(where, headers={"Origin": APP})
    bad = await acme.front.client.options(where, headers={"Origin": "https://evil.example"})

    assert (good.status, bad.status) == (204, 403)
    assert good.headers["Access-Control-Allow-Methods"] == ("GET" if suffix else "POST")


async def test_a_form_of_another_site_cannot_ask_for_it(acme: Desk) -> None:
    """It cannot send JSON."""
    response = await acme.front.client.post(
        path(ACME.id), data={"x": "y"}, headers={"Cookie": acme.front.cookie()}
    )

    assert await said(response) == (415, "unsupported_media_type")


async def test_the_service_account_reads_the_roster(acme: Desk) -> None:
    """Who may change members need not see them all."""
    acme.equa.store.add_member(ACME.id, acme.equa.store.users[demo_data.HANA.id], {"editMembers"})

    report = await (await acme.sync(acme.front.cookie(demo_data.HANA))).json()

    assert report["added"] == 5


async def test_without_a_service_account_the_administrator_reads_it(dsn: str) -> None:
    """With their own session, while their request is there."""
    async with desk(dsn, EQUA_SERVICE_EMAIL="", EQUA_SERVICE_PASSWORD="") as built, built.working():
        assert (await (await built.sync()).json())["added"] == 4
        rows = await built.pool.fetch("select payload::text, result::text from jobs")
        stored = await built.pool.fetch("select * from syncs")

    cookies = [session for session in built.equa.store.sessions if session in f"{rows}{stored}"]
    assert cookies == []
    assert [row["roster"] for row in stored] == [None]


async def test_who_sees_only_themselves_empties_no_team(dsn: str) -> None:
    """Equa shows them a roster of one."""
    async with desk(dsn, EQUA_SERVICE_EMAIL="", EQUA_SERVICE_PASSWORD="") as built, built.working():
        await built.sync()
        built.equa.store.add_member(
            ACME.id,
            built.equa.store.users[demo_data.HANA.id],
            {"editMembers", "viewSelf", "viewOrganization"},
        )
        report = await (await built.sync(built.front.cookie(demo_data.HANA))).json()

        assert (report["added"], report["removed"]) == (1, 0)
        assert [failure["error"] for failure in report["failed"]] == ["nobody_removed"]
        assert len(names(built)) == 5


async def test_where_the_service_account_fails_the_administrator_reads_it(acme: Desk) -> None:
    """It may not see this organization."""
    acme.equa.store.users[demo_data.SERVICE.id].site_permissions = frozenset()

    assert (await (await acme.sync()).json())["added"] == 4


async def test_while_equa_is_away_nothing_begins(acme: Desk) -> None:
    """The answer says when to come back."""
    acme.equa.controls.fail(away(route="GET /organization/{organization}/member"))

    response = await acme.sync()

    assert await said(response) == (503, "equa_unavailable")
    assert int(response.headers["Retry-After"]) > 0
    assert await acme.pool.fetchval("select count(*) from jobs") == 0


async def test_half_a_team_is_not_removed(acme: Desk) -> None:
    """The sentence says how many it would be."""
    store = acme.equa.store
    extra = [demo_data._account(100 + number, f"extra{number}", "Extra", str(number)) for number in range(8)]
    for account in extra:
        store.add_member(ACME.id, store.add_account(account))
    await acme.sync()
    for account in extra:
        store.remove_member(ACME.id, account.id)

    response = await acme.sync()

    assert await said(response) == (409, "sync_refused")
    assert "8 of 12 people" in (await response.json())["message"]
    assert await acme.pool.fetchval("select count(*) from memberships where state = 'joined'") == 12


async def test_a_long_sync_goes_on_in_the_background(dsn: str) -> None:
    """The answer names it, and how far it is can be asked for."""
    async with desk(dsn, seconds=0.1) as built:
        response = await built.sync()
        body = await response.json()
        assert (response.status, body) == (202, {"status": "running", "job": body["job"]})
        assert await (await built.look(body["job"])).json() == {
            "status": "running",
            "job": body["job"],
            "done": 0,
            "total": 0,
        }
        async with built.working():
            assert await built.ended(body["job"]) == {
                "status": "done",
                "job": body["job"],
                "organizationId": str(ACME.id),
                "created": 4,
                "added": 4,
                "removed": 0,
                "unchanged": 0,
                "failed": [],
            }


async def test_it_needs_nobody_s_session_then(dsn: str) -> None:
    """The administrator has signed out, and Equa is away."""
    async with desk(dsn, seconds=0.1, EQUA_SERVICE_EMAIL="", EQUA_SERVICE_PASSWORD="") as built:
        job = (await (await built.sync()).json())["job"]
        built.equa.store.expire_sessions()
        fault = built.equa.controls.fail(Fault(503))
        async with built.working():
            await built.has_ended(job)
        fault.times = 0
        assert (await (await built.look(job)).json())["status"] == "done"


async def test_a_second_request_joins_the_first(dsn: str) -> None:
    """They are one sync, and both hear its report."""
    async with desk(dsn, seconds=5) as built:
        asking = [asyncio.create_task(built.sync()) for _ in range(3)]
        async with asyncio.timeout(60):
            while not await built.pool.fetchval("select count(*) from jobs"):
                await asyncio.sleep(0.01)
        late = asyncio.create_task(built.sync())
        async with built.working():
            reports = [await (await each).json() for each in (*asking, late)]

        assert reports == [reports[0]] * 4
        assert reports[0]["added"] == 4
        assert await built.pool.fetchval("select count(*) from jobs where kind = 'sync'") == 1


async def test_another_process_finishes_what_one_has_begun(dsn: str) -> None:
    """How far it is stands in the database."""
    async with desk(dsn, seconds=0.1) as built:
        job = (await (await built.sync()).json())["job"]
        adding = built.chat.server.faults.rest(RestFault("before", delay=600, path="/members/batch", times=1))
        async with built.working():
            await eventually(lambda: adding.times == 0)
        shown = await (await built.look(job)).json()
        assert shown["status"] == "running"
        built.chat.server.faults.clear()
        async with (
            process(built.settings, dsn, built.pool) as other,
            built.working(other.services),
        ):
            ended = await built.ended(job)

    assert ended["status"] == "done"
    assert (ended["created"], ended["added"] + ended["unchanged"]) == (4, 4)
    assert len(built.chat.people()) == 4


async def test_while_mattermost_is_away_it_goes_on_later(acme: Desk) -> None:
    """The request waits for it as long as it can."""
    acme.chat.server.faults.rest(RestFault("before", status=503, times=5))

    assert (await (await acme.sync()).json())["added"] == 4


async def test_what_cannot_be_helped_is_told(acme: Desk) -> None:
    """As its error, and as the state of the job."""
    for token in list(acme.chat.store.tokens_of_user[acme.chat.store.admin.id].values()):
        token.is_active = False

    response = await acme.sync()

    assert await said(response) == (503, "mattermost_unavailable")
    job = await acme.pool.fetchval("select id from syncs")
    shown = await (await acme.look(job)).json()
    assert (shown["status"], shown["error"]) == ("failed", "mattermost_unavailable")


async def test_a_roster_gets_too_old(dsn: str) -> None:
    """After an hour of outage it is not gone by any more."""
    async with desk(dsn, seconds=0.1) as built:
        job = (await (await built.sync()).json())["job"]
        await built.pool.execute("update syncs set read_at = read_at - interval '61 minutes'")
        async with built.working():
            shown = await built.ended(job)

    assert (shown["status"], shown["error"]) == ("failed", "mattermost_unavailable")


async def test_a_fault_of_ours_ends_it_too(dsn: str) -> None:
    """The log tells of it, the administrator hears that something went wrong."""
    async with desk(dsn, seconds=0.1) as built:
        job = (await (await built.sync()).json())["job"]
        await built.pool.execute("update jobs set state = 'dead', finished = now()")

        shown = await (await built.look(job)).json()
        second = await (await built.sync()).json()

    assert (shown["status"], shown["error"]) == ("failed", "internal_error")
    assert second == {"status": "running", "job": second["job"]}
    assert second["job"] != job


async def test_a_sync_is_its_organization_s_own(acme: Desk) -> None:
    """Nobody else sees how far it is, and there is no such job."""
    await acme.sync()
    job = await acme.pool.fetchval("select id from syncs")

    elsewhere = await acme.look(job, BOREALIS.id, acme.front.cookie(demo_data.ELIF))
    member = await acme.look(job, ACME.id, acme.front.cookie(demo_data.BEN))
    stranger = await acme.look(job, ACME.id, "")

    assert await said(elsewhere) == (404, "not_found")
    assert await said(member) == (403, "not_an_admin")
    assert await said(stranger) == (401, "not_signed_in")
    assert await said(await acme.look(uuid4())) == (404, "not_found")
    assert await said(await acme.look("7")) == (400, "invalid_request")


async def test_it_is_not_asked_for_too_often(dsn: str) -> None:
    """Each costs Mattermost some calls."""
    async with desk(dsn, seconds=0) as built:
        answers = [(await built.sync()).status for _ in range(7)]
        last = await built.sync()

    assert answers == [202] * 6 + [429]
    assert int(last.headers["Retry-After"]) > 0


async def test_without_an_administrator_s_token_it_is_not_configured(dsn: str) -> None:
    """The customer's API says 500."""
    async with front(dsn, MATTERMOST_ADMIN_BOT_TOKEN="") as built:
        headers = {"Cookie": built.cookie()}
        response = await built.client.post(path(ACME.id), json={}, headers=headers)

        assert await said(response) == (500, "mattermost_not_configured")


async def test_old_syncs_are_forgotten(acme: Desk) -> None:
    """And at once the rosters of those that never end."""
    await acme.sync()
    syncs = acme.services.syncs
    assert await syncs.purge() == 0
    await acme.pool.execute(
        """insert into syncs (id, organization_id, organization_name, roster, read_at, requested)
           values (gen_random_uuid(), $1, 'x', '{"members": [], "problems": []}', now(),
                   now() - interval '2 days')""",
        ACME.id,
    )

    assert await syncs.purge() == 0
    assert await acme.pool.fetchval("select count(*) from syncs where roster is not null") == 0

    await acme.pool.execute("update syncs set requested = now() - interval '91 days'")
    assert await syncs.purge() == 2
