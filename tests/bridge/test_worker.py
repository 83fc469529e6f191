"""The worker: claims, hands over, records; stops without losing anything."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from asyncpg import Pool
from structlog.testing import capture_logs

from bridge.db.inbox import Inbox
from bridge.db.job_history import JobHistory, JobRecord
from bridge.db.job_runner import Capacity
from bridge.errors import AgentFailed, DatabaseUnavailable, MattermostUnavailable
from bridge.metrics import Metrics
from bridge.models.chat import PostId
from bridge.models.equa import OrganizationId
from bridge.models.jobs import Entry, Job, JobId
from bridge.worker import Handler, Worker, WorkerConfig
from tests.support.postgres import expire_leases

ACME = OrganizationId(UUID(int=1))
BOREALIS = OrganizationId(UUID(int=2))
QUICK = WorkerConfig(slots=8, claim=4, poll=0.05, renew=0.05, stop=0.2)


def entry(name: str, lane: str = "", organization: OrganizationId = ACME) -> Entry:
    return Entry("mention", f"thread:{lane or name}", organization, f"post:{name}", {"post_id": name})


class Recorder:
    """A handler that notes what it was given and waits while its gate is closed."""

    def __init__(self) -> None:
        self.began: list[str] = []
        self.ended: list[str] = []
        self.errors: dict[str, list[Exception]] = {}
        self.interrupted = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, job: Job) -> Mapping[str, Any]:
        name = job.payload["post_id"]
        self.began.append(name)
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.interrupted.set()
            raise
        if errors := self.errors.get(name):
            raise errors.pop(0)
        self.ended.append(name)
        return {"posts": [name]}


@asynccontextmanager
async def working(
    inbox: Inbox, handler: Recorder | Handler, config: WorkerConfig = QUICK
) -> AsyncIterator[asyncio.Event]:
    """Run a worker; leaving stops it."""
    stop = asyncio.Event()
    mention = handler if isinstance(handler, Handler) else Handler(handler)
    worker = Worker(inbox, {"mention": mention}, Metrics(), asyncio.Event(), config)
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        group.create_task(worker.run(stop))
        yield stop
        stop.set()


async def until(job_history: JobHistory, name: str, *states: str) -> JobRecord:
    """Wait until the job is in one of the states, also through connections that a test has cut."""
    async with asyncio.timeout(60):
        while True:
            with suppress(DatabaseUnavailable):
                record = await job_history.record(PostId(name))
                if record and record.state in states:
                    return record
            await asyncio.sleep(0.01)


@pytest.fixture
def inbox(pool: Pool) -> Inbox:
    return Inbox(pool)


@pytest.fixture
def job_history(pool: Pool) -> JobHistory:
    return JobHistory(pool)


async def test_a_job_is_done_and_its_result_kept(inbox: Inbox, job_history: JobHistory) -> None:
    """What the handler returns is what the ledger tells."""
    await inbox.put_all([entry("1")])

    async with working(inbox, Recorder()):
        record = await until(job_history, "1", "done")

    assert record.result == {"posts": ["1"]}


async def test_a_lane_stays_in_order_through_a_retry(inbox: Inbox, job_history: JobHistory) -> None:
    """A question that waits for its second attempt is not overtaken by the next one of its thread."""
    handler = Recorder()
    handler.errors["1"] = [MattermostUnavailable("away", retry_after=0.01)]
    await inbox.put_all([entry("1", "a"), entry("2", "a"), entry("3", "b")])

    async with working(inbox, handler):
        await until(job_history, "2", "done")

    assert handler.ended.index("1") < handler.ended.index("2")


async def test_a_failure_that_cannot_be_mended_is_a_dead_letter(
    inbox: Inbox, job_history: JobHistory
) -> None:
    """It is kept with its error, and its lane goes on."""
    handler = Recorder()
    handler.errors["1"] = [AgentFailed("no answer")]
    await inbox.put_all([entry("1", "a"), entry("2", "a")])

    async with working(inbox, handler):
        record = await until(job_history, "1", "dead")
        await until(job_history, "2", "done")

    assert record.reason == "agent_failed: no answer"


async def test_an_unknown_error_does_not_end_the_worker(inbox: Inbox, job_history: JobHistory) -> None:
    """A bug in a handler is retried a few times, named without its text, and others are not affected."""
    handler = Recorder()
    handler.errors["1"] = [ValueError("internal text")]
    await inbox.put_all([entry("1"), entry("2")])

    async with working(inbox, handler):
        await until(job_history, "2", "done")
        record = await until(job_history, "1", "waiting", "done")

    assert "internal text" not in (record.reason or "")


async def test_an_organization_leaves_room_for_others(inbox: Inbox, job_history: JobHistory) -> None:
    """However many jobs one organization has, it does not take the last slots."""
    handler = Recorder()
    handler.gate.clear()
    await inbox.put_all([entry(f"a{n}") for n in range(20)])

    async with working(inbox, handler):
        await until(job_history, "a0", "running")
        await inbox.put_all([entry("b", organization=BOREALIS)])
        await until(job_history, "b", "running")
        handler.gate.set()


async def test_a_stop_finishes_what_is_in_hand_and_takes_nothing_new(
    inbox: Inbox, job_history: JobHistory
) -> None:
    """A running answer is finished within the time of a stop; what waits is left to the next process."""
    handler = Recorder()
    handler.gate.clear()
    await inbox.put_all([entry("1", "a"), entry("2", "a")])

    async with working(inbox, handler) as stop:
        await until(job_history, "1", "running")
        stop.set()
        handler.gate.set()

    assert handler.ended == ["1"]
    assert (await until(job_history, "2", "waiting")).attempts == 0


async def test_a_stop_gives_back_what_takes_too_long(
    inbox: Inbox, job_history: JobHistory, pool: Pool
) -> None:
    """After its time a stop leaves the job to be claimed by the next process at once."""
    handler = Recorder()
    handler.gate.clear()
    await inbox.put_all([entry("1")])

    async with working(inbox, handler) as stop:
        await until(job_history, "1", "running")
        stop.set()
    (again,) = await Inbox(pool).claim(Capacity(1))

    assert again.attempts == 2
    assert handler.ended == []


async def test_a_lease_is_renewed_while_its_job_runs(pool: Pool, job_history: JobHistory) -> None:
    """A long answer is not taken over by another process."""
    inbox, other = Inbox(pool, lease=timedelta(seconds=2)), Inbox(pool)
    handler = Recorder()
    handler.gate.clear()
    await inbox.put_all([entry("1")])

    async with working(inbox, handler):
        first = (await until(job_history, "1", "running")).lease
        async with asyncio.timeout(60):
            while (await until(job_history, "1", "running")).lease == first:
                await asyncio.sleep(0.01)
        assert await other.claim(Capacity(1)) == []
        handler.gate.set()

    assert handler.began == ["1"]


async def test_what_is_in_hand_is_not_begun_again(
    inbox: Inbox, pool: Pool, dsn: str, job_history: JobHistory
) -> None:
    """After an outage longer than a lease a process neither frees its own jobs nor begins them anew."""
    handler = Recorder()
    handler.gate.clear()
    await inbox.put_all([entry("1")])

    async with working(inbox, handler, replace(QUICK, renew=60)):
        await until(job_history, "1", "running")
        await inbox.put_all([entry("2"), entry("3")])
        await until(job_history, "2", "running")
        await until(job_history, "3", "running")
        await expire_leases(dsn)
        assert await Inbox(pool).release_expired() == 3
        await until(job_history, "1", "running")
        await until(job_history, "3", "running")
        handler.gate.set()
        await until(job_history, "1", "done")

    assert sorted(handler.began) == ["1", "2", "3"]


async def test_what_is_claimed_while_stopping_is_released(
    inbox: Inbox, job_history: JobHistory, pool: Pool
) -> None:
    """Whoever stored it had asked for room before the stop; the stop takes no longer for it."""
    handler = Recorder()
    handler.gate.clear()
    stop = asyncio.Event()
    worker = Worker(inbox, {"mention": Handler(handler)}, Metrics(), asyncio.Event(), QUICK)
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        group.create_task(worker.run(stop))
        await inbox.put_all([entry("1")])
        await until(job_history, "1", "running")
        async with pool.acquire() as blocker, blocker.transaction():
            await blocker.execute("lock table jobs in share row exclusive mode")
            putting = asyncio.create_task(inbox.put_all([entry("2")]))
            await _blocked(pool)
            stop.set()
        await putting
    await worker.release()

    assert handler.began == ["1"]
    record = await until(job_history, "2", "waiting")
    assert (record.attempts, record.reason) == (1, None)


async def _blocked(pool: Pool) -> None:
    """Wait until a statement that stores waits for a lock."""
    blocked = """select count(*) from pg_stat_activity
                 where wait_event_type = 'Lock' and query like '%with entry as%'"""
    async with asyncio.timeout(60):
        while not await pool.fetchval(blocked):
            await asyncio.sleep(0.01)


async def test_the_last_word_about_a_job_is_its_outcome(inbox: Inbox, job_history: JobHistory) -> None:
    """What is given up is told with its reason, and the job keeps what that came to."""
    reported: list[tuple[str, str]] = []

    async def give_up(job: Job, error: Exception, reason: str) -> Mapping[str, Any]:
        reported.append((type(error).__name__, reason))
        await inbox.save_answer(job.id, "Sorry", reason)
        return {"posts": ["sorry"]}

    handler = Recorder()
    handler.errors["1"] = [AgentFailed("no answer")]
    await inbox.put_all([entry("1")])

    async with working(inbox, Handler(handler, give_up)):
        record = await until(job_history, "1", "dead")

    assert reported == [("AgentFailed", "agent_failed after 1 attempt: no answer")]
    assert (record.result, record.reason) == ({"posts": ["sorry"]}, reported[0][1])


@pytest.mark.parametrize("word", [None, AgentFailed("worse")], ids=["nobody to tell", "the telling fails"])
async def test_without_a_last_word_a_job_is_a_dead_letter(
    inbox: Inbox, job_history: JobHistory, word: Exception | None
) -> None:
    """Its reason is the first error, or the one that kept its last word from being said."""

    async def give_up(_job: Job, _error: Exception, _reason: str) -> Mapping[str, Any] | None:
        if word:
            raise word
        return None

    handler = Recorder()
    handler.errors["1"] = [AgentFailed("no answer")]
    await inbox.put_all([entry("1")])

    async with working(inbox, Handler(handler, give_up)):
        record = await until(job_history, "1", "dead")

    assert record.reason == f"agent_failed: {'worse' if word else 'no answer'}"


async def test_a_last_word_that_may_still_be_said_is_tried_again(
    inbox: Inbox, job_history: JobHistory
) -> None:
    """While Mattermost is away nobody hears it."""
    handler, away = Recorder(), [MattermostUnavailable("away", retry_after=0.01)]
    handler.errors["1"] = [AgentFailed("no answer"), AgentFailed("no answer")]

    async def give_up(_job: Job, _error: Exception, _reason: str) -> Mapping[str, Any]:
        if away:
            raise away.pop()
        return {"posts": ["sorry"]}

    await inbox.put_all([entry("1")])

    async with working(inbox, Handler(handler, give_up)):
        record = await until(job_history, "1", "done")

    assert (record.attempts, record.result) == (2, {"posts": ["sorry"]})


async def test_what_it_learns_it_does_from_then_on(inbox: Inbox, job_history: JobHistory) -> None:
    """A job of a kind that it cannot do yet waits, for it or for another process."""
    handler, stop = Recorder(), asyncio.Event()
    worker = Worker(inbox, {}, Metrics(), asyncio.Event(), QUICK)
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        group.create_task(worker.run(stop))
        await inbox.put_all([entry("1"), replace(entry("2"), kind="notice")])

        worker.register({"mention": Handler(handler)})
        await until(job_history, "1", "done")
        stop.set()

    assert (await until(job_history, "2", "waiting")).attempts == 0


async def test_an_apology_is_told_from_an_answer(inbox: Inbox, job_history: JobHistory) -> None:
    """In the line of the job and in what is counted."""
    metrics = Metrics()

    async def apologize(job: Job) -> Mapping[str, Any]:
        await inbox.save_answer(job.id, "Sorry", "agent_failed: x")
        return {}

    await inbox.put_all([entry("1")])
    worker, stop = (
        Worker(inbox, {"mention": Handler(apologize)}, metrics, asyncio.Event(), QUICK),
        asyncio.Event(),
    )
    with capture_logs() as lines:
        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            group.create_task(worker.run(stop))
            await until(job_history, "1", "dead")
            stop.set()

    assert [line["outcome"] for line in lines if line["event"] == "job"] == ["apology"]
    assert 'jobs_finished_total{kind="mention",outcome="apology"} 1.0' in metrics.render().decode()


async def test_a_lost_lease_stops_the_work(inbox: Inbox, job_history: JobHistory, pool: Pool) -> None:
    """When another process took the job over, this one lets go of it and records nothing."""
    handler = Recorder()
    handler.gate.clear()
    await inbox.put_all([entry("1")])

    async with working(inbox, handler):
        await until(job_history, "1", "running")
        await pool.execute("update jobs set holder = gen_random_uuid()")
        await handler.interrupted.wait()

    assert (await until(job_history, "1", "running")).finished is None


@dataclass(slots=True)
class Late(Inbox):
    """Leases are renewed when that is allowed; the answer comes later still."""

    calls: asyncio.Queue[None] = field(default_factory=asyncio.Queue)
    may_renew: asyncio.Event = field(default_factory=asyncio.Event)
    renewed: asyncio.Event = field(default_factory=asyncio.Event)
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)

    async def renew(self, jobs: Collection[JobId]) -> frozenset[JobId]:
        self.calls.put_nowait(None)
        await self.may_renew.wait()
        ours = await Inbox.renew(self, jobs)
        self.renewed.set()
        await self.may_answer.wait()
        return ours


async def test_an_attempt_is_not_ended_for_the_one_before_it(pool: Pool, job_history: JobHistory) -> None:
    """A job may wait while leases are renewed, and run here again when the answer comes."""
    inbox, handler = Late(pool), Recorder()
    handler.gate.clear()
    handler.errors["1"] = [MattermostUnavailable("away", retry_after=60)]
    await inbox.put_all([entry("1")])

    async with working(inbox, handler):
        await inbox.calls.get()
        handler.gate.set()
        await until(job_history, "1", "waiting")
        handler.gate.clear()
        inbox.may_renew.set()
        await inbox.renewed.wait()
        await pool.execute("update jobs set run_at = now()")
        while len(handler.began) < 2:
            await asyncio.sleep(0.01)
        inbox.may_answer.set()
        await inbox.calls.get()
        handler.gate.set()
        await until(job_history, "1", "done")

    assert not handler.interrupted.is_set()


async def test_what_is_abandoned_before_it_has_begun_is_held_no_longer(
    inbox: Inbox, job_history: JobHistory, dsn: str
) -> None:
    """Nobody renews its lease for ever: it is done as soon as it can be claimed again."""
    handler, stop = Recorder(), asyncio.Event()
    await inbox.put_all([entry("1")])
    worker = Worker(inbox, {}, Metrics(), asyncio.Event(), QUICK)
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        group.create_task(worker.run(stop))
        jobs = await inbox.claim(Capacity(1))
        worker.register({"mention": Handler(handler)})
        worker.begin(jobs)
        worker.abandon(jobs)
        await expire_leases(dsn)
        record = await until(job_history, "1", "done")
        stop.set()

    assert handler.began == ["1"]
    assert record.attempts == 2


async def test_jobs_whose_holder_died_are_taken_over(pool: Pool, job_history: JobHistory) -> None:
    """A worker frees expired leases by itself and does their jobs."""
    dead = Inbox(pool, lease=timedelta(0))
    await dead.put_all([entry("1")])
    await dead.claim(Capacity(1))
    handler = Recorder()

    async with working(Inbox(pool), handler):
        record = await until(job_history, "1", "done")

    assert record.attempts == 2


async def test_a_database_that_goes_away_costs_nothing_but_time(
    inbox: Inbox, job_history: JobHistory, pool: Pool
) -> None:
    """Cutting every connection while jobs run loses and repeats nothing."""
    handler = Recorder()
    handler.gate.clear()
    await inbox.put_all([entry("1"), entry("2")])

    async with working(inbox, handler):
        await until(job_history, "2", "running")
        await pool.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )
        handler.gate.set()
        await until(job_history, "1", "done")
        await until(job_history, "2", "done")

    assert sorted(handler.began) == ["1", "2"]
