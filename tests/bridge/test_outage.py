"""Insisting: something is done however long somebody is away."""

import asyncio
import time
from collections.abc import Iterator

import pytest

from bridge.errors import DatabaseUnavailable, MattermostRefused, MattermostUnavailable, TokenRefused
from bridge.outage import reconnect_forever, retry_until_available

TRANSIENT = [
    DatabaseUnavailable("The database cannot be reached."),
    MattermostUnavailable("Mattermost does not answer."),
    TokenRefused("Mattermost refused.", http_status=401),
    MattermostRefused("Mattermost refused.", http_status=403),
]


class Answers:
    """Gives these in turn, and remembers when it was asked."""

    def __init__(self, *scripted: object) -> None:
        self.left = list(scripted)
        self.asked: list[float] = []

    async def __call__(self) -> object:
        self.asked.append(time.monotonic())
        match self.left.pop(0):
            case Exception() as error:
                raise error
            case answer:
                return answer


@pytest.mark.parametrize("failure", TRANSIENT, ids=lambda failure: type(failure).__name__)
async def test_the_first_answer_ends_it(failure: Exception) -> None:
    """And is what comes of it."""
    assert await retry_until_available("ask", Answers(failure, failure, 42)) == 42


async def test_a_bug_is_not_waited_out() -> None:
    """Repeating it would hide it for ever."""
    with pytest.raises(ZeroDivisionError):
        await retry_until_available("ask", Answers(ZeroDivisionError(), 42))


async def test_it_waits_as_long_as_it_was_asked_to() -> None:
    """However short it would have waited by itself."""
    scripted = Answers(MattermostUnavailable("Fewer requests, please.", retry_after=0.5), 42)

    await retry_until_available("ask", scripted)

    assert scripted.asked[1] - scripted.asked[0] >= 0.5


async def test_it_can_be_cancelled_while_it_waits() -> None:
    """A stop does not wait for anybody's Retry-After."""
    scripted = Answers(MattermostUnavailable("Fewer requests, please.", retry_after=60))
    waiting = asyncio.create_task(retry_until_available("ask", scripted))
    async with asyncio.timeout(60):
        while not scripted.asked:
            await asyncio.sleep(0)

        waiting.cancel()
        await asyncio.wait({waiting})

    assert waiting.cancelled()


class Lost(Exception):  # an end of a connection
    """A connection ended."""


def _is_lost(error: Exception) -> bool:
    return isinstance(error, Lost)


class Connections:
    """Ends each connection as it is told, and the last with a bug."""

    def __init__(self, *ends: Exception | None) -> None:
        self.left = [*ends, ZeroDivisionError()]
        self.waited: list[float] = []

    async def connect(self) -> None:
        if end := self.left.pop(0):
            raise end

    def backoff(self) -> Iterator[float]:
        for delay in range(100):
            self.waited.append(delay)
            yield 0

    async def run(self) -> None:
        with pytest.raises(ZeroDivisionError):
            await reconnect_forever("test", self.connect, is_loss=_is_lost, backoff=self.backoff)


async def test_it_connects_again_after_every_loss() -> None:
    """Also after a connection that ended without a word; each wait is the next one of the backoff."""
    connections = Connections(Lost(), None, Lost())

    await connections.run()

    assert connections.left == []
    assert connections.waited == [0, 1, 2]


async def test_a_bug_ends_the_connecting() -> None:
    """It is no loss."""
    connections = Connections()

    await connections.run()

    assert connections.waited == []
