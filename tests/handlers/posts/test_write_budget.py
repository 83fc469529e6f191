"""What growing answers may write: less when Mattermost is slow or refuses, and never before what is exact."""

import asyncio
from contextlib import AsyncExitStack, ExitStack

import pytest

from bridge.errors import MattermostUnavailable
from handlers.posts.write_budget import WriteBudget


class Watch:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


async def waits(budget: WriteBudget) -> bool:
    """Return whether a growing answer that wants to write has to wait."""

    async def write() -> None:
        async with budget.turn(asyncio.Event()):
            pass

    task = asyncio.create_task(write())
    for _ in range(10):
        await asyncio.sleep(0)
    waiting = not task.done()
    task.cancel()
    await asyncio.wait({task})
    return waiting


async def test_a_few_may_write_at_once() -> None:
    """The next one waits for the first that is done."""
    budget = WriteBudget()
    async with AsyncExitStack() as writes:
        for _ in range(8):
            assert not await waits(budget)
            assert await writes.enter_async_context(budget.turn(asyncio.Event()))
        assert await waits(budget)
    assert not await waits(budget)


async def test_who_waits_for_a_turn_is_told_that_it_is_over() -> None:
    """The end of an answer waits for nobody."""
    budget, over = WriteBudget(), asyncio.Event()
    async with AsyncExitStack() as writes:
        for _ in range(8):
            await writes.enter_async_context(budget.turn(asyncio.Event()))
        asyncio.get_running_loop().call_soon(over.set)
        async with budget.turn(over) as has_turn:
            assert not has_turn
    assert not await waits(budget)


async def test_what_is_exact_goes_first() -> None:
    """While much of it is under way nothing that grows is written."""
    budget = WriteBudget()
    with ExitStack() as writes:
        for _ in range(20):
            writes.enter_context(budget.first())
        assert await waits(budget)
    assert not await waits(budget)


@pytest.mark.parametrize(("asked", "closed_for"), [(None, 5), (30, 30)])
async def test_after_a_refusal_nothing_is_written_for_a_while(asked: float | None, closed_for: float) -> None:
    """As long as Mattermost asks for, or some seconds."""
    watch = Watch()
    budget = WriteBudget(watch)
    with pytest.raises(MattermostUnavailable):
        async with budget.turn(asyncio.Event()):
            raise MattermostUnavailable("Mattermost asks for fewer requests.", retry_after=asked)

    watch.seconds = closed_for - 0.1
    assert await waits(budget)
    watch.seconds = closed_for
    assert not await waits(budget)


def test_a_slow_server_is_written_to_less_often() -> None:
    """And again as often as before, little by little, once it is quick."""
    watch = Watch()
    budget = WriteBudget(watch)

    def write(seconds: float) -> float:
        with budget.timed():
            watch.seconds += seconds
        return budget.slowdown

    assert write(0.1) == 1
    assert write(3) == 6
    assert write(100) == 10
    assert [round(write(0.1), 2) for _ in range(3)] == [5.5, 3.25, 2.12]
