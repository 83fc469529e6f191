"""Tell somebody something in their direct channel with the bot: once, whatever dies in between."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid5

import structlog

from bridge.db.inbox import Inbox
from bridge.errors import MattermostRefused, TokenRefused
from bridge.models.chat import ChannelId, Draft, PostId, UserId
from bridge.models.jobs import Job
from handlers.posts.lease_guard import LeaseGuard
from handlers.posts.parts import MARK
from handlers.posts.posting import Poster

log = structlog.get_logger(__name__)

_LATEST = 60
"""Posts of a direct channel among which what an earlier attempt has said is looked for."""


@dataclass(frozen=True, slots=True)
class DirectNotes:
    poster: Poster
    inbox: Inbox

    async def tell(self, job: Job, user: UserId, text: str, mark: Mapping[str, Any]) -> PostId | None:
        """Post the text; return None if it stands there already, or Mattermost does not let the bot.

        The mark in the post's props is what it is recognized by.
        """
        try:
            channel = await self.poster.api.direct_channel(self.poster.me, user)
            if job.attempts > 1 and await self._is_there(channel, mark):
                return None
            draft = Draft(channel, text, props={MARK: mark}, pending_post_id=str(uuid5(job.key, user)))
            async with self.poster.write_limit(channel):
                return await self.poster.create(draft, LeaseGuard(self.inbox, job.id))
        except TokenRefused:
            raise
        except MattermostRefused as error:
            log.warning("not_told", user=user, reason=error.message)
            return None

    async def _is_there(self, channel: ChannelId, mark: Mapping[str, Any]) -> bool:
        latest = await self.poster.api.latest_posts(channel, 0, _LATEST)
        return any(each.user_id == self.poster.me and each.props.get(MARK) == mark for each in latest)
