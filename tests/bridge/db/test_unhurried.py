"""What is worked on before it is on disk: a database that crashes or goes away loses and doubles nothing."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from asyncpg import Pool

from bridge.db.inbox import Capacity, Inbox
from bridge.db.migrate import migrate
from bridge.db.pool import unchecked_pool
from bridge.db.positions import Positions
from bridge.errors import DatabaseUnavailable
from bridge.models.agent import Usage
from bridge.models.chat import ChannelId, Position, PostId
from bridge.models.equa import OrganizationId, PersonId
from bridge.models.jobs import Entry, Job, JobId
from bridge.models.usage import Meter, Run, Used
from tests.support.relay import Relay
from tests.support.replication import Node, alone
from tests.support.runner import Runner

ACME = OrganizationId(UUID(int=1))
ADA = PersonId(UUID(int=3))
WAIT = b"pg_logical_emit_message"


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

    def abandon(self, jobs: Iterable[JobId]) -> None:
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
    assert scene.runner.abandoned == [job.id]
    assert await pool.fetchval("select count(*) from jobs where state <> 'running'") == 0
    assert await scene.inbox.put_all([question()], read_until(10)) == {"post:1"}
    assert (await Positions(pool).all())[ChannelId("c")].create_at == 10


async def test_nobody_works_on_a_question_whose_storing_is_given_up(scene: Scene) -> None:
    """A process that ends has not seen it on disk."""
    scene.storing.cancel()

    await asyncio.wait({scene.storing})

    assert scene.runner.abandoned == [scene.job.id]


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


@dataclass
class Unlucky(Runner):
    """Whose database crashes at the moment at which the first job begins."""

    server: Node | None = None

    def begin(self, jobs: Iterable[Job]) -> None:
        super().begin(jobs)
        if self.server:
            self.server.crash()
            self.server = None


async def test_a_crash_takes_neither_a_question_nor_an_answer(tmp_path: Path) -> None:
    """The question is stored again; the answer too, with what it took, before its job ends."""
    async with alone(tmp_path) as server:
        await migrate(server.dsn)
        async with await unchecked_pool(server.dsn) as own:
            server.hold_log()
            runner = Unlucky(Capacity(10), server=server)
            inbox = Inbox(own, runner=runner)
            storing = asyncio.create_task(inbox.put_all([question()], read_until(10)))
            await server.restart()
            with pytest.raises(DatabaseUnavailable, match="lost"):
                await storing
            assert runner.abandoned == [runner.begun[0].id]
            assert await inbox.put_all([question()], read_until(10)) == {"post:1"}

            server.hold_log()
            job = runner.begun[1]
            assert await inbox.save_answer(job.id, "hello, you", used=took(), is_findable=True)
            server.crash()
            await server.restart()
            assert await stored(own) == ("running", None)
            assert await inbox.finish(job.id, {"posts": ["p"]}) == "done"
            assert await stored(own) == ("done", "hello, you")
            assert await own.fetchval("select array_agg(prompt_tokens) from usage") == [10]
