"""Syncs that were asked for: what they go by, how far they are, what they come to."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from asyncpg import Pool

from bridge.db.inbox import Inbox
from bridge.db.job_runner import Capacity
from bridge.db.syncs import State, SyncInput, Syncs
from bridge.models.equa import Member, Organization, OrganizationId, PersonId, Roster
from bridge.models.jobs import Entry, SyncId

ACME = Organization(OrganizationId(uuid4()), "Acme Corp")
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
ROSTER = Roster(
    (
        Member(PersonId(uuid4()), "ada@example.com", "Ada Łoreno ☃", is_individual=True),
        Member(PersonId(uuid4()), "ben@example.com", "Ben", is_individual=True, email_of_account=True),
        Member(None, "", "Northwind", is_individual=False),
    ),
    ("Member no. 3 names two accounts.",),
)


@pytest.fixture
def syncs(pool: Pool) -> Syncs:
    return Syncs(pool)


async def begun(syncs: Syncs) -> SyncId:
    sync = await syncs.store(ACME, ROSTER, NOON)
    entry = Entry("sync", f"organization:{ACME.id}", ACME.id, f"sync:{sync}", {"sync": str(sync)})
    await Inbox(syncs.pool).put_all([entry])
    return sync


async def test_a_roster_comes_back_as_it_was(syncs: Syncs) -> None:
    """With everything that was wrong with it."""
    sync = await begun(syncs)

    assert await syncs.input(sync) == SyncInput(ACME, ROSTER, NOON)


async def test_a_roster_of_an_earlier_version_is_read(pool: Pool, syncs: Syncs) -> None:
    """Its addresses count as typed by somebody."""
    sync = await begun(syncs)
    await pool.execute(
        """update syncs set roster = '{"members": [["", "ada@example.com", "Ada", true]], "problems": []}'"""
    )

    given = await syncs.input(sync)

    assert given
    assert given.roster == Roster((Member(None, "ada@example.com", "Ada", is_individual=True),))


async def test_the_next_attempt_knows_what_the_last_has_done(syncs: Syncs) -> None:
    """And whoever asks how far it is."""
    sync = await begun(syncs)

    await syncs.progress(sync, done=5, total=9, counts=(3, 4, 1))

    assert await syncs.input(sync) == SyncInput(ACME, ROSTER, NOON, 3, 4, 1)
    assert await syncs.look(sync, ACME.id) == State("waiting", 5, 9, None)


async def test_when_it_ends_the_roster_is_gone(pool: Pool, syncs: Syncs) -> None:
    """What it has come to stays."""
    sync = await begun(syncs)

    await syncs.end(sync, {"added": 4})

    assert await syncs.input(sync) is None
    assert await syncs.look(sync, ACME.id) == State("waiting", 0, 0, {"added": 4})
    assert "ada@example.com" not in str(await pool.fetch("select * from syncs"))


async def test_what_waits_or_runs_is_unfinished(pool: Pool, syncs: Syncs) -> None:
    """Neither a sync that has ended, nor one that never got its job."""
    assert await syncs.unfinished(ACME.id) is None
    await syncs.store(ACME, ROSTER, NOON)
    assert await syncs.unfinished(ACME.id) is None
    sync = await begun(syncs)
    assert await syncs.unfinished(ACME.id) == sync
    await Inbox(pool).claim(Capacity(1))
    assert await syncs.unfinished(ACME.id) == sync
    assert await syncs.unfinished(OrganizationId(uuid4())) is None
    await pool.execute("update jobs set state = 'dead'")
    assert await syncs.unfinished(ACME.id) is None
    await pool.execute("update jobs set state = 'running'")
    await syncs.end(sync, {})
    assert await syncs.unfinished(ACME.id) is None


async def test_another_organization_does_not_see_it(syncs: Syncs) -> None:
    """As if there were none."""
    sync = await begun(syncs)

    assert await syncs.look(sync, OrganizationId(uuid4())) is None
    assert await syncs.look(SyncId(uuid4()), ACME.id) is None


async def test_old_ones_are_forgotten(pool: Pool, syncs: Syncs) -> None:
    """After ninety days, and after one the rosters of those that never end."""
    sync = await begun(syncs)
    assert await syncs.purge() == 0
    assert await syncs.input(sync)

    await pool.execute("update syncs set requested = now() - interval '2 days'")
    assert await syncs.purge() == 0
    assert await syncs.input(sync) is None
    assert await syncs.look(sync, ACME.id)

    await pool.execute("update syncs set requested = now() - interval '91 days'")
    assert await syncs.purge() == 1
    assert await syncs.look(sync, ACME.id) is None
