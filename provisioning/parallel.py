"""A few things at once."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

S = TypeVar("S")
T = TypeVar("T")


async def each(items: Iterable[S], work: Callable[[S], Awaitable[T]], *, at_once: int) -> list[T]:
    """Run `work` on each item and return the results in order; the first error ends all of it."""
    left = iter(enumerate(items))
    made: dict[int, T] = {}

    async def take_turns() -> None:
        for number, item in left:
            made[number] = await work(item)

    try:
        async with asyncio.TaskGroup() as group:
            for number in range(at_once):
                group.create_task(take_turns(), name=f"in parallel {number}")
    except BaseExceptionGroup as errors:
        raise _first(errors) from None
    return [made[number] for number in sorted(made)]


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
