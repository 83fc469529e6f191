"""A sync may crash at any call; the next one does what is left, and nothing is there twice."""

import asyncio
from dataclasses import replace

import pytest

from bridge.models.equa import Organization, PersonId
from provisioning.roster import RosterSnapshot
from provisioning.sync import TeamSync
from tests.support.crashes import WAYS, Crash, Crashes, When
from tests.support.provisioning import CHANNELS, Chat, Process, a_person
from tests.support.rosters import Crew, crew_of, line, roster

MOST_CALLS = 150
"""More than any of these syncs makes."""


def fragile(crew: Crew, crashes: Crashes) -> TeamSync:
    """Return the same, in a process that will crash."""
    return TeamSync(
        crashes.provisioner(crew.sync.provisioner),
        crashes.fragile(crew.sync.bulk),
    )


async def crashed(
    crew: Crew, organization: Organization, snapshot: RosterSnapshot, at: int, when: When
) -> bool:
    """Sync until it crashes at that call; False if it ends before."""
    crashes = Crashes(at, when)
    task = asyncio.ensure_future(fragile(crew, crashes).run(organization, snapshot, force=True))
    await asyncio.wait({task})
    if not task.cancelled():
        assert isinstance(task.exception(), Crash | None)
    return crashes.happened


async def states(crew: Crew) -> dict[PersonId, str]:
    rows = await crew.pool.fetch("select person_id, state from memberships")
    return {PersonId(row["person_id"]): row["state"] for row in rows}


@pytest.mark.parametrize("when", WAYS)
async def test_a_sync_may_crash_anywhere(
    chat: Chat, process: Process, acme: Organization, when: When
) -> None:
    """Somebody stays, somebody leaves, one is added, one opened: each exactly once in the end."""
    crew = crew_of(process)
    chat.set("TeamSettings", MaxUsersPerTeam=10_000)
    staying, partner = a_person("Staying"), a_person("Partner")
    for at in range(1, MOST_CALLS):
        leaving, coming, opened = (a_person(f"{name}{at}") for name in ("Leaving", "Coming", "Opened"))
        await crew.run(acme, roster([staying, partner, leaving]))
        user = chat.store.create_user(coming.username, email=coming.email)
        await crew.accounts([coming], [user])
        team = chat.team("acme-corp")
        snapshot = RosterSnapshot(roster([staying, partner, coming, opened]), await crew.now())

        happened = await crashed(crew, acme, snapshot, at, when)

        await crew.sync.run(acme, snapshot)
        after = await states(crew)
        assert {after[person.id] for person in (staying, partner, coming, opened)} == {"joined"}
        assert after[leaving.id] == "left"
        assert not chat.is_in(team, await crew.user(chat, leaving))
        for person in (staying, partner, coming, opened):
            account = await crew.user(chat, person)
            assert account.email == person.email
            assert chat.is_in(team, account)
            assert chat.channels(team, account) >= CHANNELS
        assert await crew.pool.fetchval("select count(*) from attempts") == 0
        process.asked.clear()
        report = await crew.sync.run(acme, replace(snapshot, read_at=await crew.now()))
        assert (report.counts.added, report.counts.removed, report.unchanged) == (0, 0, 4)
        if not happened:
            break
    else:
        pytest.fail("no sync ended by itself")
    assert at > 25
    assert len(chat.people()) == 2 + 3 * at


@pytest.mark.parametrize("when", WAYS)
async def test_what_somebody_has_left_meanwhile_stays_left(
    chat: Chat, process: Process, acme: Organization, when: When
) -> None:
    """Wherever the sync had ended that was about to add them."""
    crew = crew_of(process)
    staying, partner = a_person("Staying"), a_person("Partner")
    await crew.run(acme, roster([staying, partner]))
    for at in range(1, MOST_CALLS):
        coming = a_person(f"Coming{at}")
        snapshot = RosterSnapshot(roster([staying, partner], line(coming)), await crew.now())

        happened = await crashed(crew, acme, snapshot, at, when)
        await crew.sync.provisioner.leave(coming.id, acme.id)
        await crew.sync.run(acme, snapshot)

        account = await crew.sync.provisioner.tables.accounts.find(coming.id)
        if account:
            assert not chat.is_in(chat.team("acme-corp"), chat.user(account.user_id))
        if not happened:
            break
    else:
        pytest.fail("no sync ended by itself")
    assert at > 15
