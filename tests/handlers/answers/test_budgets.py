"""Budgets hold, whatever questions take and in however many processes they are asked."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import pytest
from asyncpg import Pool
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.db.budgets import Budgets
from bridge.db.inbox import Inbox
from bridge.db.job_runner import Capacity
from bridge.db.pool import unchecked_pool
from bridge.errors import BudgetReached, LeaseLost
from bridge.models.agent import Usage
from bridge.models.budgets import month_after
from bridge.models.equa import OrganizationId
from bridge.models.jobs import Entry, Job
from bridge.models.organization_settings import Budget
from bridge.models.usage import Meter, Run, Used
from handlers.answers.budgets import BudgetGate
from tests.bridge.db.test_usage import Execute
from tests.bridge.db.test_usage import execute as execute  # noqa: PLC0414  # a fixture
from tests.support.posting import ACME

PERSON = UUID(int=7)
names = count()


def asked(organization: OrganizationId = ACME) -> Entry:
    name = f"q{next(names)}"
    payload = {"user_id": "ada", "post_id": name, "person_id": str(PERSON)}
    return Entry("mention", f"thread:{name}", organization, f"post:{name}", payload)


async def claimed(inbox: Inbox, organization: OrganizationId = ACME) -> Job:
    await inbox.put_all([asked(organization)])
    (job,) = await inbox.claim(Capacity(1, kinds=["mention"]))
    return job


def took(tokens: int | None, cost: str | None = None) -> Used:
    usage = None if tokens is None else Usage(tokens, 0)
    return Meter([Run("sonnet", usage, Decimal(cost) if cost else None)]).used("answered")


async def answered(pool: Pool, *used: Used, organization: OrganizationId = ACME) -> None:
    inbox = Inbox(pool)
    for each in used:
        job = await claimed(inbox, organization)
        await inbox.save_answer(job.id, "forty-two", used=each)
        await inbox.finish(job.id, {"posts": ["p"]})


def gate(pool: Pool, budget: Budget, inbox: Inbox | None = None) -> BudgetGate:
    return BudgetGate(Budgets(pool, budget), inbox or Inbox(pool), longest_pause=0.01)


async def passes(pool: Pool, budget: Budget, organization: OrganizationId = ACME) -> bool:
    """Ask once, with a process of its own; return whether that is allowed."""
    inbox = Inbox(pool)
    job = await claimed(inbox, organization)
    try:
        await gate(pool, budget, inbox).admit(job)
    except BudgetReached:
        return False
    finally:
        await inbox.finish(job.id)
    return True


async def test_a_budget_ends_with_what_was_used(pool: Pool) -> None:
    """Tokens in and out count, and only those of the organization."""
    await answered(pool, took(600), took(399))
    await answered(pool, took(10**6), organization=OrganizationId(UUID(int=2)))

    assert await passes(pool, Budget(tokens=1000))
    assert not await passes(pool, Budget(tokens=999))


async def test_people_hear_when_it_goes_on(pool: Pool) -> None:
    """On the first day of the next month, in UTC."""
    await answered(pool, took(10, "0.30"))
    inbox = Inbox(pool)
    job = await claimed(inbox)

    with pytest.raises(BudgetReached) as reached:
        await gate(pool, Budget(cost=Decimal("0.3")), inbox).admit(job)

    day = month_after(datetime.now(UTC).date().replace(day=1))
    assert reached.value.message == (
        "Your organization has used up its budget for this month:"
        f" I can answer again from {day.day} {day:%B %Y} on."
    )


async def test_a_new_month_begins_with_nothing(pool: Pool) -> None:
    """What was asked in the last second of the old one is the old one's."""
    await answered(pool, took(1000))
    assert not await passes(pool, Budget(tokens=1000))

    await pool.execute(
        """update usage set began = date_trunc('month', now() at time zone 'UTC') at time zone 'UTC'
                                    - interval '1 microsecond'"""
    )

    assert await passes(pool, Budget(tokens=1000))


async def test_what_is_not_reported_counts_as_usual(pool: Pool) -> None:
    """A question that was stopped is not free; where nothing was ever reported, nothing can count."""
    await answered(pool, took(None), took(None))
    assert await passes(pool, Budget(tokens=1))

    await answered(pool, took(200), took(400))

    assert await passes(pool, Budget(tokens=1201))
    assert not await passes(pool, Budget(tokens=1200))


async def test_without_a_price_a_cost_counts_as_usual(pool: Pool) -> None:
    await answered(pool, took(100, "0.25"), took(100))

    assert await passes(pool, Budget(cost=Decimal("0.51")))
    assert not await passes(pool, Budget(cost=Decimal("0.50")))


async def test_an_organization_may_set_a_lower_budget(pool: Pool) -> None:
    """A higher one than the operator's does not count."""
    await answered(pool, took(600))
    await pool.execute(
        "insert into organization_settings (organization_id, version, budget_tokens) values ($1, 1, 600)",
        ACME,
    )
    assert not await passes(pool, Budget(tokens=1000))
    assert not await passes(pool, Budget())

    await pool.execute("update organization_settings set budget_tokens = 2000")

    assert not await passes(pool, Budget(tokens=600))
    assert await passes(pool, Budget(tokens=1000))


async def test_whoever_has_lost_the_job_asks_nothing(pool: Pool) -> None:
    job = await claimed(Inbox(pool))

    with pytest.raises(LeaseLost):
        await gate(pool, Budget(tokens=1000)).admit(job)


async def test_who_dies_leaves_its_place_to_others(pool: Pool) -> None:
    """The question is asked again by another process, as one."""
    inbox = Inbox(pool)
    jobs = [await claimed(inbox) for _ in range(2)]
    for job in jobs:
        await gate(pool, Budget(tokens=1000), inbox).admit(job)
    third = asyncio.create_task(passes(pool, Budget(tokens=1000)))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(third), 0.2)

    await inbox.release()

    assert await third


async def test_nobody_waits_for_ever(pool: Pool) -> None:
    """An agent may wait for people for a quarter of an hour."""
    inbox = Inbox(pool)
    door = BudgetGate(Budgets(pool, Budget(tokens=1000)), inbox, patience=0.05, longest_pause=0.01)

    for job in [await claimed(inbox) for _ in range(3)]:
        await door.admit(job)

    assert await pool.fetchval("select count(*) from jobs where admitted = attempts") == 3


async def test_who_waits_no_longer_goes_alone(pool: Pool) -> None:
    """Many who ask at once use up what is left once, however long the agent takes."""
    inbox = Inbox(pool)
    door = BudgetGate(Budgets(pool, Budget(tokens=1000)), inbox, patience=0.05, longest_pause=0.01)
    jobs = [await claimed(inbox) for _ in range(6)]

    waiting = {asyncio.create_task(door.admit(job)) for job in jobs}
    async with asyncio.timeout(60):
        while len(waiting) > 3:
            _, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    _, waiting = await asyncio.wait(waiting, timeout=0.3)

    assert len(waiting) == 3
    assert await pool.fetchval("select count(*) from jobs where admitted = attempts") == 3
    for each in waiting:
        each.cancel()
    await asyncio.wait(waiting)


async def test_who_waits_for_a_decision_takes_no_connection_from_others(pool: Pool, dsn: str) -> None:
    """However many questions of one organization wait, while another process decides for long."""
    inbox = Inbox(pool)
    jobs = [await claimed(inbox) for _ in range(4)]
    small = await unchecked_pool(dsn, max_size=2, command_timeout=120)
    async with small, pool.acquire() as other, other.transaction():
        await other.execute(
            "select pg_advisory_xact_lock(hashtextextended('budget:' || $1::text, 0))", str(ACME)
        )
        budgets, budget = Budgets(small), Budget(tokens=1000)
        waiting = [asyncio.create_task(budgets.admit(ACME, job, inbox.holder, budget)) for job in jobs]
        async with asyncio.timeout(60):
            while not await other.fetchval("select count(*) from pg_locks where not granted"):
                await asyncio.sleep(0.01)
            assert await small.fetchval("select 1") == 1

        for each in waiting:
            each.cancel()
        await asyncio.wait(waiting)


async def marks(pool: Pool) -> Sequence[tuple[str, ...]]:
    rows = await pool.fetch("select kind, subject, details ->> 'percent' as percent from audit order by id")
    return [tuple(row.values()) for row in rows]


async def test_administrators_are_told_once_and_the_audit_says_so(pool: Pool) -> None:
    """At four fifths and at the end; whoever sets another budget is told again."""
    month = f"month:{datetime.now(UTC):%Y-%m}"
    await answered(pool, took(799))
    assert await passes(pool, Budget(tokens=1000))
    assert await marks(pool) == []

    await answered(pool, took(1))
    for _ in range(2):
        assert await passes(pool, Budget(tokens=1000))
    assert await marks(pool) == [("budget_warned", month, "80")]

    await answered(pool, took(300))
    for _ in range(2):
        assert not await passes(pool, Budget(tokens=1000))
    assert await marks(pool) == [("budget_warned", month, "80"), ("budget_hit", month, "110")]
    assert await passes(pool, Budget(tokens=1200))

    told = await pool.fetch("select payload from jobs where kind = 'budget_warning' order by id")
    assert [row["payload"]["percent"] for row in told] == [80, 91]
    assert date.fromisoformat(told[0]["payload"]["month"]).day == 1


def test_two_processes_use_no_more_than_one_question_too_much_each(execute: tuple[Execute, Pool]) -> None:
    """Whatever questions take, and although all are asked at once."""
    run, pool = execute

    @settings(max_examples=12)
    @given(st.lists(st.integers(1, 600), min_size=12, max_size=24), st.integers(1, 3000))
    def holds(costs: Sequence[int], limit: int) -> None:
        organization = OrganizationId(uuid4())
        budget = Budget(tokens=limit)
        used: int = run(_used(pool, organization, budget, costs))
        assert used <= limit + 2 * max(costs)
        assert used >= min(limit, sum(costs))

    holds()


async def _used(pool: Pool, organization: OrganizationId, budget: Budget, costs: Sequence[int]) -> int:
    await Inbox(pool).put_all([asked(organization) for _ in costs])
    half = len(costs) // 2
    await asyncio.gather(
        _process(pool, organization, budget, costs[:half]), _process(pool, organization, budget, costs[half:])
    )
    found: int = await pool.fetchval(
        "select coalesce(sum(prompt_tokens), 0)::int from usage where organization_id = $1", organization
    )
    return found


async def _process(pool: Pool, organization: OrganizationId, budget: Budget, costs: Sequence[int]) -> None:
    """Answer as many questions as there are costs, at once."""
    inbox = Inbox(pool)
    door = gate(pool, budget, inbox)
    jobs = await inbox.claim(Capacity(len(costs), kinds=["mention"]))

    async def answer(job: Job, cost: int) -> None:
        result: dict[str, Any] = {"posts": ["p"]}
        try:
            await door.admit(job)
        except BudgetReached:
            result = {"skipped": "budget_reached"}
        else:
            await asyncio.sleep(cost / 100_000)
            await inbox.save_answer(job.id, "forty-two", used=took(cost))
        await inbox.finish(job.id, result)

    await asyncio.gather(*(answer(*each) for each in zip(jobs, costs, strict=True)))
