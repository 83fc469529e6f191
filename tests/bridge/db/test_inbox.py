"""The job table: at least once in, one at a time and in order within a lane, fair among organizations."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from asyncpg import Pool

from bridge.db.inbox import Inbox
from bridge.db.job_history import JobHistory
from bridge.db.job_runner import Capacity
from bridge.db.positions import Positions
from bridge.db.statements import CLAIM
from bridge.models.chat import ChannelId, Position, PostId
from bridge.models.equa import OrganizationId
from bridge.models.jobs import Entry, Job
from tests.support.runner import Runner

ACME = OrganizationId(UUID(int=1))
BOREALIS = OrganizationId(UUID(int=2))


def entry(name: str, lane: str = "thread:a", organization: OrganizationId = ACME) -> Entry:
    return Entry("mention", lane, organization, f"post:{name}", {"post_id": name})


def position(create_at: int, channel: str = "c") -> Position:
    return Position(ChannelId(channel), PostId(f"p{create_at}"), create_at, 0)


def names(jobs: list[Job]) -> list[str]:
    return [job.payload["post_id"] for job in jobs]


@pytest.fixture
def inbox(pool: Pool) -> Inbox:
    return Inbox(pool)


@pytest.fixture
def other(pool: Pool) -> Inbox:
    """Another process on the same database."""
    return Inbox(pool)


async def test_the_same_post_is_stored_once(inbox: Inbox, other: Inbox) -> None:
    """A post that arrives twice, or in two processes, is one job."""
    first = await inbox.put_all([entry("1"), entry("2")])
    second = await other.put_all([entry("2"), entry("3")])

    assert first == {"post:1", "post:2"}
    assert second == {"post:3"}


async def test_a_position_moves_with_what_it_passes_and_only_forward(inbox: Inbox, pool: Pool) -> None:
    """Posts and position are one transaction, and an older position changes nothing."""
    await inbox.put_all([entry("1")], [position(10)])
    await inbox.put_all([entry("2")], [position(5), position(7, "d")])

    stored = await Positions(pool).all()

    assert {(p.channel_id, p.create_at) for p in stored.values()} == {("c", 10), ("d", 7)}


async def test_nothing_is_stored_when_the_position_cannot_be(inbox: Inbox, pool: Pool) -> None:
    """A failed transaction leaves neither the job nor the position."""
    twice = [position(1), position(2)]

    with pytest.raises(Exception, match="second time"):
        await inbox.put_all([entry("1")], twice)

    assert await pool.fetchval("select count(*) from jobs") == 0


async def test_a_lane_runs_one_job_at_a_time_in_order(inbox: Inbox) -> None:
    """The second of a lane is only claimed when the first is finished."""
    await inbox.put_all([entry("1"), entry("2"), entry("3", "thread:b")])

    first = await inbox.claim(Capacity(10))
    meanwhile = await inbox.claim(Capacity(10))
    await inbox.finish(first[0].id)
    then = await inbox.claim(Capacity(10))

    assert names(first) == ["1", "3"]
    assert meanwhile == []
    assert names(then) == ["2"]


async def test_what_is_queued_costs_a_claim_nothing(inbox: Inbox, pool: Pool) -> None:
    """However many jobs stand behind the first of a lane: a claim reads as many pages as without them.

    Right after a burst the planner has no statistics yet, or those of a vacuum in its middle. Then a claim
    touches up to some hundred pages more, but not one for each job.
    """
    # With many rows the planner takes another index, whose first claim reads what earlier tests have deleted.
    await pool.execute("truncate jobs cascade")
    await inbox.put_all([entry("head"), entry("x", "thread:x")])
    await inbox.claim(Capacity(1))
    few = await pages_of_a_claim(pool)
    for start in range(0, 20_000, 1000):
        await inbox.put_all([entry(f"{start + n}") for n in range(1000)])
        if start == 1000:
            assert await pages_of_a_claim(pool) < few + 500
    await pool.execute("vacuum analyze jobs")

    assert await pages_of_a_claim(pool) < few + 50


async def pages_of_a_claim(pool: Pool) -> int:
    """Return how many of PostgreSQL's pages a claim touches; nothing is claimed."""
    async with pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        claim: tuple[object, ...] = (10, uuid4(), timedelta(0), [], "mention", ["thread:a"], "jobs")
        plan = await connection.fetchval("explain (analyze, buffers, format json) " + CLAIM, *claim)
        await transaction.rollback()
    (reported,) = json.loads(plan)
    return pages_of(reported["Plan"])


def pages_of(node: Mapping[str, Any]) -> int:
    """Count those of each step of a plan: the last one's do not include what it reads of the others."""
    own = int(node["Shared Hit Blocks"]) + int(node["Shared Read Blocks"])
    return own + sum(map(pages_of, node.get("Plans", ())))


async def end_while_storing(inbox: Inbox, other: Inbox, *, last: str) -> None:
    """Store job 2 while job 1 of its lane ends, so that neither sees the other; `last` is committed later."""
    await inbox.put_all([entry("1")])
    (first,) = await inbox.claim(Capacity(1))
    async with inbox.pool.acquire() as slow:
        transaction = slow.transaction()
        await transaction.start()
        held = other if last == "stored" else inbox
        quick, held.pool = held.pool, cast("Pool", slow)
        await slow.execute("set transaction isolation level repeatable read")
        await slow.fetchval("select 1 from jobs limit 1")
        if last == "stored":
            await inbox.finish(first.id)
            await other.put_all([entry("2")])
        else:
            await other.put_all([entry("2")])
            await inbox.finish(first.id)
        await transaction.commit()
        held.pool = quick


@pytest.mark.parametrize("last", ["stored", "ended"])
async def test_one_that_was_stored_while_its_lane_ended_is_claimed(
    inbox: Inbox, other: Inbox, last: str
) -> None:
    """It saw the one before it run, whose end did not see it; the later of both lets it go on."""
    await end_while_storing(inbox, other, last=last)
    later, earlier = (other, inbox) if last == "stored" else (inbox, other)
    assert await earlier.claim(Capacity(10)) == []

    assert await later.claim(Capacity(0)) == []

    assert names(await earlier.claim(Capacity(10))) == ["2"]


async def test_one_of_a_process_that_died_is_found(inbox: Inbox, other: Inbox) -> None:
    """The reaper lets a job be claimed that nobody else let go on."""
    await end_while_storing(inbox, other, last="stored")
    inbox.runner = runner = Runner(Capacity(10))

    await inbox.release_expired()

    assert runner.woken == 1
    assert names(await inbox.claim(Capacity(10))) == ["2"]

    await inbox.release_expired()

    assert runner.woken == 1


@pytest.fixture
async def running(inbox: Inbox) -> tuple[Job, Runner]:
    """The first of a lane, which runs here, and who runs it."""
    inbox.runner = runner = Runner(Capacity(10))
    await inbox.put_all([entry("1")])
    (job,) = runner.begun
    runner.begun.clear()
    return job, runner


async def test_the_next_of_a_lane_begins_with_the_end_before_it(
    inbox: Inbox, running: tuple[Job, Runner]
) -> None:
    """It is as claimed as by a claim, and nobody needs to look for others."""
    first, runner = running
    await inbox.put_all([entry("2"), entry("3")])

    await inbox.finish(first.id)

    (second,) = runner.begun
    assert (second.payload["post_id"], second.attempts) == ("2", 1)
    assert runner.rests == [first.id]
    assert await inbox.holds(second.id)
    assert await inbox.claim(Capacity(10)) == []

    await inbox.dead_letter(second.id, "no")

    assert names(runner.begun) == ["2", "3"]


async def test_the_next_of_a_lane_overtakes_nobody(inbox: Inbox, running: tuple[Job, Runner]) -> None:
    """Where others wait for a claim, the fair-share rank decides."""
    first, runner = running
    runner.room = Capacity(0)
    await inbox.put_all([entry("2"), entry("b", "thread:b", BOREALIS)])
    runner.room = Capacity(10)

    await inbox.finish(first.id)

    assert (runner.begun, runner.rests) == ([], [])
    assert sorted(names(await inbox.claim(Capacity(10)))) == ["2", "b"]


@pytest.mark.parametrize(
    "room", [Capacity(0), Capacity(10, full=[ACME]), Capacity(10, kinds=["notice"])], ids=str
)
async def test_the_next_of_a_lane_needs_room(
    inbox: Inbox, running: tuple[Job, Runner], room: Capacity
) -> None:
    first, runner = running
    await inbox.put_all([entry("2")])
    runner.room = room

    await inbox.finish(first.id)

    assert (runner.begun, runner.rests) == ([], [])
    assert names(await inbox.claim(Capacity(10))) == ["2"]


async def test_a_job_whose_lease_was_lost_lets_nothing_begin(
    inbox: Inbox, running: tuple[Job, Runner], pool: Pool
) -> None:
    first, runner = running
    await inbox.put_all([entry("2")])
    await pool.execute("update jobs set holder = gen_random_uuid() where id = $1", first.id)

    assert await inbox.finish(first.id) is None

    assert (runner.begun, runner.rests) == ([], [])


async def test_who_looks_for_jobs_while_one_ends_looks_again(
    inbox: Inbox, running: tuple[Job, Runner], pool: Pool
) -> None:
    """A job that was stored behind it meanwhile was looked for in vain, and the end did not see it."""
    first, runner = running
    async with pool.acquire() as slow, slow.transaction():
        await slow.execute("select from jobs where id = $1 for update", first.id)
        ending = asyncio.create_task(inbox.finish(first.id))
        await until_blocked(pool)
        assert await inbox.claim(Capacity(10)) == []
    assert await ending == "done"
    assert runner.rests == []


async def until_blocked(pool: Pool) -> None:
    """Wait until a statement of this database waits for a lock."""
    waiting = """select exists (select from pg_stat_activity
                                where datname = current_database() and wait_event_type = 'Lock')"""
    async with asyncio.timeout(60):
        while not await pool.fetchval(waiting):
            await asyncio.sleep(0.01)


async def test_a_repeat_does_not_hold_up_what_is_new(inbox: Inbox) -> None:
    """A catch-up reads again what is done already, and what follows it begins at once."""
    await inbox.put_all([entry("1")])
    (first,) = await inbox.claim(Capacity(1))
    await inbox.finish(first.id)

    inbox.runner = runner = Runner(Capacity(10))

    await inbox.put_all([entry("1"), entry("2")])

    assert names(runner.begun) == ["2"]


async def test_what_nobody_here_can_do_is_left_to_others(inbox: Inbox) -> None:
    """Of new jobs only those begin at once whose kind has a handler; somebody is to look for the rest."""
    inbox.runner = runner = Runner(Capacity(10, kinds=["mention"]))

    await inbox.put_all([entry("1"), replace(entry("2", "channel:b"), kind="notice")])

    assert names(runner.begun) == ["1"]
    assert runner.woken == 1
    assert names(await inbox.claim(Capacity(10))) == ["2"]


async def test_renewing_and_reaping_at_once_lock_in_one_order(inbox: Inbox, other: Inbox, pool: Pool) -> None:
    """After an outage one process renews hundreds of leases while another frees them."""
    await inbox.put_all([entry(str(n), f"thread:{n}") for n in range(400)])
    held = [job.id for _ in range(4) for job in await inbox.claim(Capacity(100))]
    for _ in range(20):
        await pool.execute(
            "update jobs set lease = now() - random() * interval '1 s' where state = 'running'"
        )
        await asyncio.gather(
            inbox.renew(sorted(held, key=str)), other.release_expired(), inbox.renew(held[::-1])
        )
        await pool.execute(
            "update jobs set state = 'running', holder = $1 where state = 'waiting'", inbox.holder
        )


async def test_what_one_cannot_do_is_left_to_others(inbox: Inbox) -> None:
    """And so is what stands behind it in its lane."""
    await inbox.put_all([entry("1"), replace(entry("2"), kind="invite"), entry("3", "thread:b")])

    assert await inbox.claim(Capacity(10, kinds=["notice"])) == []
    assert await inbox.claim(Capacity(10, kinds=["invite"])) == []
    assert names(await inbox.claim(Capacity(10, kinds=["mention"]))) == ["1", "3"]


async def test_a_retry_is_not_overtaken(inbox: Inbox) -> None:
    """While the first of a lane waits for its next attempt, the second waits too."""
    await inbox.put_all([entry("1"), entry("2")])
    (first,) = await inbox.claim(Capacity(10))

    assert await inbox.retry(first, 3600, "agent away")
    assert await inbox.claim(Capacity(10)) == []

    await inbox.pool.execute("update jobs set run_at = now()")
    (again,) = await inbox.claim(Capacity(10))

    assert (again.payload["post_id"], again.attempts) == ("1", 2)


async def test_a_dead_job_does_not_block_its_lane(inbox: Inbox, pool: Pool) -> None:
    """A dead letter is kept with its error and the next of its lane goes on."""
    await inbox.put_all([entry("1"), entry("2")])
    (first,) = await inbox.claim(Capacity(10))

    await inbox.dead_letter(first.id, "mattermost_refused: archived")
    record = await JobHistory(pool).record(PostId("1"))

    assert names(await inbox.claim(Capacity(10))) == ["2"]
    assert record is not None
    assert (record.state, record.reason) == ("dead", "mattermost_refused: archived")


async def test_an_expired_lease_is_taken_over_and_its_old_holder_is_told(pool: Pool) -> None:
    """After a takeover nothing that the old holder writes counts."""
    short, other = Inbox(pool, lease=timedelta(0)), Inbox(pool)
    await short.put_all([entry("1")])
    (job,) = await short.claim(Capacity(1))

    assert await other.release_expired() == 1
    (taken,) = await other.claim(Capacity(1))

    assert taken.id == job.id
    assert not await short.save_answer(job.id, "mine")
    assert not await short.finish(job.id)
    assert not await short.retry(job, 1, "x")
    assert not await short.dead_letter(job.id, "x")
    assert await short.renew([job.id]) == frozenset()
    assert await other.renew([job.id]) == {job.id}


async def test_a_renewed_lease_is_not_reaped(inbox: Inbox, other: Inbox) -> None:
    """A job that somebody works on stays his."""
    await inbox.put_all([entry("1")])
    await inbox.claim(Capacity(1))

    assert await other.release_expired() == 0


async def test_what_is_given_back_is_claimed_at_once(inbox: Inbox, other: Inbox) -> None:
    """A graceful stop leaves its jobs to the next process without waiting for the lease."""
    await inbox.put_all([entry("1"), entry("2", "thread:b")])
    await inbox.claim(Capacity(10))

    await inbox.release()

    assert names(await other.claim(Capacity(10))) == ["1", "2"]


async def test_an_answer_is_kept_for_the_next_attempt(inbox: Inbox, other: Inbox) -> None:
    """What was to be posted survives its process."""
    await inbox.put_all([entry("1")])
    (job,) = await inbox.claim(Capacity(1))
    await inbox.save_answer(job.id, "forty-two", "agent_failed: x")
    await inbox.release()

    (again,) = await other.claim(Capacity(1))

    assert (again.answer, again.failure, again.key) == ("forty-two", "agent_failed: x", job.key)


async def test_an_apology_ends_dead_with_its_reason(inbox: Inbox, pool: Pool) -> None:
    """A job whose answer is an apology is a dead letter although something was posted."""
    await inbox.put_all([entry("1")])
    (job,) = await inbox.claim(Capacity(1))
    await inbox.save_answer(job.id, "Sorry", "agent_failed: x")
    await inbox.finish(job.id, {"posts": ["p"]})

    record = await JobHistory(pool).record(PostId("1"))

    assert record is not None
    assert (record.state, record.reason, record.result) == ("dead", "agent_failed: x", {"posts": ["p"]})


async def test_a_backlog_of_one_organization_does_not_delay_anothers_first_question(inbox: Inbox) -> None:
    """Turns interleave organizations however many jobs one of them has waiting."""
    await inbox.put_all([entry(f"a{n}", f"thread:{n}") for n in range(500)])
    for job in await inbox.claim(Capacity(20)):
        await inbox.finish(job.id)
    await inbox.claim(Capacity(5))
    await inbox.put_all([entry("b1", "thread:x", BOREALIS), entry("b2", "thread:y", BOREALIS)])

    claimed = await inbox.claim(Capacity(4))

    assert {"b1", "b2"} <= set(names(claimed))


async def test_a_full_organization_is_left_out(inbox: Inbox) -> None:
    """The worker can leave out an organization that already holds its share."""
    await inbox.put_all([entry("a"), entry("b", "thread:b", BOREALIS)])

    assert names(await inbox.claim(Capacity(10, [ACME]))) == ["b"]


async def test_two_processes_never_run_a_lane_twice_or_out_of_order(inbox: Inbox, other: Inbox) -> None:
    """Under contention every job of a lane is claimed once, in order, and never beside another."""
    await inbox.put_all([entry(f"{lane}-{n}", f"thread:{lane}") for n in range(10) for lane in range(5)])
    running: set[str] = set()
    seen: dict[str, list[str]] = {}

    async def work(process: Inbox) -> None:
        while sum(map(len, seen.values())) < 50:
            for job in await process.claim(Capacity(3)):
                assert job.lane not in running
                running.add(job.lane)
                seen.setdefault(job.lane, []).append(job.payload["post_id"])
                await asyncio.sleep(0)
                running.discard(job.lane)
                await process.finish(job.id)

    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        for process in (inbox, other, inbox, other):
            group.create_task(work(process))

    assert seen == {f"thread:{lane}": [f"{lane}-{n}" for n in range(10)] for lane in range(5)}


async def test_a_refusal_is_kept_but_never_claimed(inbox: Inbox, pool: Pool) -> None:
    """Why a post was not answered can be told later."""
    await inbox.put_all([Entry("mention", "thread:a", ACME, "post:1", {}, refused="not_mentioned")])

    record = await JobHistory(pool).record(PostId("1"))

    assert await inbox.claim(Capacity(10)) == []
    assert record is not None
    assert (record.state, record.reason) == ("refused", "not_mentioned")


async def test_finished_jobs_are_forgotten_after_a_while(inbox: Inbox, pool: Pool) -> None:
    """Only what ended, and long ago, is purged."""
    await inbox.put_all([entry("1"), entry("2", "thread:b")])
    first, _ = await inbox.claim(Capacity(2))
    await inbox.finish(first.id)

    assert await JobHistory(pool).purge(timedelta(days=1)) == 0
    assert await JobHistory(pool).purge(timedelta(0)) == 1
    assert await JobHistory(pool).record(PostId("2")) is not None


async def test_keys_are_random(inbox: Inbox) -> None:
    """Nobody can guess the key that the pending ids of a job's posts are made of."""
    await inbox.put_all([entry(str(n), f"thread:{n}") for n in range(3)])

    keys = {job.key for job in await inbox.claim(Capacity(3))}

    assert len(keys) == 3
    assert uuid4().version == next(iter(keys)).version
