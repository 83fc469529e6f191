"""Items that come while a statement runs go into the next one together."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import asyncpg
import pytest

from bridge.db.gathered import Gathered


class Statements:
    """Carries out numbers by doubling them, as soon as it is let."""

    def __init__(self) -> None:
        self.given: list[list[int]] = []
        self.go = asyncio.Event()
        self.errors: dict[int, Exception] = {}
        """Raised by a statement that has the number, which then carries out nothing."""

    async def run(self, numbers: Sequence[int]) -> list[int]:
        self.given.append(list(numbers))
        await self.go.wait()
        for number in numbers:
            if number in self.errors:
                raise self.errors[number]
        return [2 * number for number in numbers]


async def test_what_comes_while_statements_run_goes_together() -> None:
    """Each of the first has a statement at once; the others share one, and each gets its own result."""
    statements = Statements()
    gathered = Gathered(statements.run)
    async with asyncio.TaskGroup() as group:
        tasks = []
        for number in range(6):
            tasks.append(group.create_task(gathered.add(number)))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        assert statements.given == [[0], [1]]
        statements.go.set()
    assert [task.result() for task in tasks] == [0, 2, 4, 6, 8, 10]
    assert statements.given == [[0], [1], [2, 3, 4, 5]]


async def test_what_comes_in_one_turn_goes_together() -> None:
    statements = Statements()
    statements.go.set()
    gathered = Gathered(statements.run, most=3)
    assert await asyncio.gather(*map(gathered.add, range(5))) == [0, 2, 4, 6, 8]
    assert statements.given == [[0, 1, 2], [3, 4]]


async def test_an_error_is_only_of_the_item_that_makes_it() -> None:
    statements = Statements()
    statements.go.set()
    statements.errors[1] = wrong = asyncpg.DataError("a wrong value")
    gathered = Gathered(statements.run)
    results = await asyncio.gather(*map(gathered.add, range(3)), return_exceptions=True)
    assert results == [0, wrong, 4]


async def test_a_deadlock_is_tried_alone() -> None:
    statements = Statements()
    statements.go.set()
    statements.errors[1] = asyncpg.DeadlockDetectedError("two processes")
    gathered = Gathered(statements.run)
    results = await asyncio.gather(*map(gathered.add, range(3)), return_exceptions=True)
    assert [results[0], results[2]] == [0, 4]
    assert statements.given == [[0, 1, 2], [0], [1], [2]]


async def test_while_the_database_is_away_everybody_hears_so_at_once() -> None:
    statements = Statements()
    statements.go.set()
    statements.errors[1] = away = ConnectionResetError()
    gathered = Gathered(statements.run)
    assert await asyncio.gather(*map(gathered.add, range(3)), return_exceptions=True) == [away] * 3
    assert statements.given == [[0, 1, 2]]
    assert await gathered.add(7) == 14


async def test_what_nobody_waits_for_any_more_is_not_begun() -> None:
    statements = Statements()
    gathered = Gathered(statements.run)
    tasks = []
    for number in range(3):
        tasks.append(asyncio.create_task(gathered.add(number)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    tasks[2].cancel()
    with suppress(asyncio.CancelledError):
        await tasks[2]
    statements.go.set()
    assert await asyncio.gather(*tasks[:2]) == [0, 2]
    assert await gathered.add(5) == 10
    assert statements.given == [[0], [1], [5]]


async def test_what_was_begun_is_carried_out_though_nobody_waits() -> None:
    statements = Statements()
    gathered = Gathered(statements.run)
    first, second = (asyncio.create_task(gathered.add(number)) for number in range(2))
    while not statements.given:
        await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    statements.go.set()
    assert await second == 2
    assert statements.given == [[0, 1]]


async def test_what_comes_just_as_all_statements_end_is_carried_out() -> None:
    """Their tasks are done by then, and still there."""
    statements = Statements()
    gathered = Gathered(statements.run)

    async def twice(number: int) -> int:
        return await gathered.add(await gathered.add(number))

    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        first = group.create_task(twice(1))
        while len(statements.given) < 1:
            await asyncio.sleep(0)
        second = group.create_task(gathered.add(5))
        while len(statements.given) < 2:
            await asyncio.sleep(0)
        statements.go.set()

    assert (first.result(), second.result()) == (4, 10)
