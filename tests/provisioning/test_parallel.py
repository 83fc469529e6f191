"""A few things at once."""

import asyncio

import pytest

from bridge.errors import MattermostUnavailable
from provisioning.parallel import each


async def test_the_results_keep_their_order() -> None:
    """Whoever ends first; and never more than so many run."""
    running, most = 0, 0

    async def work(number: int) -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep((number % 3) / 1000)
        running -= 1
        return number * number

    assert await each(range(20), work, at_once=4) == [number * number for number in range(20)]
    assert most == 4


async def test_nothing_is_nothing() -> None:
    """There need not be any items."""

    async def work(number: int) -> int:
        return number

    assert await each([], work, at_once=4) == []


async def test_the_first_error_ends_all_of_it() -> None:
    """It is raised as it is, and nobody goes on."""
    begun: list[int] = []
    ended: list[int] = []

    async def work(number: int) -> None:
        begun.append(number)
        if number == 2:
            raise MattermostUnavailable("Away.")
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(number)

    with pytest.raises(MattermostUnavailable, match=r"Away\."):
        await each(range(20), work, at_once=4)

    assert sorted(begun) == [0, 1, 2, *([3] if 3 in begun else [])]
    assert sorted(ended) == [number for number in begun if number != 2]
