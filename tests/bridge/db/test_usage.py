"""What answers take: one row a question, whatever becomes of its attempts."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Any, Literal
from uuid import UUID

import pytest
from asyncpg import Pool, Record
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.db.inbox import Inbox
from bridge.db.job_runner import Capacity
from bridge.db.pool import open_pool
from bridge.db.usage import UsageRows
from bridge.models.agent import Usage
from bridge.models.jobs import Entry, Job
from bridge.models.usage import Meter, Run, Used
from tests.support.postgres import fresh_database
from tests.support.posting import ACME

PERSON = UUID(int=7)
FREED = timedelta(seconds=-1)

End = Literal["retry", "crash", "released"]
LastEnd = Literal["answered", "failed", "no_reply", "dead"]


def asked(name: str) -> Entry:
    payload = {"user_id": "ada", "post_id": name, "person_id": str(PERSON)}
    return Entry("mention", f"thread:{name}", ACME, f"post:{name}", payload)


async def claimed(inbox: Inbox, name: str = "one") -> Job:
    await inbox.put_all([asked(name)])
    (job,) = await inbox.claim(Capacity(1))
    return job


async def row(pool: Pool, job: Job) -> Record:
    (found,) = await pool.fetch("select * from usage where job_id = $1", job.id)
    return found


def used(*runs: Run, outcome: Any = "answered") -> Used:
    return Meter(list(runs), 0.5, 1.5).used(outcome)


GOOD = Run("sonnet", Usage(100, 7), Decimal("0.25"))


async def test_an_answer_and_what_it_took_are_stored_together(pool: Pool) -> None:
    """To store the answer again, or to end the job, adds nothing."""
    inbox = Inbox(pool)
    job = await claimed(inbox)

    for _ in range(2):
        assert await inbox.save_answer(job.id, "forty-two", used=used(GOOD))
    await inbox.finish(job.id, {"posts": ["p"]})

    found = await row(pool, job)
    assert (found["organization_id"], found["person_id"]) == (ACME, PERSON)
    assert (found["kind"], found["conversation"], found["post_id"]) == ("mention", "thread:one", "one")
    assert (found["outcome"], found["model"], found["runs"]) == ("answered", "sonnet", 1)
    assert (found["prompt_tokens"], found["completion_tokens"]) == (100, 7)
    assert (found["cost"], found["unreported"]) == (Decimal("0.25"), 0)
    assert (found["first_text"], found["last_text"]) == (0.5, 1.5)


async def test_whoever_has_lost_the_job_adds_nothing(pool: Pool) -> None:
    """Who takes it over counts a run of which nobody knows the tokens."""
    late = Inbox(pool, lease=FREED)
    job = await claimed(late)
    other = Inbox(pool)
    await other.release_expired()
    (again,) = await other.claim(Capacity(1))

    assert not await late.save_answer(job.id, "late", used=used(GOOD))
    assert await other.save_answer(again.id, "forty-two", used=used(GOOD))

    found = await row(pool, job)
    assert (found["runs"], found["unreported"], found["prompt_tokens"]) == (2, 1, 100)


async def test_an_answer_to_a_question_that_was_edited_is_not_stored(pool: Pool) -> None:
    inbox = Inbox(pool)
    job = await claimed(inbox)

    assert not await inbox.save_answer(job.id, "forty-two", to="other words", used=used(GOOD))

    assert not await pool.fetch("select from usage")


async def test_only_questions_count(pool: Pool) -> None:
    """A notice whose process dies has asked nobody."""
    inbox = Inbox(pool, lease=FREED)
    await inbox.put_all([replace(asked("one"), kind="notice")])
    assert await inbox.claim(Capacity(1))

    await inbox.release_expired()

    assert not await pool.fetch("select from usage")


async def test_rows_are_kept_for_13_months(pool: Pool) -> None:
    inbox = Inbox(pool)
    for name, age in (("old", 397), ("young", 395)):
        job = await claimed(inbox, name)
        await inbox.save_answer(job.id, "x", used=used(GOOD))
        await pool.execute(
            "update usage set began = now() - make_interval(days => $2) where job_id = $1", job.id, age
        )

    assert await UsageRows(pool).purge() == 1

    assert await pool.fetchval("select post_id from usage") == "young"


@dataclass
class Attempt:
    runs: Sequence[Run]
    end: End


Execute = Callable[[Coroutine[Any, Any, Any]], Any]


@pytest.fixture
def execute(postgres: str) -> Iterator[tuple[Execute, Pool]]:
    """Runs coroutines on a loop that stands still between examples, and a pool of that loop."""
    loop, stack = asyncio.new_event_loop(), AsyncExitStack()

    async def opened() -> Pool:
        dsn = await stack.enter_async_context(fresh_database(postgres))
        return await stack.enter_async_context(await open_pool(dsn))

    yield loop.run_until_complete, loop.run_until_complete(opened())
    loop.run_until_complete(stack.aclose())
    loop.close()


tokens = st.none() | st.integers(0, 10**9)
runs = st.builds(
    Run,
    st.sampled_from(["", "sonnet", "opus"]),
    st.none() | st.builds(Usage, tokens, tokens),
    st.none() | st.decimals(0, 1000, allow_nan=False, places=9),
)
ends: st.SearchStrategy[End] = st.sampled_from(["retry", "crash", "released"])
last_ends: st.SearchStrategy[LastEnd] = st.sampled_from(["answered", "failed", "no_reply", "dead"])
attempts = st.lists(st.builds(Attempt, st.lists(runs, max_size=3), ends), max_size=4)
names = count()


def test_whatever_happens_usage_adds_up(execute: tuple[Execute, Pool]) -> None:
    """A row holds what all attempts have reported, and how much is unknown."""
    run, pool = execute

    @settings(max_examples=40)
    @given(attempts, st.lists(runs, max_size=3), last_ends)
    def adds_up(before: Sequence[Attempt], last: Sequence[Run], end: LastEnd) -> None:
        run(_adds_up(pool, before, last, end))

    adds_up()


async def _adds_up(pool: Pool, before: Sequence[Attempt], last: Sequence[Run], end: LastEnd) -> None:
    job = await _attempted(pool, before)
    inbox = Inbox(pool)
    (again,) = await inbox.claim(Capacity(1))
    assert again.id == job
    await _ended(inbox, again, Meter(list(last)), end)

    found = await row(pool, again)
    known = [run for each in before if each.end == "retry" for run in each.runs] + list(last)
    lost = sum(each.end == "crash" or (each.end == "released" and bool(each.runs)) for each in before)
    assert found["outcome"] == ("failed" if end == "dead" else end)
    assert found["runs"] == len(known) + lost
    assert found["unreported"] == sum(not run.is_reported for run in known) + lost
    assert (found["prompt_tokens"] or 0) == sum(run.usage.prompt or 0 for run in known if run.usage)
    assert (found["completion_tokens"] or 0) == sum(run.usage.completion or 0 for run in known if run.usage)
    assert (found["cost"] or 0) == sum(run.cost or 0 for run in known)


async def _attempted(pool: Pool, attempts: Sequence[Attempt]) -> int:
    name = f"question-{next(names)}"
    await Inbox(pool).put_all([asked(name)])
    for attempt in attempts:
        inbox = Inbox(pool, lease=FREED if attempt.end == "crash" else timedelta(minutes=1))
        (job,) = await inbox.claim(Capacity(1))
        match attempt.end:
            case "retry":
                await inbox.retry(job, 0, "away", used(*attempt.runs, outcome="unfinished"))
            case "crash":
                await Inbox(pool).release_expired()
            case "released":
                await inbox.release([job.id] if attempt.runs else [])
    found: int = await pool.fetchval("select id from jobs where dedupe = $1", f"post:{name}")
    return found


async def _ended(inbox: Inbox, job: Job, meter: Meter, end: LastEnd) -> None:
    if end in ("answered", "failed"):
        failure = "it failed" if end == "failed" else None
        await inbox.save_answer(job.id, "text", failure, used=meter.used(end))
        await inbox.finish(job.id, {"posts": ["p"]})
    elif end == "dead":
        await inbox.dead_letter(job.id, "away", meter.used("failed"))
    else:
        await inbox.finish(job.id, {"skipped": "no_reply"}, meter.used("no_reply"))
