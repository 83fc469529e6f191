"""A person's own session tells who they are and what they may do."""

import asyncio
from dataclasses import replace
from uuid import UUID

import pytest
from aiohttp import ClientSession
from structlog.testing import capture_logs

from bridge.equa import EquaClient
from bridge.errors import BridgeError, EquaUnavailable, NotAMember, NotAnAdmin, NotSignedIn
from bridge.models.equa import Organization, OrganizationId, Person
from bridge.ports import EquaPlatform
from bridge.sandbox import demo_data
from bridge.sandbox.equa import Fault, Server, away, garbage, page, redirect
from bridge.sandbox.equa.shapes import Shapes
from tests.support.agent import Wire
from tests.support.equa import ADMIN_PERMISSIONS, Clock, answer

ACME, BOREALIS = demo_data.ACME.id, demo_data.BOREALIS.id
NOWHERE = OrganizationId(UUID("11111111-1111-4111-8111-111111111111"))

USER, LIST = "GET /user/current", "GET /organization"
NAME, MEMBERS = "GET /organization/{organization}", "GET /organization/{organization}/member"
PERMISSIONS = "GET /organization/{organization}/user/{user}"

ADA = Person(demo_data.ADA.id, "ada@example.com", email_verified=True, username="ada", name="Ada Moreno")


async def test_it_is_what_the_handlers_ask_for(client: EquaClient) -> None:
    """The client fits the port."""
    platform: EquaPlatform = client
    await platform.ping()


async def test_a_member_is_told_who_they_are_and_where(client: EquaClient, equa: Server) -> None:
    """Two questions to Equa are enough for a visit, and none for the next within ten seconds."""
    cookie = equa.store.sign_in(demo_data.ADA.id)

    expected = (ADA, Organization(ACME, "Acme Corp"))
    assert [await client.member(cookie, ACME) for _ in range(3)] == [expected] * 3
    assert equa.controls.calls == {USER: 1, LIST: 1}


async def test_who_belongs_to_both_is_a_member_of_both(client: EquaClient, equa: Server) -> None:
    """An answer about one organization is not taken for one about another."""
    cookie = equa.store.sign_in(demo_data.DMITRI.id)

    names = [(await client.member(cookie, place))[1].name for place in (ACME, BOREALIS)]

    assert names == ["Acme Corp", "Borealis Labs"]


@pytest.mark.parametrize("account", [demo_data.HANA, demo_data.ELIF, demo_data.SERVICE])
async def test_a_stranger_to_the_organization_is_no_member(
    client: EquaClient, equa: Server, account: demo_data.Account
) -> None:
    """Nor is somebody who only may see it, through a site-level role."""
    with pytest.raises(NotAMember):
        await client.member(equa.store.sign_in(account.id), ACME)


@pytest.mark.parametrize("nobody", ["null", "empty object", "null user", "null id", "empty body", "401"])
async def test_a_stranger_is_not_signed_in_whatever_equa_calls_nobody(
    client: EquaClient, equa: Server, nobody: str
) -> None:
    """Status 200 proves nothing."""
    equa.controls.shapes = Shapes(nobody=nobody)  # type: ignore[arg-type] # the table's texts are its kinds

    for question in (
        client.person("session=x"),
        client.member("session=x", ACME),
        client.admin("session=x", ACME),
    ):
        with pytest.raises(NotSignedIn):
            await question


@pytest.mark.parametrize("permissions", ["names", "objects", "map", "roles"])
@pytest.mark.parametrize("lists", ["bare", "named", "data"])
async def test_an_administrator_is_known_in_every_shape(
    client: EquaClient, equa: Server, permissions: str, lists: str
) -> None:
    """Ada administers Acme, Elif Borealis, and nobody else anything."""
    equa.controls.shapes = Shapes(permissions=permissions, lists=lists)  # type: ignore[arg-type] # as above
    admins = {
        (account.username, place.name)
        for account in demo_data.ACCOUNTS
        for place in demo_data.COMPANIES
        if await _is_admin(client, equa.store.sign_in(account.id), place.id)
    }

    assert admins == {("ada", "Acme Corp"), ("elif", "Borealis Labs")}


async def _is_admin(client: EquaClient, cookie: str, place: OrganizationId) -> bool:
    try:
        await client.admin(cookie, place)
    except NotAnAdmin:
        return False
    return True


async def test_an_organization_that_is_not_there_has_no_administrators(
    client: EquaClient, equa: Server
) -> None:
    """Equa's 404 is a no."""
    with pytest.raises(NotAnAdmin):
        await client.admin(equa.store.sign_in(demo_data.ADA.id), NOWHERE)


@pytest.mark.parametrize("accounts", ["user", "userId", "embedded"])
async def test_a_roster_has_every_member_in_every_shape(
    client: EquaClient, equa: Server, accounts: str
) -> None:
    """Companies and the invited stand in it without a person."""
    equa.controls.shapes = Shapes(accounts=accounts, lists="named")  # type: ignore[arg-type] # as above
    read = await client.roster(equa.store.sign_in(demo_data.ADA.id), ACME)

    assert [(member.name, member.person_id, member.is_individual) for member in read.members] == [
        (member.name, member.account.id if member.account else None, member.is_individual)
        for member in demo_data.ACME.members
    ]
    assert read.problems == ()


async def test_a_roster_is_never_an_old_one(client: EquaClient, equa: Server) -> None:
    """Who has just been removed is not in it."""
    cookie = equa.store.sign_in(demo_data.ADA.id)
    before = await client.roster(cookie, ACME)
    equa.store.remove_member(ACME, demo_data.BEN.id)
    after = await client.roster(cookie, ACME)

    assert len(before.members) - len(after.members) == 1


async def test_names_come_from_the_organization_where_the_list_has_none(
    client: EquaClient, equa: Server
) -> None:
    """One more question, and only for who needs the name."""
    equa.controls.shapes = Shapes(organizations="nameless")
    cookie = equa.store.sign_in(demo_data.ADA.id)
    _, organization = await client.member(cookie, ACME)

    assert organization.name == ""
    assert await client.organization_name(cookie, ACME) == "Acme Corp"
    assert equa.controls.calls == {USER: 1, LIST: 1, NAME: 1}


async def test_who_may_not_see_an_organization_is_no_member_of_it(client: EquaClient, equa: Server) -> None:
    """Equa's 403 and 404 on an organization are a no."""
    cookie = equa.store.sign_in(demo_data.HANA.id)

    for question in (
        client.organization_name(cookie, ACME),
        client.organization_name(cookie, NOWHERE),
        client.roster(cookie, ACME),
        client.roster(cookie, NOWHERE),
    ):
        with pytest.raises(NotAMember):
            await question


FAULTS = [
    away(500),
    away(503),
    away(429, retry_after="2"),
    page(200),
    page(404),
    page(403),
    garbage(),
    redirect("http://evil.example.com/"),
    away(418),
    away(400),
    Fault(206, "[]"),
    Fault(200, '"ok"'),
    Fault(truncate=True),
    Fault(cut=True),
]


@pytest.mark.parametrize("route", [LIST, NAME, MEMBERS, PERMISSIONS])
@pytest.mark.parametrize(
    "fault", FAULTS, ids=lambda fault: f"{fault.status}-{fault.content_type}-{fault.body[:5]}"
)
async def test_equa_away_is_never_a_no(client: EquaClient, equa: Server, fault: Fault, route: str) -> None:
    """Whatever goes wrong behind a person who is signed in, they are neither let in nor sent away."""
    cookie = equa.store.sign_in(demo_data.ADA.id)
    equa.controls.fail(replace(fault, route=route))

    with pytest.raises(EquaUnavailable):
        await _ask(client, route, cookie)


@pytest.mark.parametrize("fault", [away(500), away(404), page(200), page(401), garbage(), redirect("/login")])
async def test_equa_away_is_not_signed_out(client: EquaClient, equa: Server, fault: Fault) -> None:
    """Somebody with a session is not asked to sign in because Equa has a problem."""
    equa.controls.fail(fault)

    with pytest.raises(EquaUnavailable):
        await client.person(equa.store.sign_in(demo_data.ADA.id))
    with pytest.raises(EquaUnavailable):
        await client.ping()


async def _ask(client: EquaClient, route: str, cookie: str) -> None:
    if route == USER:
        await client.person(cookie)
    elif route == LIST:
        await client.member(cookie, ACME)
    elif route == NAME:
        await client.organization_name(cookie, ACME)
    elif route == MEMBERS:
        await client.roster(cookie, ACME)
    else:
        await client.admin(cookie, ACME)


@pytest.mark.parametrize("route", [USER, LIST, NAME, MEMBERS, PERMISSIONS])
async def test_a_session_that_ends_midway_is_not_signed_in(
    client: EquaClient, equa: Server, route: str
) -> None:
    """Equa's 401 is the same everywhere."""
    equa.controls.fail(Fault(401, '{"error":"Not logged in"}', route=route))

    with pytest.raises(NotSignedIn):
        await _ask(client, route, equa.store.sign_in(demo_data.ADA.id))


async def test_a_crowd_of_equal_visits_asks_once(client: EquaClient, equa: Server) -> None:
    """A page that opens twenty frames costs Equa two calls; another person is asked for apart."""
    equa.controls.fail(Fault(delay=0.05))
    ada, ben = (equa.store.sign_in(account.id) for account in (demo_data.ADA, demo_data.BEN))
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(client.member(cookie, ACME)) for cookie in (ada, ben) * 20]

    assert {visit.result()[0].username for visit in tasks[::2]} == {"ada"}
    assert {visit.result()[0].username for visit in tasks[1::2]} == {"ben"}
    assert equa.controls.calls == {USER: 2, LIST: 2}


async def test_a_yes_is_ten_seconds_old_at_most(client: EquaClient, equa: Server, clock: Clock) -> None:
    """Who is removed or signs out is out after that."""
    cookie = equa.store.sign_in(demo_data.BEN.id)
    await client.member(cookie, ACME)
    equa.store.remove_member(ACME, demo_data.BEN.id)
    clock.now += 9.9
    await client.member(cookie, ACME)
    clock.now += 0.1

    with pytest.raises(NotAMember):
        await client.member(cookie, ACME)
    equa.store.expire_sessions()
    clock.now += 10
    with pytest.raises(NotSignedIn):
        await client.member(cookie, ACME)


async def test_a_no_is_not_kept(client: EquaClient, equa: Server) -> None:
    """Who has just become a member or an administrator is one at once."""
    cookie = equa.store.sign_in(demo_data.HANA.id)
    with pytest.raises(NotAMember):
        await client.member(cookie, ACME)
    with pytest.raises(NotAnAdmin):
        await client.admin(cookie, ACME)
    equa.store.add_member(ACME, equa.store.users[demo_data.HANA.id], {"viewOrganization", "editMembers"})

    person, organization = await client.member(cookie, ACME)
    assert (person, organization.name) == (await client.admin(cookie, ACME), "Acme Corp")


async def test_a_failure_is_not_kept(client: EquaClient, equa: Server) -> None:
    """The first call after an outage succeeds."""
    cookie = equa.store.sign_in(demo_data.ADA.id)
    equa.controls.fail(away())
    with pytest.raises(EquaUnavailable):
        await client.person(cookie)
    equa.controls.clear()

    assert await client.person(cookie) == ADA


async def test_a_cookie_travels_as_it_is_and_is_not_logged(session: ClientSession) -> None:
    """Neither decoded nor quoted anew."""
    wire = Wire(answer(500))
    async with wire.served() as url:
        client = EquaClient(session, url=url, admin_permissions=ADMIN_PERMISSIONS)
        with capture_logs() as logs, pytest.raises(BridgeError) as caught:
            await client.person('connect.sid=s%3A"secret-2".x:y')

    assert b'\r\nCookie: connect.sid=s%3A"secret-2".x:y\r\n' in wire.requests[0]
    assert "secret" not in f"{logs}{caught.value!r}{caught.value.__cause__!r}"
