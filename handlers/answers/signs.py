"""Signs of life while somebody waits. All of it is best effort: no answer waits for it, or fails by it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Literal

from bridge.errors import BridgeError
from bridge.models.chat import ChannelId, PostId, UserId
from bridge.models.jobs import Mention
from bridge.ports import MattermostApi

WAITING = "hourglass_flowing_sand"
FAILED = "warning"

_AT_ONCE = 0.2
"""Seconds; an answer that is whole by then needs no sign, and what it costs everybody in the channel."""
_TYPING_EVERY = 4.0
"""Seconds; clients show somebody as typing for about five."""
_SILENCE = 10.0
"""Seconds without a word after which the question gets a sign."""
_PATIENCE = 3.0
"""Seconds that a sign may take."""

Typing = Callable[[ChannelId, PostId | Literal[""]], Awaitable[None]]
"""Shows the bot as typing in a thread, or in the channel itself."""


@dataclass(frozen=True, slots=True)
class Signs:
    api: MattermostApi
    me: UserId
    typing: Typing

    @asynccontextmanager
    async def shown(
        self, mention: Mention, is_silent: Callable[[], bool], is_waiting: Callable[[], bool] = lambda: False
    ) -> AsyncIterator[None]:
        """Show that the bot works while nothing is there; it does not type while it waits for people."""
        put, tasks = asyncio.Event(), set[asyncio.Task[None]]()

        def begin() -> None:
            typing = self._keep_typing(mention, is_silent, is_waiting)
            tasks.add(asyncio.create_task(typing, name="typing"))
            tasks.add(asyncio.create_task(self._show_waiting(mention, is_silent, put), name="show waiting"))

        beginning = asyncio.get_running_loop().call_later(_AT_ONCE, begin)
        try:
            yield
        finally:
            beginning.cancel()
            await _end(tasks)
            if put.is_set():
                await self.cleared(mention)

    async def cleared(self, mention: Mention) -> None:
        """Take the sign of waiting away, which an attempt that has died may have left."""
        await _try(self.api.take_reaction_back(mention.post_id, self.me, WAITING))

    async def failed(self, mention: Mention) -> None:
        """Show that a question got no answer."""
        await _try(self.api.react(mention.post_id, self.me, FAILED))

    async def _keep_typing(
        self, mention: Mention, is_silent: Callable[[], bool], is_waiting: Callable[[], bool]
    ) -> None:
        while is_silent():
            if not is_waiting():
                await self._type(mention)
            await asyncio.sleep(_TYPING_EVERY)

    async def _type(self, mention: Mention) -> None:
        await self.typing(mention.channel_id, mention.thread)
        # Who asks in the channel looks there: clients show a thread's typing in the thread alone.
        if mention.post_id == mention.thread:
            await self.typing(mention.channel_id, "")

    async def _show_waiting(
        self, mention: Mention, is_silent: Callable[[], bool], put: asyncio.Event
    ) -> None:
        """Put the sign below the question; `put` is set as soon as it may stand there."""
        await asyncio.sleep(_SILENCE - _AT_ONCE)
        if is_silent():
            put.set()
            await _try(self.api.react(mention.post_id, self.me, WAITING))


async def _end(tasks: Collection[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)


async def _try(call: Awaitable[None]) -> None:
    with suppress(BridgeError, TimeoutError):
        async with asyncio.timeout(_PATIENCE):
            await call
