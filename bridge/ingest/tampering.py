"""What people do to default channels, and the repairs that it needs."""

from collections.abc import Collection
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

import structlog
from cachetools import LRUCache

from bridge.db.repairs import RepairRequest, RepairRequests
from bridge.mattermost.websocket.changes import Change, ChannelChanged, ChannelUpdated, TeamChanged
from bridge.models.chat import ChannelId, Post, UserId
from bridge.outage import retry_until_available

log = structlog.get_logger(__name__)

_TELLING = frozenset({"system_channel_deleted", "system_change_chan_privacy"})
"""Types of system posts whose author did what the next event reports; the event does not name them."""


@dataclass(frozen=True, slots=True)
class Tampering:
    """Requests a repair when the bot can no longer hear in a default channel, or people cannot find it."""

    requests: RepairRequests
    _authors: LRUCache[ChannelId, UserId] = field(default_factory=lambda: LRUCache(1000), init=False)

    def note(self, post: Post) -> None:
        """Remember who archived or converted a channel."""
        if post.type in _TELLING:
            self._authors[post.channel_id] = post.user_id

    async def follow(self, change: Change) -> None:
        """Request a repair if the change needs one, however long the database is away."""
        request = await retry_until_available("request_repair", partial(self._request, change))
        if request:
            log.warning(
                "default_channel_changed",
                organization=str(request.organization_id),
                channel=request.channel,
                change=change.what if isinstance(change, ChannelChanged | TeamChanged) else "renamed",
                by=self._who(change),
            )

    async def look(self, name: str, heard: Collection[ChannelId]) -> None:
        """Request the repair of every team whose channel `name` is not among those heard.

        Mattermost reports to a connection only what changes while it lasts.
        """
        missing = await retry_until_available("missing", partial(self.requests.missing, name, heard))
        for channel_id in missing:
            request = partial(self.requests.of_channel, channel_id, "not_heard", "")
            if made := await retry_until_available("request_repair", request):
                log.warning(
                    "default_channel_changed",
                    organization=str(made.organization_id),
                    channel=made.channel,
                    change="not_heard",
                    by="",
                )

    async def _request(self, change: Change) -> RepairRequest | None:
        match change:
            case ChannelChanged("left", channel_id):
                return await self.requests.of_channel(channel_id, "bot_removed", self._who(change))
            case ChannelChanged("archived", channel_id):
                return await self.requests.of_channel(channel_id, "archived", self._who(change))
            case ChannelUpdated(channel):
                return await self.requests.of_update(channel)
            case TeamChanged("left", team_id):
                return await self.requests.of_team(team_id)
            case _:
                return None

    def _who(self, change: Change) -> UserId | Literal[""]:
        if not isinstance(change, ChannelChanged):
            return ""
        author: UserId | Literal[""] = self._authors.get(change.channel_id, "")
        return change.by or author
