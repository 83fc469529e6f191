"""What is worked on before it is on disk: a database that crashes or goes away loses and doubles nothing."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from asyncpg import Pool

from bridge.db.inbox import Inbox
from bridge.db.job_runner import Capacity
from bridge.db.migrate import migrate
from bridge.db.pool import unchecked_pool
from bridge.db.positions import Positions
from bridge.db.unhurried import ToDisk
from bridge.errors import DatabaseUnavailable, LeaseLost
from bridge.metrics import Metrics
from bridge.models.agent import Usage
from bridge.models.chat import ChannelId, Position, PostId
from bridge.models.equa import OrganizationId, PersonId
from bridge.models.jobs import Entry, Job
from bridge.models.usage import Meter, Run, Used
from bridge.outage import retry_until_available
from bridge.worker import Handler, Worker
from tests.support.relay import Relay
from tests.support.replication import Node, alone
from tests.support.runner import Runner

ACME = OrganizationId(UUID(int=1))
ADA = PersonId(UUID(int=3))
WAIT = b"pg_logical_emit_message"
WAITS = "datname = current_database() and wait_event_type = 'Lock'"


def question(name: str = "1") -> Entry:
    payload = {"post_id": name, "message": "hello", "person_id": str(ADA)}
    return Entry("mention", f"thread:{name}", ACME, f"post:{name}", payload)


def read_until(moment: int) -> list[Position]:
    return [Position(ChannelId("c"), PostId(f"p{moment}"), moment, 0)]


def took() -> Used:
    return Meter([Run("equabot", Usage(10, 5))], 0.5, 1.5).used("answered")


async def stored(pool: Pool) -> tuple[str, str | None]:
    """Return the state and the answer of the only job."""
    (row,) = await pool.fetch("select state, answer from jobs")
    return row["state"], row["answer"]


@dataclass
class Working(Runner):
    """Ends tasks when the jobs are abandoned."""

    tasks: list[asyncio.Task[Any]] = field(default_factory=list)

    def abandon(self, jobs: Iterable[Job]) -> None:
        super().abandon(jobs)
        for task in self.tasks:
            task.cancel()


@dataclass
class Scene:
    """A question that is worked on, and is not on disk: nobody answers whoever waits for that."""

    relay: Relay
    inbox: Inbox
    runner: Working
    storing: asyncio.Task[Any]

    @property
    def job(self) -> Job:
        (job,) = self.runner.begun
        return job

    def go_on(self) -> None:
        """Cut the connections; on the next ones the database answers."""
        self.relay.deaf_to = b""
        self.relay.cut()


@pytest.fixture
async def scene(dsn: str) -> AsyncIterator[Scene]:
    with Relay(dsn, deaf_to=WAIT) as relay:
        async with relay.open(), await unchecked_pool(relay.dsn) as own:
            runner = Working(Capacity(10))
            inbox = Inbox(own, runner=runner)
            storing = asyncio.create_task(inbox.put_all([question()], read_until(10)))
            await relay.ignored.wait()
            made = Scene(relay, inbox, runner, storing)
            yield made
            made.go_on()
            storing.cancel()
            with suppress(asyncio.CancelledError, DatabaseUnavailable):
                await storing


async def test_a_question_begins_at_once_and_nothing_is_written_of_it_before_it_is_on_disk(
    scene: Scene, pool: Pool
) -> None:
    """A connection that breaks meanwhile ends nothing."""
    saving = asyncio.create_task(scene.inbox.save_answer(scene.job.id, "hello, you"))
    assert await stored(pool) == ("running", None)
    assert not scene.storing.done()

    scene.go_on()

    assert await saving
    assert await scene.storing == {"post:1"}
    assert scene.runner.abandoned == []
    assert await scene.inbox.finish(scene.job.id) == "done"


@pytest.mark.parametrize("number", ["free", "given to another"])
async def test_who_works_on_a_question_that_a_crash_has_taken_stops(
    scene: Scene, pool: Pool, number: str
) -> None:
    """Its number may be another's by then; whoever stored it stores it again."""
    job = scene.job
    scene.runner.tasks.append(asyncio.create_task(scene.inbox.finish(job.id)))
    await pool.execute("delete from jobs")
    await pool.execute("delete from positions")
    if number != "free":
        await pool.execute("select setval(pg_get_serial_sequence('jobs', 'id'), $1, false)", job.id)
        another = Inbox(pool, holder=scene.inbox.holder)
        await another.put_all([question("2")])
        assert [each.id for each in await another.claim(Capacity(1))] == [job.id]

    scene.go_on()

    with pytest.raises(DatabaseUnavailable, match="lost"):
        await scene.storing
    with pytest.raises(asyncio.CancelledError):
        await scene.runner.tasks[0]
    assert scene.runner.abandoned == [job]
    assert await pool.fetchval("select count(*) from jobs where state <> 'running'") == 0
    assert await scene.inbox.put_all([question()], read_until(10)) == {"post:1"}
    assert (await Positions(pool).all())[ChannelId("c")].create_at == 10


async def test_whoever_writes_of_a_question_that_was_lost_hears_so(scene: Scene, pool: Pool) -> None:
    """A task that the work has begun ends a moment after it; the number may be another's by then."""
    job = scene.job
    writes = [
        asyncio.create_task(write)
        for write in (
            scene.inbox.holds(job.id),
            scene.inbox.save_answer(job.id, "hello, you"),
            scene.inbox.finish(job.id),
            scene.inbox.retry(job, 0, "away"),
            scene.inbox.dead_letter(job.id, "broken"),
        )
    ]
    # Until each of them waits.
    await asyncio.sleep(0)
    await pool.execute("update jobs set key = gen_random_uuid()")

    scene.go_on()

    assert not any(await asyncio.gather(*writes))
    assert await stored(pool) == ("running", None)


@dataclass
class Answering:
    """Answers a question with its name, once it may."""

    inbox: Inbox
    may: dict[str, asyncio.Event]

    async def __call__(self, job: Job) -> dict[str, Any]:
        name = job.payload["post_id"]
        await self.may[name].wait()
        if not await retry_until_available("save", partial(self.inbox.save_answer, job.id, name)):
            raise LeaseLost
        return {"posts": [name]}


async def test_another_question_with_the_number_of_a_lost_one_is_answered_with_its_own_answer(
    dsn: str, pool: Pool
) -> None:
    """It is stored before anybody knows that the first one is lost."""
    with Relay(dsn, deaf_to=WAIT) as relay:
        async with relay.open(), await unchecked_pool(relay.dsn) as own, asyncio.TaskGroup() as group:
            inbox, stop, may = Inbox(own), asyncio.Event(), {"1": asyncio.Event(), "2": asyncio.Event()}
            worker = Worker(inbox, {"mention": Handler(Answering(inbox, may))}, Metrics(), asyncio.Event())
            working = group.create_task(worker.run(stop))
            while not inbox.runner:
                await asyncio.sleep(0)
            first = asyncio.create_task(inbox.put_all([question("1")]))
            await relay.ignored.wait()
            lost = await pool.fetchval("delete from jobs returning id")
            await pool.execute("select setval(pg_get_serial_sequence('jobs', 'id'), $1, false)", lost)
            relay.deaf_to = b""
            await inbox.put_all([question("2")])
            may["1"].set()
            relay.cut()
            with pytest.raises(DatabaseUnavailable, match="lost"):
                await first
            may["2"].set()

            async with asyncio.timeout(10):
                while (await stored(pool))[0] != "done":
                    await asyncio.sleep(0.01)

            assert await stored(pool) == ("done", "2")
            stop.set()
            await working


async def test_nobody_works_on_a_question_whose_storing_is_given_up_at_once(pool: Pool) -> None:
    """Before anybody has begun to bring it to the disk."""
    await Inbox(pool).put_all([question()])
    (job,) = await Inbox(pool).claim(Capacity(1))
    lost = list[Job]()
    bringing = asyncio.create_task(ToDisk(pool).bring({"post:1": job}, lost.extend))
    await asyncio.sleep(0)

    bringing.cancel()

    await asyncio.wait({bringing})
    assert lost == [job]


async def test_nobody_waits_for_a_disk_that_no_connection_leads_to(scene: Scene) -> None:
    """After a failover the next run has a pool of its own."""
    scene.inbox.pool.terminate()

    async with asyncio.timeout(10):
        with pytest.raises(DatabaseUnavailable, match="lost"):
            await scene.storing

    assert scene.runner.abandoned == [scene.job]


async def test_nothing_is_kept_of_an_answer_whose_saving_was_given_up(pool: Pool) -> None:
    """The statement is carried out all the same; what ends the job later has another answer, or none."""
    inbox = Inbox(pool)
    await inbox.put_all([question()])
    (job,) = await inbox.claim(Capacity(1))
    async with pool.acquire() as other, other.transaction():
        await other.execute("select from jobs for update")
        saving = asyncio.create_task(inbox.save_answer(job.id, "hello, you", is_findable=True))
        async with asyncio.timeout(10):
            while not await pool.fetchval(f"select exists (select from pg_stat_activity where {WAITS})"):
                await asyncio.sleep(0.01)
        saving.cancel()
        await asyncio.wait({saving})
        inbox.forget(job.id)
        carried_out = {task for task in asyncio.all_tasks() if task.get_name() == "carry out"}
    await asyncio.wait(carried_out)
    assert await stored(pool) == ("running", "hello, you")
    await pool.execute("update jobs set answer = null")

    assert await inbox.finish(job.id, {"skipped": "no_reply"}) == "done"
    assert await stored(pool) == ("done", None)


async def test_nobody_works_on_a_question_whose_storing_is_given_up(scene: Scene) -> None:
    """A process that ends has not seen it on disk."""
    scene.storing.cancel()

    await asyncio.wait({scene.storing})

    assert scene.runner.abandoned == [scene.job]


async def test_a_question_that_another_process_has_just_stored_is_waited_for_too(
    scene: Scene, pool: Pool
) -> None:
    """Else a crash of the database and of that process together would lose it."""
    other = Inbox(scene.inbox.pool, runner=Runner(Capacity(10)))
    scene.relay.ignored.clear()
    storing = asyncio.create_task(other.put_all([question()], read_until(10)))
    await scene.relay.ignored.wait()
    await pool.execute("delete from jobs")

    scene.go_on()

    with pytest.raises(DatabaseUnavailable, match="lost"):
        await storing


async def test_a_server_that_does_not_write_any_more_says_of_no_job_whose_it_is(dsn: str, pool: Pool) -> None:
    """Its standby may be the primary by now, and have given the job to another process."""
    inbox = Inbox(pool)
    await inbox.put_all([question()])
    (job,) = await inbox.claim(Capacity(1))
    with Relay(dsn, deaf_to=b"update jobs set lease") as relay:
        async with relay.open(), await unchecked_pool(relay.dsn) as own:
            holding = asyncio.create_task(Inbox(own, holder=inbox.holder).holds(job.id))
            async with asyncio.timeout(10):
                await relay.ignored.wait()
            assert not holding.done()
            relay.cut()

            with pytest.raises(DatabaseUnavailable):
                await holding

    assert await inbox.holds(job.id)


@dataclass
class Unlucky(Runner):
    """Whose database crashes at the moment at which the first job begins."""

    server: Node | None = None

    def begin(self, jobs: Iterable[Job]) -> None:
        super().begin(jobs)
        if self.server:
            self.server.crash()
            self.server = None


@dataclass
class Dying(Runner):
    """Whose process dies at the moment at which the first job begins."""

    storing: asyncio.Task[Any] | None = None

    def begin(self, jobs: Iterable[Job]) -> None:
        super().begin(jobs)
        assert self.storing
        self.storing.cancel()


async def heard_by_two(pool: Pool, entry: Entry) -> None:
    """Let a process store a question and die, and one go on that has heard it too and found it stored."""
    runner = Dying(Capacity(10))
    runner.storing = asyncio.create_task(Inbox(pool, runner=runner).put_all([entry], read_until(5)))
    await asyncio.wait({runner.storing})
    assert runner.begun
    await Inbox(pool).put_all([], read_until(5))


async def test_a_crash_takes_neither_a_question_nor_an_answer(tmp_path: Path) -> None:
    """The question is stored again; the answer too, with what it took, before its job ends.

    A question that another process has found stored is on disk before that one goes on; an answer too, before
    it is posted, if nothing has come to the disk for long.
    """
    async with alone(tmp_path) as server:
        await migrate(server.dsn)
        async with await unchecked_pool(server.dsn) as own:
            await server.hold_log()
            await heard_by_two(own, question("0"))
            runner = Unlucky(Capacity(10), server=server)
            inbox = Inbox(own, runner=runner)
            storing = asyncio.create_task(inbox.put_all([question()], read_until(10)))
            await server.restart()
            with pytest.raises(DatabaseUnavailable, match="lost"):
                await storing
            assert runner.abandoned == [runner.begun[0]]
            assert await own.fetchval("delete from jobs returning dedupe") == "post:0"
            assert await inbox.put_all([question()], read_until(10)) == {"post:1"}

            await server.hold_log()
            job = runner.begun[1]
            assert await inbox.save_answer(job.id, "hello, you", used=took(), is_findable=True)
            server.crash()
            await server.restart()
            assert await stored(own) == ("running", None)
            assert await inbox.finish(job.id, {"posts": ["p"]}) == "done"
            assert await stored(own) == ("done", "hello, you")
            assert await own.fetchval("select array_agg(prompt_tokens) from usage") == [10]

            await server.hold_log()
            cut_off = Inbox(own, lease=timedelta(0))
            await cut_off.put_all([question("2")])
            (job,) = await cut_off.claim(Capacity(1))
            assert await cut_off.save_answer(job.id, "hello again", is_findable=True)
            server.crash()
            await server.restart()
            assert await own.fetchval("select answer from jobs where dedupe = 'post:2'") == "hello again"
