"""How agents answer is learned from their whole answers, by organization."""

import asyncio
from uuid import UUID

import pytest
from asyncpg import Pool

from bridge.db.agent_habits import AgentHabits
from bridge.models.answers import Habit
from bridge.models.equa import OrganizationId
from tests.support.posting import ACME

BOREALIS = OrganizationId(UUID(int=77))


@pytest.mark.parametrize(
    ("answers", "habit"),
    [
        ([], Habit()),
        ([0], Habit()),
        ([0] * 20, Habit(is_certain=True)),
        ([1], Habit(1)),
        ([1, 2, 1], Habit(2)),
        ([1, *[0] * 19], Habit(1)),
        ([1, *[0] * 20], Habit(is_certain=True)),
        ([0] * 25 + [1], Habit(1)),
    ],
)
async def test_habits_follow_the_answers(pool: Pool, answers: list[int], habit: Habit) -> None:
    """An answer that takes something back counts at once; twenty that do not are needed to forget it."""
    habits = AgentHabits(pool)
    for ends in answers:
        await habits.note("agent", ACME, ends)

    assert await habits.of("agent", ACME) == habit
    assert await habits.of("another", ACME) == Habit()


async def test_other_organizations_count_until_there_is_an_own_answer(pool: Pool) -> None:
    """The first answer of an organization profits, and afterwards nobody can slow down others."""
    habits = AgentHabits(pool)
    await habits.note("agent", ACME, 1)
    assert await habits.of("agent", BOREALIS) == Habit(1)

    await habits.note("agent", BOREALIS, 0)

    assert await habits.of("agent", BOREALIS) == Habit()
    assert await habits.of("agent", ACME) == Habit(1)


async def test_what_comes_at_once_counts_each(pool: Pool) -> None:
    habits = AgentHabits(pool)

    await asyncio.gather(*(habits.note("agent", each, 0) for each in [ACME, BOREALIS, ACME] * 10))

    known = await asyncio.gather(*(habits.of("agent", each) for each in (ACME, BOREALIS, ACME)))
    assert known == [Habit(is_certain=True), Habit(), Habit(is_certain=True)]


async def test_agents_of_long_ago_are_forgotten(pool: Pool) -> None:
    habits = AgentHabits(pool)
    await habits.note("agent", ACME, 1)
    await habits.purge()
    assert await habits.of("agent", ACME) == Habit(1)

    await pool.execute("update agent_habits set modified = now() - interval '91 days'")
    await habits.purge()

    assert await habits.of("agent", ACME) == Habit()
