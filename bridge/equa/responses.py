"""Answers kept for some seconds, and equal questions that are under way asked only once."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, NamedTuple, TypeVar, cast

from cachetools import TLRUCache

T = TypeVar("T")


class _Kept(NamedTuple):
    asked: float
    answer: Any


class Answers:
    """What was answered no more than `seconds` ago, counted from the question; the newest `size` of it.

    A question that fails is not kept: whoever asked meanwhile hears the same error, and the next asks anew.
    """

    def __init__(self, *, seconds: float, size: int, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._kept: TLRUCache[Hashable, _Kept] = TLRUCache(
            size, ttu=lambda _key, kept, _now: kept.asked + seconds, timer=clock
        )
        self._asked: dict[Hashable, asyncio.Future[Any]] = {}

    def __len__(self) -> int:
        return len(self._kept)

    async def get(self, key: Hashable, ask: Callable[[], Awaitable[T]]) -> T:
        """Return the answer that is kept or awaited under the key, or ask.

        Whoever asks first asks for all; when they are cancelled, another one of the waiting asks again.
        """
        while True:
            kept = self._kept.get(key)
            if kept is not None:
                return cast("T", kept.answer)
            asked = self._asked.get(key)
            if asked is None:
                return await self._ask(key, ask)
            # Unlike `await asked`, this does not cancel it for everybody when one who waits is cancelled.
            await asyncio.wait((asked,))
            if not asked.cancelled():
                return cast("T", asked.result())

    async def _ask(self, key: Hashable, ask: Callable[[], Awaitable[T]]) -> T:
        asked = self._asked[key] = asyncio.get_running_loop().create_future()
        moment = self._clock()
        try:
            answer = await ask()
        except Exception as error:
            asked.set_exception(error)
            asked.exception()  # else asyncio reports an error that nobody else waited for
            raise
        else:
            self._kept[key] = _Kept(moment, answer)
            asked.set_result(answer)
            return answer
        finally:
            asked.cancel()
            del self._asked[key]
