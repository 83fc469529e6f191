"""Where the websocket's events wait to be taken."""

import asyncio

import pytest

from bridge.mattermost.websocket.event_queue import Mailbox
from bridge.mattermost.websocket.resume_state import Connected, Over

LOST, RESUMED = Connected(lost=True), Connected(lost=False)


async def test_takes_in_order_and_not_too_many() -> None:
    """Events come out as they went in, at most so many at once."""
    mailbox = Mailbox(10)
    mailbox.put([LOST, RESUMED, LOST])

    assert [await mailbox.take(2), await mailbox.take(2), len(mailbox)] == [[LOST, RESUMED], [LOST], 0]


async def test_take_waits_for_an_event() -> None:
    """Nothing is returned before something is there."""
    mailbox = Mailbox(10)
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        taking = tasks.create_task(mailbox.take(5))
        await asyncio.sleep(0)
        mailbox.put([LOST])

    assert taking.result() == [LOST]


async def test_full_takes_all_or_nothing() -> None:
    """What belongs together is put together or not at all."""
    mailbox = Mailbox(2)
    mailbox.put([LOST])
    with pytest.raises(Over) as raised:
        mailbox.put([RESUMED, LOST])

    assert raised.value.reason == "full"
    assert len(mailbox) == 1


async def test_emptied_waits_for_the_last_event() -> None:
    """It is over when everything was taken, and at once when nothing is there."""
    mailbox = Mailbox(2)
    mailbox.put([LOST, LOST])
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        emptied = tasks.create_task(mailbox.emptied())
        await mailbox.take(1)
        await asyncio.sleep(0)
        early = emptied.done()
        await mailbox.take(1)

    assert not early
    assert emptied.done()


async def test_closed_gives_what_is_left_and_then_nothing() -> None:
    """Nothing is lost by closing."""
    mailbox = Mailbox(2)
    mailbox.put([LOST])
    mailbox.close()

    assert [await mailbox.take(5), await mailbox.take(5), await mailbox.take(5)] == [[LOST], [], []]
