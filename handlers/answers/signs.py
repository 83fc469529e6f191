"""Signs of life while somebody waits. All of it is best effort: no answer waits for it, or fails by it."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal

from bridge.errors import BridgeError
from bridge.models.chat import ChannelId, PostId, UserId
from bridge.models.jobs import Mention
from bridge.ports import MattermostApi
from handlers.answers.later import Later

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

    def shown(
        self, mention: Mention, is_silent: Callable[[], bool], is_waiting: Callable[[], bool] = lambda: False
    ) -> "Shown":
        """Show that the bot works while nothing is there; it does not type while it waits for people."""
        return Shown(self, mention, is_silent, is_waiting)

    async def cleared(self, mention: Mention) -> None:
        """Take the sign of waiting away, which an attempt that has died may have left."""
        await _try(self.api.take_reaction_back(mention.post_id, self.me, WAITING))

    async def failed(self, mention: Mention) -> None:
        """Show that a question got no answer."""
        await _try(self.api.react(mention.post_id, self.me, FAILED))


@dataclass(slots=True)
class Shown:
    """The signs of life for one question, as long as the block lasts."""

    signs: Signs
    mention: Mention
    is_silent: Callable[[], bool]
    is_waiting: Callable[[], bool]
    _typing: Later = field(init=False)
    _waiting: Later = field(init=False)
    _may_stand: bool = field(default=False, init=False)
    """Whether the sign of waiting may stand below the question."""

    async def __aenter__(self) -> None:
        self._typing, self._waiting = Later(self._type), Later(self._show_waiting)
        self._typing.begin_after(_AT_ONCE)
        self._waiting.begin_after(_SILENCE)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._typing.end()
        await self._waiting.end()
        if self._may_stand:
            await self.signs.cleared(self.mention)

    async def _type(self) -> None:
        if not self.is_silent():
            return
        if not self.is_waiting():
            await self._say_so()
        self._typing.begin_after(_TYPING_EVERY)

    async def _say_so(self) -> None:
        mention, typing = self.mention, self.signs.typing
        await typing(mention.channel_id, mention.thread)
        # Who asks in the channel looks there: clients show a thread's typing in the thread alone.
        if mention.post_id == mention.thread:
            await typing(mention.channel_id, "")

    async def _show_waiting(self) -> None:
        if self.is_silent():
            self._may_stand = True
            await _try(self.signs.api.react(self.mention.post_id, self.signs.me, WAITING))


async def _try(call: Awaitable[None]) -> None:
    with suppress(BridgeError, TimeoutError):
        async with asyncio.timeout(_PATIENCE):
            await call
