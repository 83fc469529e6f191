"""A block that others may end before it is done."""

import asyncio
from types import TracebackType
from typing import Self


class Interruptible:
    """Ends early, and quietly, when somebody calls `interrupt`: what waits in it is cancelled.

    A cancelled task stays cancelled, as with `asyncio.timeout`, which does the work.
    """

    __slots__ = ("_is_open", "_timeout")

    def __init__(self) -> None:
        self._is_open = False
        self._timeout = asyncio.timeout(None)

    async def __aenter__(self) -> Self:
        await self._timeout.__aenter__()
        self._is_open = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self._is_open = False
        try:
            await self._timeout.__aexit__(kind, error, trace)
        except TimeoutError:
            return True
        return False

    def interrupt(self) -> None:
        """End the block, if it is not over."""
        if self._is_open:
            self._is_open = False
            self._timeout.reschedule(asyncio.get_running_loop().time())
