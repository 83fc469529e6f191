"""Statements for many: what comes while one runs goes into the next one together.

When little happens each item has a statement of its own at once. When much happens there are few statements,
few round trips and few commits, and nothing waits for longer than the statements before it take.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from asyncpg import DeadlockDetectedError

from bridge.db.unavailable import is_unavailable
from bridge.errors import DatabaseUnavailable

T = TypeVar("T")
R = TypeVar("R")

_AT_ONCE = 2
"""Statements of one kind; while one waits for a lock, others need not."""


@dataclass(slots=True)
class Gathered(Generic[T, R]):
    """Carries out items in as few statements as there have to be."""

    run: Callable[[Sequence[T]], Awaitable[Sequence[R]]]
    """Carries out items, all or none of them, and returns a result for each."""
    most: int = 100
    """Items of one statement."""
    _waiting: deque[tuple[T, asyncio.Future[R]]] = field(default_factory=deque, init=False)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set, init=False)
    """Those that look at what waits before they end."""
    _begins: bool = field(default=False, init=False)
    """Whether a task is going to look at what waits."""

    async def add(self, item: T) -> R:
        """Carry out an item; return its result, or raise its error.

        An item that was begun is carried out even if nobody waits for it any more.
        """
        result: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, result))
        if not self._begins and len(self._tasks) < _AT_ONCE:
            self._begins = True
            # Of no caller's context: what a statement begins belongs to none of them.
            task = asyncio.create_task(self._work(), name="carry out", context=Context())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await result

    async def _work(self) -> None:
        self._begins = False
        try:
            while self._waiting:
                taken = [self._waiting.popleft() for _ in range(min(self.most, len(self._waiting)))]
                if wanted := [(item, result) for item, result in taken if not result.done()]:
                    await self._carry_out(wanted)
        finally:
            # Not when it is done, which others would hear of a moment later.
            if task := asyncio.current_task():
                self._tasks.discard(task)

    async def _carry_out(self, wanted: Sequence[tuple[T, asyncio.Future[R]]]) -> None:
        try:
            results = await self.run([item for item, _ in wanted])
        except Exception as error:  # noqa: BLE001  # it is raised where the items came from
            await self._failed(wanted, error)
        except BaseException:
            for _, result in wanted:
                result.cancel()
            raise
        else:
            for (_, result), value in zip(wanted, results, strict=True):
                if not result.done():
                    result.set_result(value)

    async def _failed(self, wanted: Sequence[tuple[T, asyncio.Future[R]]], error: Exception) -> None:
        """Find out by trying each alone whose error it is, unless the database is away."""
        if len(wanted) > 1 and (isinstance(error, DeadlockDetectedError) or not _is_away(error)):
            for each in wanted:
                await self._carry_out([each])
            return
        for _, result in wanted:
            if not result.done():
                result.set_exception(error)


def _is_away(error: Exception) -> bool:
    return isinstance(error, DatabaseUnavailable) or is_unavailable(error)
