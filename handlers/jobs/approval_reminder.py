"""The job kind `approval_reminder`: tell the organization's administrators that the agent waits, once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bridge.models.approval_records import ApprovalRecord
from bridge.models.chat import UserId
from bridge.models.jobs import Job
from handlers.jobs import approval_text
from handlers.jobs.approval import ApprovalPosts, record_of
from handlers.posts.direct_notes import DirectNotes
from provisioning.administrators import Administrators


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
        notes = DirectNotes(self.posts.poster, self.posts.desk.inbox)
        mark = {"reminder": str(record.id), "remark": True}
        posts = [await notes.tell(job, user, text, mark) for user in people if _needs(record, user)]
        return {"posts": [post for post in posts if post]}

    def _link(self, record: ApprovalRecord) -> str | None:
        """Return where an administrator decides: of a direct message nobody else sees the post."""
        page = self.posts.ways.page(record.organization_id)
        if record.post_id and not record.is_direct and record.way != "page":
            return self.posts.ways.permalink(record.post_id)
        return page


def _needs(record: ApprovalRecord, user: UserId) -> bool:
    """Whoever has asked by a direct message sees the post there."""
    return not (record.is_direct and user == record.asker)
