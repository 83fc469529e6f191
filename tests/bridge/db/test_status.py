"""The figures of all processes on a database, from its tables alone."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from asyncpg import Pool

from bridge.db.inbox import Inbox
from bridge.db.job_runner import Capacity
from bridge.db.processes import Processes
from bridge.db.status import read
from bridge.errors import StartupError
from bridge.models.chat import TeamId
from bridge.models.equa import OrganizationId
from bridge.models.jobs import Entry
from bridge.models.status import Heartbeat, LastHour, Slowest, Today, Waiting
from tests.support.mappings import Mappings

ACME, BOREALIS = (OrganizationId(UUID(int=number)) for number in (1, 2))


def heartbeat(**changes: Any) -> Heartbeat:
    now = datetime.now(UTC)
    known: dict[str, Any] = {
        "id": uuid4(),
        "host": "one",
        "pid": 7,
        "version": "1.0.0",
        "started": now - timedelta(hours=2),
        "socket": "connected",
        "last_frame": now - timedelta(seconds=3),
        "queue": 0,
        "unread": 0,
    }
    return Heartbeat(**{**known, **changes})


async def answered(pool: Pool, organization: OrganizationId, seconds: float, number: int) -> None:
    """Answer a question that was asked so many seconds ago."""
    asked = int((datetime.now(UTC).timestamp() - seconds) * 1000)
    payload = {"user_id": "u", "create_at": asked}
    inbox = Inbox(pool)
    await inbox.put_all([Entry("mention", f"thread:{number}", organization, f"post:{number}", payload)])
    (job,) = await inbox.claim(Capacity(1))
    await inbox.finish(job.id, {"posts": ["p"]})


async def test_an_empty_database(pool: Pool) -> None:
    status = await read(pool)

    assert (status.processes, status.backlog, status.unread, status.approvals) == ([], [], 0, 0)
    assert status.last_hour == LastHour(0, 0, 0, None, None, None)
    assert status.today == Today(0, 0, 0, 0)
    assert status.schema > 0


async def test_processes_that_are_alive(pool: Pool) -> None:
    """A dead one is left out, and one that ends says so."""
    processes, holder = Processes(pool), uuid4()
    for each in (heartbeat(id=holder, unread=2), heartbeat(host="two", socket="", last_frame=None)):
        await processes.beat(each)
    dead, ended = heartbeat(host="three"), heartbeat(host="four")
    for each in (dead, ended):
        await processes.beat(each)
    await pool.execute("update processes set seen = now() - interval '1 minute' where id = $1", dead.id)
    await processes.forget(ended.id)
    await Inbox(pool, holder=holder).put_all([Entry("mention", "a", ACME, "a", {})])
    await Inbox(pool, holder=holder).claim(Capacity(1))

    status = await read(pool)

    one, two = status.processes
    assert (one.host, one.jobs, one.socket, one.unread) == ("one", 1, "connected", 2)
    assert one.heard == pytest.approx(3, abs=1)
    assert one.up == pytest.approx(7200, abs=5)
    assert (two.host, two.jobs, two.heard) == ("two", 0, None)
    assert status.unread == 2


async def test_a_process_is_one_row_however_often_it_says_something(pool: Pool) -> None:
    """Its last word counts."""
    first = heartbeat()
    await Processes(pool).beat(first)
    await Processes(pool).beat(heartbeat(id=first.id, socket="disconnected", queue=5))

    (process,) = (await read(pool)).processes

    assert (process.socket, process.queue) == ("disconnected", 5)


async def test_what_waits_and_what_ended(pool: Pool) -> None:
    """By kind, with the oldest; the slowest organization by the middle one of its answers."""
    await Mappings(pool).map_team(BOREALIS, TeamId("t" * 26), "borealis")
    for number, (organization, seconds) in enumerate([(ACME, 1), (ACME, 500), (ACME, 2), (BOREALIS, 60)]):
        await answered(pool, organization, seconds, number)
    refused = Entry("mention", "r", ACME, "r", {}, "flooding")
    await Inbox(pool).put_all([refused, *(Entry("notice", "n", ACME, f"n{each}", {}) for each in range(3))])
    await pool.execute("update jobs set created = now() - interval '5 minutes' where dedupe = 'n0'")

    status = await read(pool)

    hour = status.last_hour
    assert (hour.answered, hour.failed, hour.refused) == (4, 0, 1)
    assert hour.median == pytest.approx(31, abs=3)
    assert isinstance(hour.slowest, Slowest)
    assert (hour.slowest.organization_id, hour.slowest.team, hour.slowest.answers) == (
        BOREALIS,
        "borealis",
        1,
    )
    assert hour.slowest.median == pytest.approx(60, abs=3)
    (notices,) = status.backlog
    assert notices == Waiting("notice", 3, notices.oldest_waiting, 0, None)
    assert notices.oldest_waiting == pytest.approx(300, abs=5)


async def test_tokens_of_today(pool: Pool) -> None:
    """Those of yesterday are not among them, and what is unknown is counted."""
    for job, began in enumerate(["now()", "now() - interval '25 hours'"]):
        await pool.execute(
            "insert into usage (job_id, organization_id, person_id, kind, conversation, post_id, outcome,"
            " runs, unreported, prompt_tokens, completion_tokens, cost, began, ended)"
            f" values ($1, $2, $2, 'mention', '', '', 'answered', 2, 1, 100, 20, 0.5, {began}, now())",
            job,
            ACME,
        )

    assert (await read(pool)).today == Today(100, 20, 0.5, 1)


async def test_a_database_of_an_earlier_version(pool: Pool) -> None:
    """What to do is said."""
    await pool.execute("drop table processes")

    with pytest.raises(StartupError, match="equabot-bridge migrate"):
        await read(pool)
