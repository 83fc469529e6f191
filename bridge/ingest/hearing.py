"""Which channels have posts that the websocket did not deliver, whatever the cause."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from cachetools import LRUCache

from bridge.ingest.catch_up import CatchUp
from bridge.models.chat import ChannelId, Post
from bridge.outage import retry_until_available

_BETWEEN = 2_000
"""Milliseconds that a busy server may need between the two."""


def _nowhere(_channel_id: ChannelId) -> bool:
    return False


@dataclass(slots=True)
class Hearing:
    """Compares what was heard with what Mattermost says about the channels."""

    catch_up: CatchUp
    on_its_way: float = 2
    """Seconds that the websocket may need to deliver a post."""
    _heard: LRUCache[ChannelId, int] = field(default_factory=lambda: LRUCache(10_000), init=False)
    """When the latest post that was heard in a channel was made, in milliseconds."""

    def note(self, post: Post) -> None:
        """Note that a post was heard."""
        self._heard[post.channel_id] = max(post.create_at, self._heard.get(post.channel_id, 0))

    def note_edit(self, post: Post, update_at: int) -> None:
        """Note an edit, which makes a channel look posted in a few milliseconds after `update_at`.

        `Update` in server/channels/store/sqlstore/post_store.go takes the time twice.
        """
        latest = update_at + _BETWEEN
        self._heard[post.channel_id] = max(latest, self._heard.get(post.channel_id, 0))

    async def unheard(self, is_read: Callable[[ChannelId], bool] = _nowhere) -> list[ChannelId]:
        """Return the channels that are behind and stay so for a while; each last post counts once.

        A post that is on its way makes its channel look behind for a moment. A channel that is going to be
        read anyway (`is_read`) is behind until then.
        """
        before = await retry_until_available("hearing", self._look)
        if all(map(is_read, before)):
            return []
        await asyncio.sleep(self.on_its_way)
        looked = await retry_until_available("hearing", self._look)
        behind = {each: at for each, at in looked.items() if each in before and not is_read(each)}
        self._heard.update(behind)
        return list(behind)

    async def _look(self) -> dict[ChannelId, int]:
        """Return when the last posts of the channels were made that are neither heard nor stored."""
        known = await self.catch_up.positions.all()
        return {
            channel.id: channel.last_post_at
            for channel in await self.catch_up.channels()
            if channel.last_post_at > self._heard.get(channel.id, 0)
            and (channel.id not in known or channel.last_post_at > known[channel.id].create_at)
        }
