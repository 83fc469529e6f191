"""Where the websocket's events wait to be taken."""

import asyncio

import pytest

from bridge.mattermost.websocket.event_queue import EventQueue
from bridge.mattermost.websocket.resume_state import Connected, ConnectionEnded

LOST, RESUMED = Connected(lost=True), Connected(lost=False)


async def test_takes_in_order_and_not_too_many() -> None:
    """Events come out as they went in, at most so many at once."""
    event_queue = EventQueue(10)
    event_queue.put([LOST, RESUMED, LOST])

    assert [await event_queue.take(2), await event_queue.take(2), len(event_queue)] == [
        [LOST, RESUMED],
        [LOST],
        0,
    ]


async def test_take_waits_for_an_event() -> None:
    """Nothing is returned before something is there."""
    event_queue = EventQueue(10)
    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        taking = tasks.create_task(event_queue.take(5))
        await asyncio.sleep(0)
        event_queue.put([LOST])

    assert taking.result() == [LOST]


async def test_full_takes_all_or_nothing() -> None:
    """What belongs together is put together or not at all."""
    event_queue = EventQueue(2)
    event_queue.put([LOST])
    with pytest.raises(ConnectionEnded) as raised:
        event_queue.put([RESUMED, LOST])

    assert raised.value.reason == "full"
    assert len(event_queue) == 1


async def test_emptied_waits_for_the_last_event() -> None:
    """It is over when everything was taken, and at once when nothing is there."""
    event_queue = EventQueue(2)
    event_queue.put([LOST, LOST])
    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        emptied = tasks.create_task(event_queue.emptied())
        await event_queue.take(1)
        await asyncio.sleep(0)
        early = emptied.done()
        await event_queue.take(1)

    assert not early
    assert emptied.done()


async def test_closed_gives_what_is_left_and_then_nothing() -> None:
    """Nothing is lost by closing."""
    event_queue = EventQueue(2)
    event_queue.put([LOST])
    event_queue.close()

    assert [await event_queue.take(5), await event_queue.take(5), await event_queue.take(5)] == [
        [LOST],
        [],
        [],
    ]
