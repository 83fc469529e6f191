"""What the account that posts notices hears: people who address it, and changes of its channels.

It says to people, once a day, where to ask. After a loss the channels with news are read again.
"""

import time
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from bridge.db.inbox import Inbox
from bridge.db.mappings import Mappings
from bridge.errors import BridgeError
from bridge.ingest.entries import hint_entry
from bridge.ingest.tampering import Tampering
from bridge.mattermost.websocket.changes import AccountRenamed, Change, ChannelChanged
from bridge.mattermost.websocket.socket import Changed, Connected, Event, Seen, Socket
from bridge.models.chat import Channel, Posted
from bridge.models.equa import OrganizationId
from bridge.outage import retry_until_available
from bridge.ports import MattermostApi
from bridge.routing import HOUR, Bot, is_addressed

_BEFORE = 600_000
"""Milliseconds before the start of which posts are read: a restart takes less."""

_OVERLAP = 60_000
"""Milliseconds before the last event of which posts are read again."""


def _now() -> int:
    return time.time_ns() // 1_000_000


@dataclass(slots=True)
class NoticeListener:
    socket: Socket
    api: MattermostApi
    inbox: Inbox
    mappings: Mappings
    me: Bot
    tampering: Tampering
    channels: Collection[str]
    """The names of the default channels that the account belongs to."""
    renamed: Callable[[str], None] = lambda _username: None
    """Called with the account's new name."""
    _heard: int = field(default_factory=lambda: _now() - _BEFORE, init=False)
    """Until when everything was heard, in milliseconds."""

    async def run(self) -> None:
        """Listen until cancelled."""
        async for events in self.socket.batches():
            for event in events:
                await self._take(event)
            self._heard = _now() - _OVERLAP

    async def _take(self, event: Event) -> None:
        match event:
            case Connected(lost):
                await self._begin(lost=lost)
            case Changed(change):
                await self._follow(change)
            case Seen(posted):
                await self._hint_at_bot([posted])

    async def _begin(self, *, lost: bool) -> None:
        """Look what was done while nobody listened."""
        self._rename((await retry_until_available("account", self.api.me)).username)
        mine = await retry_until_available("channels", self.api.my_channels)
        for name in self.channels:
            await self.tampering.look(name, [channel.id for channel in mine if channel.name == name])
        if lost:
            since = max(self._heard, _now() - HOUR)
            for channel in mine:
                if channel.last_post_at > since:
                    await self._hint_at_bot(await self._missed(channel, since))

    async def _missed(self, channel: Channel, since: int) -> Sequence[Posted]:
        """Return the latest posts of a channel, oldest first; none if it cannot be read."""
        with suppress(BridgeError):
            posts = await self.api.latest_posts(channel.id, 0)
            return [
                Posted(post, channel.team_id, channel.name, mentioned=True)
                for post in reversed(posts)
                if post.create_at > since
            ]
        return ()

    async def _follow(self, change: Change) -> None:
        await self.tampering.follow(change)
        match change:
            case AccountRenamed(username):
                self._rename(username)
            case ChannelChanged("restored", channel_id):
                with suppress(BridgeError):
                    await self.api.refresh_hearing(channel_id, self.me.user_id)

    def _rename(self, username: str) -> None:
        if username != self.me.username:
            self.me = Bot(self.me.user_id, username, self.me.agent_channel)
            self.renamed(username)

    async def _hint_at_bot(self, posts: Iterable[Posted]) -> None:
        addressed = [posted for posted in posts if is_addressed(posted, self.me)]
        if addressed:
            await retry_until_available("store", partial(self._store, addressed))

    async def _store(self, posts: Sequence[Posted]) -> None:
        facts = await self.mappings.facts(posts, self.me.agent_channel)
        organizations: Sequence[OrganizationId | None] = [known.organization_id for known in facts]
        await self.inbox.put_all(
            [
                hint_entry("notices", posted, organization, "notice_hint")
                for posted, organization in zip(posts, organizations, strict=True)
                if organization or not posted.team_id
            ]
        )
