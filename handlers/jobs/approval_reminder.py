"""The job kind `approval_reminder`: tell the organization's administrators that the agent waits, once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid5

import structlog

from bridge.errors import MattermostRefused, TokenRefused
from bridge.models.approval_records import ApprovalRecord
from bridge.models.chat import Draft, PostId, UserId
from bridge.models.jobs import Job
from handlers.jobs import approval_text
from handlers.jobs.approval import ApprovalPosts, record_of
from handlers.jobs.lease_guard import LeaseGuard
from handlers.jobs.parts import MARK
from provisioning.administrators import Administrators

log = structlog.get_logger(__name__)

_LATEST = 60
"""Posts of a direct channel among which an earlier attempt's reminder is looked for."""


@dataclass(frozen=True, slots=True)
class ApprovalReminders:
    posts: ApprovalPosts
    administrators: Administrators | None
    """None without a service account, which knows them."""

    async def send(self, job: Job) -> Mapping[str, Any]:
        """Write to each administrator, unless it has ended meanwhile."""
        record = await self.posts.approvals.get(record_of(job))
        if record is None or record.state != "pending" or self.administrators is None:
            return {"skipped": "ended"}
        asker = await self.posts.name(record.asker)
        text = approval_text.reminder(record, self._link(record), asker)
        people = await self.administrators.of(record.organization_id)
        posts = [await self._told(job, record, user, text) for user in people if _needs(record, user)]
        return {"posts": [post for post in posts if post]}

    def _link(self, record: ApprovalRecord) -> str | None:
        """Return where an administrator decides: of a direct message nobody else sees the post."""
        page = self.posts.ways.page(record.organization_id)
        if record.post_id and not record.is_direct and record.way != "page":
            return self.posts.ways.permalink(record.post_id)
        return page

    async def _told(self, job: Job, record: ApprovalRecord, user: UserId, text: str) -> PostId | None:
        api, mark = self.posts.poster.api, {"reminder": str(record.id), "remark": True}
        try:
            channel = await api.direct_channel(self.posts.poster.me, user)
            if job.attempts > 1:
                latest = await api.latest_posts(channel, 0, _LATEST)
                if any(
                    each.user_id == self.posts.poster.me and each.props.get(MARK) == mark for each in latest
                ):
                    return None
            draft = Draft(channel, text, props={MARK: mark}, pending_post_id=str(uuid5(job.key, user)))
            async with self.posts.poster.write_limit(channel):
                return await self.posts.poster.create(draft, LeaseGuard(self.posts.desk.inbox, job.id))
        except TokenRefused:
            raise
        except MattermostRefused as error:
            log.warning("not_reminded", user=user, reason=error.message)
            return None


def _needs(record: ApprovalRecord, user: UserId) -> bool:
    """Whoever has asked by a direct message sees the post there."""
    return not (record.is_direct and user == record.asker)
