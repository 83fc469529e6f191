"""What the job table tells afterwards, and what of it is forgotten."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from asyncpg import Pool

from bridge.db.inbox import Inbox
from bridge.db.job_history import JobHistory
from bridge.db.job_runner import Capacity
from bridge.models.chat import ChannelId, Post, Posted, PostId, TeamId, UserId
from bridge.models.equa import OrganizationId
from bridge.models.jobs import Entry, JobKind
from tests.support.mappings import Mappings

ACME = OrganizationId(UUID(int=1))
DAYS = timedelta(days=90)


@pytest.fixture
def inbox(pool: Pool) -> Inbox:
    return Inbox(pool)


@pytest.fixture
def job_history(pool: Pool) -> JobHistory:
    return JobHistory(pool)


def entry(name: str, kind: JobKind = "mention", *, refused: str | None = None) -> Entry:
    return Entry(kind, f"thread:{name}", ACME, f"post:{name}", {}, refused)


async def finished(pool: Pool, inbox: Inbox, name: str, days: float) -> None:
    """Finish a job so many days ago."""
    await inbox.put_all([entry(name)])
    (job,) = await inbox.claim(Capacity(1))
    await inbox.finish(job.id)
    await pool.execute(
        "update jobs set finished = now() - $2::interval where id = $1", job.id, timedelta(days=days)
    )


async def names(pool: Pool) -> set[str]:
    return {row["dedupe"] for row in await pool.fetch("select dedupe from jobs")}


async def test_a_post_that_was_never_put_in_has_no_fate(job_history: JobHistory) -> None:
    assert await job_history.record(PostId("one")) is None


async def test_a_fate_tells_all_that_happened(job_history: JobHistory, inbox: Inbox) -> None:
    """From being stored to being done; times are in UTC."""
    before = datetime.now(UTC)
    await inbox.put_all([entry("one"), entry("two")])
    waiting = await job_history.record(PostId("one"))
    job, _ = await inbox.claim(Capacity(2))
    running = await job_history.record(PostId("one"))
    await inbox.finish(job.id, {"posts": ["p"]})
    done = await job_history.record(PostId("one"))

    assert waiting
    assert running
    assert done
    assert [each.state for each in (waiting, running, done)] == ["waiting", "running", "done"]
    assert [each.attempts for each in (waiting, running, done)] == [0, 1, 1]
    assert (waiting.lease, waiting.started, waiting.finished, waiting.result) == (None, None, None, None)
    assert running.lease
    assert running.started
    assert done.finished
    assert before < done.created < running.started < done.finished < datetime.now(UTC) < running.lease
    assert done.result == {"posts": ["p"]}


async def test_a_fate_tells_why_it_was_refused(job_history: JobHistory, inbox: Inbox) -> None:
    await inbox.put_all([entry("one", refused="too_old")])

    record = await job_history.record(PostId("one"))

    assert record
    assert (record.kind, record.state, record.reason) == ("mention", "refused", "too_old")
    assert record.finished


async def test_backlogs_count_what_waits_and_what_runs(
    job_history: JobHistory, inbox: Inbox, pool: Pool
) -> None:
    """By kind, with the age of the oldest in seconds; what is over does not count."""
    await inbox.put_all([entry("1"), entry("2"), entry("3"), entry("4", "invite"), entry("5", refused="x")])
    await pool.execute("update jobs set created = now() - interval '100 s' where dedupe = 'post:2'")
    first, *_ = await inbox.claim(Capacity(2))
    await inbox.finish(first.id)

    backlogs = {(each.kind, each.state): each for each in await job_history.backlogs()}

    counts = {key: each.jobs for key, each in backlogs.items()}
    assert counts == {("mention", "running"): 1, ("mention", "waiting"): 1, ("invite", "waiting"): 1}
    assert 100 <= backlogs["mention", "running"].oldest < 160
    assert 0 <= backlogs["mention", "waiting"].oldest < 60


async def test_without_anything_to_do_there_are_no_backlogs(job_history: JobHistory) -> None:
    assert list(await job_history.backlogs()) == []


async def test_what_was_over_long_ago_is_forgotten(job_history: JobHistory, inbox: Inbox, pool: Pool) -> None:
    """Whatever became of it; younger ones are kept."""
    for name, days in (("done", 91), ("dead", 91), ("refused", 91), ("young", 89)):
        await finished(pool, inbox, name, days)
    for state in ("dead", "refused"):
        await pool.execute("update jobs set state = $1 where dedupe = 'post:' || $1", state)

    assert await job_history.purge(DAYS) == 3
    assert await names(pool) == {"post:young"}


async def test_what_is_not_over_is_never_forgotten(job_history: JobHistory, inbox: Inbox, pool: Pool) -> None:
    """However old it is: somebody may still be waiting."""
    await inbox.put_all([entry("waiting"), entry("running")])
    await inbox.claim(Capacity(1))
    await pool.execute(
        "update jobs set created = now() - interval '1 year', run_at = now() - interval '1 year'"
    )

    assert await job_history.purge(timedelta(0)) == 0
    assert len(await names(pool)) == 2


async def test_much_is_forgotten_a_piece_at_a_time(job_history: JobHistory, pool: Pool) -> None:
    """So that no statement takes long: whoever purges repeats it until nothing is left."""
    await pool.execute(
        """insert into jobs (kind, lane, dedupe, payload, state, finished)
           select 'mention', 'thread:' || n, 'post:' || n, '{}', 'done', now() - interval '1 year'
           from generate_series(1, 10050) as n"""
    )

    assert [await job_history.purge(DAYS) for _ in range(3)] == [10_000, 50, 0]


async def test_a_forgotten_thread_needs_a_mention_again(
    job_history: JobHistory, inbox: Inbox, pool: Pool
) -> None:
    """Nobody goes on in a thread of three months ago."""
    await finished(pool, inbox, "root", 91)
    follow_up = Post(PostId("reply"), ChannelId("c" * 26), UserId("a" * 26), PostId("root"), "and?", 1)

    await job_history.purge(DAYS)

    (fact,) = await Mappings(pool).facts([Posted(follow_up, TeamId("t" * 26), "agent")], "agent")
    assert not fact.thread_known
