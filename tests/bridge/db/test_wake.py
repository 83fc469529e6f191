"""What waits for an organization's team is woken when the team is there."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from asyncpg import Pool

from bridge.db.inbox import CHANNEL, Inbox
from bridge.db.job_runner import Capacity
from bridge.db.pool import connect
from bridge.models.equa import OrganizationId
from bridge.models.jobs import Entry

ACME = OrganizationId(UUID(int=1))
BOREALIS = OrganizationId(UUID(int=2))


@pytest.fixture
def inbox(pool: Pool) -> Inbox:
    return Inbox(pool)


def notice(name: str, organization: OrganizationId = ACME) -> Entry:
    return Entry("notice", f"channel:{organization}:{name}", organization, f"event:{name}", {"name": name})


async def test_what_waits_for_a_team_is_woken_when_it_is_there(inbox: Inbox) -> None:
    """At once and with a time that begins anew; questions and other organizations wait for something else."""
    mention = Entry("mention", "thread:a", ACME, "post:3", {"name": "3"})
    await inbox.put_all([notice("1"), notice("2", BOREALIS), mention])
    for job in await inbox.claim(Capacity(10)):
        await inbox.retry(job, 900, "team_not_mapped: no team yet")
    await inbox.pool.execute("update jobs set created = now() - interval '6 days'")

    assert await inbox.wake(ACME) == 1
    (woken,) = await inbox.claim(Capacity(10))

    assert woken.payload == {"name": "1"}
    assert datetime.now(UTC) - woken.created < timedelta(hours=1)


async def test_waking_tells_the_workers(inbox: Inbox, dsn: str) -> None:
    """A worker in another process hears of it, unless nothing waited."""
    await inbox.put_all([notice("1")])
    (parked,) = await inbox.claim(Capacity(1))
    await inbox.retry(parked, 3600, "channel_not_usable: It is archived.")
    heard = asyncio.Event()
    listener = await connect(dsn)
    try:
        await listener.add_listener(CHANNEL, lambda *_: heard.set())

        assert await inbox.wake(BOREALIS) == 0
        await listener.execute("select 1")
        assert not heard.is_set()
        assert await inbox.wake(ACME) == 1
        async with asyncio.timeout(60):
            await heard.wait()
    finally:
        await listener.close()


async def test_waking_leaves_running_jobs_to_their_worker(inbox: Inbox) -> None:
    """Somebody works on them."""
    await inbox.put_all([notice("1")])
    (job,) = await inbox.claim(Capacity(1))

    assert await inbox.wake(ACME) == 1
    assert await inbox.claim(Capacity(1)) == []
    assert await inbox.finish(job.id)


async def test_what_looked_before_the_team_was_there_does_not_wait(inbox: Inbox) -> None:
    """Its attempt found none, and fails after the team was made."""
    await inbox.put_all([notice("1"), notice("2", BOREALIS)])
    jobs = await inbox.claim(Capacity(10))

    await inbox.wake(ACME)
    for job in jobs:
        await inbox.retry(job, 900, "team_not_mapped: no team yet")
    (again,) = await inbox.claim(Capacity(10))

    assert (again.id, again.attempts) == (jobs[0].id, 2)
    await inbox.retry(again, 900, "team_not_mapped: no team yet")
    assert await inbox.claim(Capacity(10)) == []


async def test_what_fails_at_something_else_waits_and_grows_old(inbox: Inbox, pool: Pool) -> None:
    """Jobs that put the team right wake themselves and each other each time; that must not go on for ever."""
    await inbox.put_all([notice("1")])
    (job,) = await inbox.claim(Capacity(1))
    stored = await pool.fetchval("select created from jobs")

    await inbox.wake(ACME)
    await inbox.retry(job, 900, "mattermost_unavailable: Mattermost does not answer.")
    assert await inbox.wake(ACME) == 0

    assert await inbox.claim(Capacity(1)) == []
    assert await pool.fetchval("select created from jobs") == stored
