"""Blocks that others end."""

import asyncio

import pytest

from handlers.answers.interruptible import Interruptible


async def test_what_waits_in_an_interrupted_block_is_cancelled() -> None:
    async with Interruptible() as block:
        asyncio.get_running_loop().call_soon(block.interrupt)
        await asyncio.Event().wait()

    current = asyncio.current_task()
    assert current
    assert current.cancelling() == 0


async def test_a_block_that_is_over_is_not_interrupted() -> None:
    async with Interruptible() as block:
        pass
    block.interrupt()

    await asyncio.sleep(0)


async def test_a_block_that_ends_at_once_is_done_although_it_was_interrupted() -> None:
    done = False
    async with Interruptible() as block:
        block.interrupt()
        block.interrupt()
        done = True

    await asyncio.sleep(0)
    assert done


async def test_a_cancelled_task_stays_cancelled() -> None:
    """Also if the block is interrupted at the same moment."""
    block = Interruptible()

    async def work() -> None:
        async with block:
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    block.interrupt()
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_error_of_the_block_is_raised() -> None:
    async def work() -> None:
        async with Interruptible() as block:
            block.interrupt()
            raise TimeoutError("its own")

    with pytest.raises(TimeoutError, match="its own"):
        await work()
