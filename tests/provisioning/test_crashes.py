"""A crash between any two awaits leaves nothing that the next visit does not finish."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from bridge.models.equa import Organization, Person
from provisioning.provisioner import Provisioner, Session
from provisioning.users import ensure_user
from tests.support.crashes import WAYS, Crash, Crashes, When
from tests.support.provisioning import CHANNELS, Chat, Process, a_person, an_organization
from tests.support.rosters import crew_of, line, roster

Work = Callable[[Provisioner], Awaitable[object]]

MOST_CALLS = 100
"""More than any visit makes."""


async def crashed(process: Process, at: int, when: When, work: Work) -> bool:
    """Do the work until it crashes at that call; False if it ends before."""
    crashes = Crashes(at, when)
    task = asyncio.ensure_future(work(crashes.provisioner(process.provisioner)))
    await asyncio.wait({task})
    if not task.cancelled():
        assert isinstance(task.exception(), Crash | None)
    return crashes.happened


async def returning_visit(chat: Chat, process: Process, session: Session, organization: Organization) -> None:
    """Assert that nobody is there twice, and that the next visit has nothing left to do."""
    user, team = chat.user(session.user_id), chat.team(session.team_name)
    assert chat.tokens(user) == [session.token]
    assert chat.channels(team, user) >= CHANNELS
    assert chat.channels(team, chat.bot) >= CHANNELS
    assert [each.id for each in chat.teams() if each.display_name == organization.name] == [team.id]
    assert chat.store.channel(team, "town-square").display_name == "General"
    assert await process.pool.fetchval("select count(*) from attempts") == 0


async def again(process: Process, person: Person, organization: Organization) -> Session:
    """Visit twice more; the second of them has to find everything as it should be."""
    session = await process.provisioner.open_session(person, organization)
    process.asked.clear()
    assert await process.provisioner.open_session(person, organization) == session
    assert process.asked == ["/users/me/teams"]
    return session


@pytest.mark.parametrize("when", WAYS)
async def test_a_first_visit_may_crash_anywhere(chat: Chat, process: Process, when: When) -> None:
    """The next one finishes it, with one account, one team and one token."""
    for at in range(1, MOST_CALLS):
        person = a_person(f"Person{at}", verified=False)
        organization = an_organization(f"Company {at}")
        if not await crashed(process, at, when, lambda s: s.open_session(person, organization)):  # noqa: B023  # awaited here
            break
        session = await again(process, person, organization)
        await returning_visit(chat, process, session, organization)
        assert len(chat.people()) == at
    else:
        pytest.fail("no visit ended by itself")
    assert at > 30


@pytest.mark.parametrize("when", WAYS)
async def test_a_renewal_may_crash_anywhere(
    chat: Chat, process: Process, ada: Person, acme: Organization, when: When
) -> None:
    """At every moment a good token is stored, and the next visit revokes all others."""
    first = await process.provisioner.open_session(ada, acme)
    user = chat.user(first.user_id)
    for at in range(1, MOST_CALLS):
        await process.pool.execute("update mattermost_user_mappings set token_created = '2020-01-01'")
        if not await crashed(process, at, when, lambda s: s.open_session(ada, acme)):
            break
        account = await process.provisioner.tables.accounts.find(ada.id)
        assert account
        assert account.token
        assert account.token.id in chat.store.tokens
        await returning_visit(chat, process, await again(process, ada, acme), acme)
    else:
        pytest.fail("no visit ended by itself")
    assert len(chat.tokens(user)) == 1
    assert at > 8


@pytest.mark.parametrize("when", WAYS)
async def test_a_leaving_may_crash_anywhere(chat: Chat, process: Process, when: When) -> None:
    """Its repetition finishes it; tickets are void from the first moment on."""
    for at in range(1, MOST_CALLS):
        person, organization = a_person(f"Person{at}"), an_organization(f"Company {at}")
        session = await process.provisioner.open_session(person, organization)
        ticket = await process.sign_in.issue_ticket(person.id, organization.id)
        happened = await crashed(process, at, when, lambda s: s.leave(person.id, organization.id))  # noqa: B023  # awaited here
        if at > 1 or when == "after":
            assert await process.pool.fetchval("select count(*) from tickets") == 0, ticket
        await process.provisioner.leave(person.id, organization.id)
        assert not chat.is_in(chat.team(session.team_name), chat.user(session.user_id))
        assert chat.tokens(chat.user(session.user_id)) == []
        if not happened:
            break
    else:
        pytest.fail("no leaving ended by itself")
    assert at > 8


@pytest.mark.parametrize("when", WAYS)
async def test_a_correction_may_crash_anywhere(
    chat: Chat, process: Process, acme: Organization, when: When
) -> None:
    """Of an address that a roster lies about: in the end it is theirs, with notifications, and only once."""
    crew = crew_of(process)
    chat.set("TeamSettings", MaxUsersPerTeam=10_000)
    for at in range(1, MOST_CALLS):
        person = a_person(f"Person{at}")
        await crew.run(acme, roster([], line(person, email=f"typed{at}@example.com")))
        user = await crew.user(chat, person)
        assert (user.email, user.notify_props["email"]) == (f"typed{at}@example.com", "false")

        happened = await crashed(process, at, when, lambda s: s.open_session(person, acme))  # noqa: B023  # awaited here

        await again(process, person, acme)
        assert (user.email, user.email_verified) == (person.email, True)
        assert user.notify_props["email"] == "true"
        account = await process.provisioner.tables.accounts.find(person.id)
        assert account
        assert not account.unconfirmed
        if not happened:
            break
    else:
        pytest.fail("no visit ended by itself")
    assert at > 10


@pytest.mark.parametrize("when", WAYS)
async def test_a_roster_s_account_may_crash_before_anybody_knows_of_it(
    chat: Chat, process: Process, acme: Organization, when: When
) -> None:
    """The visit that finds it puts its address and its notifications right."""
    for at in range(1, MOST_CALLS):
        person = a_person(f"Person{at}")
        typed = replace(person, email=f"typed{at}@example.com", email_verified=False)
        happened = await crashed(process, at, when, lambda s: ensure_user(s.admin, s.tables, typed))  # noqa: B023  # awaited here

        session = await again(process, person, acme)

        user = chat.user(session.user_id)
        assert (user.email, user.notify_props["email"]) == (person.email, "true")
        assert len(chat.people()) == at
        if not happened:
            break
    else:
        pytest.fail("no account was ever there")
    assert at > 6


@pytest.mark.parametrize("when", WAYS)
async def test_a_claim_may_crash_anywhere(
    chat: Chat, process: Process, acme: Organization, when: When
) -> None:
    """Who has proved an address gets it, and who had it by a roster gets their own when they come."""
    crew = crew_of(process)
    chat.set("TeamSettings", MaxUsersPerTeam=10_000)
    for at in range(1, MOST_CALLS):
        owner, other = a_person(f"Owner{at}"), a_person(f"Other{at}")
        await crew.run(acme, roster([], line(other, email=owner.email)))

        happened = await crashed(process, at, when, lambda s: s.open_session(owner, acme))  # noqa: B023  # awaited here

        await again(process, owner, acme)
        await again(process, other, acme)
        for person in (owner, other):
            user = await crew.user(chat, person)
            assert (user.email, user.notify_props["email"]) == (person.email, "true")
        if not happened:
            break
    else:
        pytest.fail("no visit ended by itself")
    assert at > 10


@pytest.mark.parametrize("when", WAYS)
async def test_a_repair_may_crash_anywhere(chat: Chat, process: Process, when: When) -> None:
    """An archived team, a thrown out person and a lost channel are put right by the next visit."""
    person, organization = a_person(), an_organization("Acme Corp")
    session = await process.provisioner.open_session(person, organization)
    for at in range(1, MOST_CALLS):
        user, team = chat.user(session.user_id), chat.team("acme-corp")
        chat.store.leave(team, user)
        chat.store.leave(team, chat.bot)
        chat.store.channel(team, "agent").delete_at = 1
        team.delete_at = user.delete_at = 1
        if not await crashed(process, at, when, lambda s: s.open_session(person, organization)):
            break
        await returning_visit(chat, process, await again(process, person, organization), organization)
    else:
        pytest.fail("no visit ended by itself")
    assert at > 15
