"""An answer is kept for a while, and one that is awaited is not asked for again."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from bridge.equa.responses import Answers
from bridge.errors import EquaUnavailable
from tests.support.equa import Clock


class Source:
    """Answers when it is told to: each question waits for `let`."""

    def __init__(self) -> None:
        self.asked = 0
        self.open = asyncio.Event()
        self.error: Exception | None = None

    async def __call__(self) -> int:
        self.asked += 1
        answer = self.asked
        await self.open.wait()
        if self.error:
            raise self.error
        return answer


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def answers(clock: Clock) -> Answers:
    return Answers(seconds=10, size=3, clock=clock)


@pytest.fixture
def source() -> Source:
    return Source()


async def settled() -> None:
    """Let every task run until it waits for something."""
    for _ in range(10):
        await asyncio.sleep(0)


def constant(value: int) -> Callable[[], Awaitable[int]]:
    async def ask() -> int:
        return value

    return ask


async def test_an_answer_is_kept_for_its_time(answers: Answers, clock: Clock) -> None:
    """A question is asked again as soon as the answer is ten seconds old."""
    assert await answers.get("key", constant(1)) == 1
    clock.now += 9.9
    assert await answers.get("key", constant(2)) == 1
    clock.now += 0.1

    assert await answers.get("key", constant(3)) == 3


async def test_the_age_counts_from_the_question(answers: Answers, clock: Clock, source: Source) -> None:
    """What took nine seconds to answer is kept for one."""
    slow = asyncio.create_task(answers.get("key", source))
    await settled()
    clock.now += 9
    source.open.set()
    assert await slow == 1
    clock.now += 1

    assert await answers.get("key", constant(7)) == 7


async def test_equal_questions_at_once_are_asked_once(answers: Answers, source: Source) -> None:
    """Everybody gets the one answer; another question is asked apart."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(answers.get("key", source)) for _ in range(50)]
        other = group.create_task(answers.get("other", constant(9)))
        await settled()
        source.open.set()

    assert [task.result() for task in tasks] == [1] * 50
    assert other.result() == 9
    assert source.asked == 1


async def test_a_failure_is_told_to_all_who_wait_and_not_kept(answers: Answers, source: Source) -> None:
    """Fifty who wait do not try fifty times; the next one does."""
    source.error = EquaUnavailable("away")
    tasks = [asyncio.create_task(answers.get("key", source)) for _ in range(50)]
    await settled()
    source.open.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)

    assert results == [source.error] * 50
    assert source.asked == 1
    assert await answers.get("key", constant(5)) == 5


async def test_a_failure_that_nobody_waits_for_with_us_is_only_ours(answers: Answers, source: Source) -> None:
    """It is raised once and leaves no unretrieved exception behind."""
    source.error = EquaUnavailable("away")
    source.open.set()

    with pytest.raises(EquaUnavailable):
        await answers.get("key", source)


@pytest.mark.parametrize("cancelled", [0, 1])
async def test_who_is_cancelled_does_not_take_the_others_along(
    answers: Answers, source: Source, cancelled: int
) -> None:
    """Neither the one who asks nor one who waits ends the question for the rest."""
    tasks = [asyncio.create_task(answers.get("key", source)) for _ in range(4)]
    await settled()
    tasks[cancelled].cancel()
    await settled()
    source.open.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)

    assert isinstance(results.pop(cancelled), asyncio.CancelledError)
    assert len(set(results)) == 1
    assert source.asked == (2 if cancelled == 0 else 1)


async def test_only_the_newest_answers_are_kept(answers: Answers) -> None:
    """The number of answers in memory is bounded."""
    for key in range(5):
        await answers.get(key, constant(key))

    assert len(answers) == 3
    assert await answers.get(4, constant(-1)) == 4
    assert await answers.get(0, constant(-1)) == -1


async def test_old_answers_leave_the_memory(answers: Answers, clock: Clock) -> None:
    """They need not be asked for again to be forgotten."""
    await answers.get("old", constant(1))
    clock.now += 10
    await answers.get("new", constant(2))

    assert len(answers) == 1
