"""When a growing answer begins to be shown, and when it ends."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from handlers.answers.growth import Growth


@dataclass(slots=True)
class Showing:
    """Shows an answer from its first text to the end of the block; before that it is no task."""

    growth: Growth
    fail: Callable[[], None]
    """Called when nobody is to be answered any more."""
    _timer: asyncio.TimerHandle | None = field(default=None, init=False)
    _task: asyncio.Task[None] | None = field(default=None, init=False)
    _over: asyncio.Event | None = field(default=None, init=False)
    _failure: BaseException | None = field(default=None, init=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait for an edit that is under way: it must not come after the last one.

        Raises why nobody is to be answered: `LeaseLost`, or `MattermostRefused` of a deleted question.
        """
        failure = self._failure
        if self._timer:
            self._timer.cancel()
        if self._task and self._over:
            self._over.set()
            if kind and not issubclass(kind, Exception):
                self._task.cancel()
            await asyncio.wait({self._task})
        if failure and not kind:
            raise failure

    def begin(self) -> None:
        """Show it after a while, unless it was begun: a quick answer is whole by then."""
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self.growth.rhythm.hold, self._show)

    def _show(self) -> None:
        self._over = asyncio.Event()
        self._task = asyncio.create_task(self.growth.keep_showing(self._over), name="show answer")
        self._task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (failure := task.exception()):
            self._failure = failure
            self.fail()
