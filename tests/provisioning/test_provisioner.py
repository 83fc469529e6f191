"""Visits: first ones, returning ones, and many at once."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bridge.errors import BridgeError, MattermostUnavailable, NotAMember, OwnTokenRefused
from bridge.models.chat import TeamId
from bridge.models.equa import Organization, Person
from bridge.sandbox.mattermost import RestFault
from bridge.sandbox.mattermost.activation import set_active
from bridge.sandbox.mattermost.channels import archive_channel, patch_channel
from bridge.sandbox.mattermost.teams import archive_team
from provisioning.team_looks import TeamLooks
from tests.support.provisioning import CHANNELS, Chat, Process, a_person, an_organization
from tests.support.provisioning import process as running_process


@pytest.fixture
async def other(chat: Chat, dsn: str) -> AsyncIterator[Process]:
    """A second process on the same database."""
    async with running_process(chat, dsn) as running:
        yield running


async def test_a_first_visit_leads_into_the_team(
    chat: Chat, process: Process, ada: Person, acme: Organization
) -> None:
    """With an account, a team, its channels, the bot, and a token that works."""
    session = await process.provisioner.open_session(ada, acme)

    user, team = chat.user(session.user_id), chat.team(session.team_name)
    assert session.team_name == "acme-corp"
    assert chat.channels(team, user) >= CHANNELS
    assert chat.channels(team, chat.bot) >= CHANNELS
    assert chat.tokens(user) == [session.token]
    assert session.token not in repr(session)


async def test_a_returning_visit_asks_mattermost_once_and_writes_nothing(
    process: Process, ada: Person, acme: Organization
) -> None:
    """That one answer proves everything."""
    session = await process.provisioner.open_session(ada, acme)
    before = await _versions(process)
    process.asked.clear()

    assert await process.provisioner.open_session(ada, acme) == session
    assert process.asked == ["/users/me/teams"]
    assert await _versions(process) == before


@pytest.mark.parametrize("damage", ["removed", "renamed", "archived"])
async def test_a_returning_visit_repairs_the_channels(
    chat: Chat, process: Process, ada: Person, acme: Organization, damage: str
) -> None:
    """Not at each visit: a look of the last seconds is good enough."""
    session = await process.provisioner.open_session(ada, acme)
    agent = chat.store.channel(chat.team("acme-corp"), "agent")
    if damage == "removed":
        chat.store.leave(agent, chat.bot)
    elif damage == "renamed":
        patch_channel(chat.store, agent, {"name": "elsewhere"})
    else:
        archive_channel(chat.store, chat.store.admin, agent)

    provisioner = replace(process.provisioner, looks=TeamLooks(every=0))
    assert await provisioner.open_session(ada, acme) == session

    assert (agent.name, agent.delete_at) == ("agent", 0)
    assert chat.store.member_of_channel(agent.id, chat.bot.id)


async def test_a_returning_visit_succeeds_when_the_channels_cannot_be_repaired(
    chat: Chat, process: Process, ada: Person, acme: Organization
) -> None:
    """The person is in the team all the same."""
    session = await process.provisioner.open_session(ada, acme)
    team = chat.team("acme-corp")
    chat.server.faults.rest(RestFault(status=503, path=f"/teams/{team.id}/channels"))

    provisioner = replace(process.provisioner, looks=TeamLooks(every=0))

    assert await provisioner.open_session(ada, acme) == session


async def test_a_team_is_repaired_by_its_id(
    chat: Chat, process: Process, ada: Person, acme: Organization
) -> None:
    """With the administrator out of it; a team of nobody is left alone."""
    await process.provisioner.open_session(ada, acme)
    team = chat.team("acme-corp")
    chat.store.join(team, chat.store.admin)
    chat.store.leave(chat.store.channel(team, "agent"), chat.bot)

    repaired = await process.provisioner.repair_team(TeamId(team.id))

    assert repaired
    assert set(repaired.repairs) == {"bot_added", "account_left_team"}
    assert chat.channels(team, chat.bot) >= CHANNELS
    assert not chat.is_in(team, chat.store.admin)
    assert await process.provisioner.repair_team(TeamId(chat.store.create_team("other").id)) is None


async def _versions(process: Process) -> list[str]:
    """Return which transaction wrote each line of the tables."""
    tables = (
        *("mattermost_user_mappings", "mattermost_org_mappings", "mattermost_channel_mappings"),
        *("memberships", "attempts", "tickets"),
    )
    query = " union all ".join(
        f"select '{table}' || xmin::text || t::text as v from {table} t" for table in tables
    )
    return sorted(row["v"] for row in await process.pool.fetch(query))


async def test_nothing_is_left_of_the_attempts(process: Process, ada: Person, acme: Organization) -> None:
    """Whose marks others may have seen by now."""
    await process.provisioner.open_session(ada, acme)

    assert await process.pool.fetchval("select count(*) from attempts") == 0


async def test_a_person_of_two_organizations_is_in_two_teams(
    chat: Chat, process: Process, ada: Person, acme: Organization
) -> None:
    """With one account and one token."""
    borealis = an_organization("Borealis Labs")
    one = await process.provisioner.open_session(ada, acme)
    two = await process.provisioner.open_session(ada, borealis)

    assert (one.token, one.user_id) == (two.token, two.user_id)
    assert {one.team_name, two.team_name} == {"acme-corp", "borealis-labs"}
    assert len(chat.people()) == 1


async def test_members_of_two_organizations_do_not_meet(
    chat: Chat, process: Process, ada: Person, acme: Organization
) -> None:
    """Each is in their own team only."""
    borealis = an_organization("Borealis Labs")
    ben = await process.provisioner.open_session(a_person("Ben Okafor"), borealis)
    session = await process.provisioner.open_session(ada, acme)

    assert not chat.is_in(chat.team("acme-corp"), chat.user(ben.user_id))
    assert not chat.is_in(chat.team("borealis-labs"), chat.user(session.user_id))


async def test_a_renamed_team_is_followed_at_once(
    chat: Chat, process: Process, ada: Person, acme: Organization
) -> None:
    """The page leads to where the team is now."""
    await process.provisioner.open_session(ada, acme)
    chat.rename_team(chat.team("acme-corp"), "acme")

    assert (await process.provisioner.open_session(ada, acme)).team_name == "acme"


@pytest.mark.parametrize(
    "damage", ["archived", "deactivated", "thrown out", "token ended", "team gone", "user gone"]
)
async def test_a_returning_visit_repairs_what_was_changed_by_hand(
    chat: Chat, process: Process, ada: Person, acme: Organization, damage: str
) -> None:
    """And lets the person in."""
    session = await process.provisioner.open_session(ada, acme)
    user, team = chat.user(session.user_id), chat.team("acme-corp")
    match damage:
        case "archived":
            archive_team(chat.store, team)
        case "deactivated":
            set_active(chat.store, user, active=False)
        case "thrown out":
            chat.store.leave(team, user)
        case "token ended":
            del chat.store.token_by_secret[session.token]
            chat.store.session_by_token.clear()
        case "team gone":
            chat.forget_team(team)
        case "user gone":
            chat.forget_user(user)

    again = await process.provisioner.open_session(ada, acme)

    process.asked.clear()
    assert await process.provisioner.open_session(ada, acme) == again
    assert process.asked == ["/users/me/teams"]
    assert chat.channels(chat.team(again.team_name), chat.user(again.user_id)) >= CHANNELS
    assert len(chat.people()) == len(chat.teams()) == 1


async def test_mattermost_being_away_is_told_and_changes_nothing(
    chat: Chat, process: Process, ada: Person, acme: Organization
) -> None:
    """A returning person's token is not taken for a bad one."""
    session = await process.provisioner.open_session(ada, acme)
    chat.server.faults.rest(RestFault(status=503))

    with pytest.raises(MattermostUnavailable):
        await process.provisioner.open_session(ada, acme)

    chat.server.faults.clear()
    assert await process.provisioner.open_session(ada, acme) == session


async def test_a_refused_administrator_does_not_end_anybodys_token(
    chat: Chat, process: Process, ada: Person, acme: Organization
) -> None:
    """It is the operator's to mend; who is known gets in meanwhile."""
    session = await process.provisioner.open_session(ada, acme)
    set_active(chat.store, chat.store.admin, active=False)

    with pytest.raises(OwnTokenRefused):
        await process.provisioner.open_session(a_person("Ben Okafor"), acme)
    assert await process.provisioner.open_session(ada, acme) == session


async def test_the_name_of_an_organization_that_has_a_team_is_not_needed(
    process: Process, ada: Person, acme: Organization
) -> None:
    """Neither for who is known nor for who is new."""
    session = await process.provisioner.open_session(ada, acme)
    nameless = replace(acme, name="")

    assert await process.provisioner.open_session(ada, nameless) == session
    ben = await process.provisioner.open_session(a_person("Ben Okafor"), nameless)
    assert ben.team_name == "acme-corp"


async def test_who_has_left_is_not_let_in_by_an_older_answer(
    chat: Chat, process: Process, ada: Person, acme: Organization
) -> None:
    """However often they ask."""
    session = await process.provisioner.open_session(ada, acme)
    await process.provisioner.leave(ada.id, acme.id)

    for _ in range(2):
        with pytest.raises(NotAMember):
            await process.provisioner.open_session(ada, acme)
    assert not chat.is_in(chat.team("acme-corp"), chat.user(session.user_id))
    assert chat.tokens(chat.user(session.user_id)) == []


async def test_a_leaving_beside_a_first_visit_wins(
    chat: Chat, process: Process, other: Process, ada: Person, acme: Organization
) -> None:
    """In whichever order two processes come to it."""
    await process.provisioner.ensure_team(acme)

    async with asyncio.TaskGroup() as group:
        visit = group.create_task(_outcome(process, ada, acme))
        group.create_task(other.provisioner.leave(ada.id, acme.id))

    assert visit.result() in ("in", "not_a_member")
    assert not any(chat.is_in(chat.team("acme-corp"), user) for user in chat.people())
    assert not any(map(chat.tokens, chat.people()))


async def _outcome(process: Process, person: Person, organization: Organization) -> str:
    try:
        await process.provisioner.open_session(person, organization)
    except BridgeError as error:
        return error.code
    return "in"


async def test_two_hundred_first_visits_at_once(chat: Chat, process: Process, other: Process) -> None:
    """Of fifty people to five organizations through two processes: so many accounts, teams and tokens."""
    chat.set("TeamSettings", MaxUsersPerTeam=1000)
    people = [a_person(f"Person{number} Test") for number in range(50)]
    organizations = [an_organization(f"Company {number}") for number in range(5)]
    plan = [(number % 50, (number + number // 50) % 5) for number in range(200)]

    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(
                (process, other)[number // 50 % 2].provisioner.open_session(people[who], organizations[where])
            )
            for number, (who, where) in enumerate(plan)
        ]

    assert len(chat.people()) == 50
    assert len(chat.teams()) == 5
    assert all(len(chat.tokens(user)) == 1 for user in chat.people())
    for visit, (who, where) in zip(tasks, plan, strict=True):
        session = visit.result()
        user, team = chat.user(session.user_id), chat.team(session.team_name)
        assert session.token in chat.tokens(user)
        assert (user.email, team.display_name) == (people[who].email, organizations[where].name)
        assert chat.channels(team, user) >= CHANNELS


async def test_one_person_at_once_in_every_organization(
    chat: Chat, process: Process, other: Process, ada: Person
) -> None:
    """One account and one token, however many visits race."""
    organizations = [an_organization(f"Company {number}") for number in range(6)]

    async with asyncio.TaskGroup() as group:
        for number in range(24):
            provisioner = (process, other)[number // 6 % 2].provisioner
            group.create_task(provisioner.open_session(replace(ada), organizations[number % 6]))

    (user,) = chat.people()
    assert len(chat.tokens(user)) == 1
    assert all(chat.is_in(team, user) for team in chat.teams())
    assert len(chat.teams()) == 6
