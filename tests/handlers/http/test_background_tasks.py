"""Work that outlives the request that asked for it."""

import asyncio

import pytest

from bridge.errors import MattermostFull
from handlers.http.background_tasks import BackgroundTasks
from tests.support.api import Lines


async def test_what_is_done_in_time_is_returned() -> None:
    """And nothing is left."""
    background_tasks = BackgroundTasks()

    async def work() -> str:
        return "done"

    assert await background_tasks.result("key", 5, work) == "done"
    assert len(background_tasks) == 0


async def test_work_goes_on_when_nobody_waits_any_more() -> None:
    """The next one who asks gets what it has come to, and does not begin it again."""
    background_tasks, release, begun = BackgroundTasks(), asyncio.Event(), 0

    async def work() -> str:
        nonlocal begun
        begun += 1
        await release.wait()
        return "done"

    with pytest.raises(TimeoutError):
        await background_tasks.result("key", 0.01, work)
    again = asyncio.create_task(background_tasks.result("key", 5, work))
    await asyncio.sleep(0)
    release.set()

    assert await again == "done"
    assert begun == 1


async def test_an_error_reaches_everybody_who_waits() -> None:
    """The next one tries anew."""
    background_tasks, begun = BackgroundTasks(), 0

    async def work() -> None:
        nonlocal begun
        begun += 1
        await asyncio.sleep(0)
        raise MattermostFull("full")

    both = await asyncio.gather(
        *(background_tasks.result("key", 5, work) for _ in range(2)), return_exceptions=True
    )
    assert [type(error) for error in both] == [MattermostFull, MattermostFull]
    with pytest.raises(MattermostFull):
        await background_tasks.result("key", 5, work)
    assert begun == 2


async def test_one_who_gives_up_does_not_end_it_for_the_others() -> None:
    """A browser that goes away is no reason."""
    background_tasks, release = BackgroundTasks(), asyncio.Event()

    async def work() -> str:
        await release.wait()
        return "done"

    first, second = (asyncio.create_task(background_tasks.result("key", 5, work)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait({first})
    release.set()

    assert await second == "done"


async def test_work_that_cannot_be_cancelled_keeps_nobody_waiting() -> None:
    """As when a database neither answers nor confirms that it has stopped."""
    background_tasks, release = BackgroundTasks(limit=0.01), asyncio.Event()

    async def work() -> None:
        try:
            await release.wait()
        finally:
            await release.wait()

    async with asyncio.timeout(60):
        with pytest.raises(TimeoutError):
            await background_tasks.result("key", 0.05, work)
    assert len(background_tasks) == 1
    release.set()
    await background_tasks.close()
    assert len(background_tasks) == 0


async def test_it_is_given_up_after_a_while() -> None:
    """Nothing lives for ever."""
    background_tasks = BackgroundTasks(limit=0.01)

    with pytest.raises(TimeoutError):
        await background_tasks.result("key", 5, asyncio.Event().wait)


async def test_what_fails_while_nobody_waits_is_logged(lines: Lines) -> None:
    """A bug of ours is not lost with the request."""
    background_tasks, release = BackgroundTasks(), asyncio.Event()

    async def work() -> None:
        await release.wait()
        raise LookupError("a bug")

    with pytest.raises(TimeoutError):
        await background_tasks.result("key", 0, work)
    release.set()
    async with asyncio.timeout(60):
        while len(background_tasks):
            await asyncio.sleep(0)

    (line,) = lines.all
    assert line["event"] == "background_work_failed"
    assert "a bug" in line["exception"]


async def test_closing_ends_what_is_under_way() -> None:
    """The daemon does not wait for what may take a minute."""
    background_tasks = BackgroundTasks()
    with pytest.raises(TimeoutError):
        await background_tasks.result("key", 0, asyncio.Event().wait)

    await background_tasks.close()

    assert len(background_tasks) == 0
