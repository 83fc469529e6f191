"""The job kinds `approval` and `approval_ended`: ask in the thread about a tool call, show what came of it.

The question is posted once, whatever dies. It is changed once, to its end.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

import structlog

from bridge.db.approvals import Approvals
from bridge.db.buttons import Buttons
from bridge.errors import MattermostRefused, TokenRefused
from bridge.models.approval_records import ApprovalRecord, RecordId, Way
from bridge.models.buttons import Button, action, new_secret
from bridge.models.chat import PAGE_SIZE, Draft, PostId, UserId
from bridge.models.equa import OrganizationId
from bridge.models.jobs import Job
from bridge.notices.escape import inline
from handlers.approvals import ApprovalDesk
from handlers.jobs import approval_text
from handlers.jobs.approval_text import Offer
from handlers.posts.lease_guard import LeaseGuard
from handlers.posts.parts import MARK
from handlers.posts.posting import Poster
from handlers.posts.refusals import unless_deleted

log = structlog.get_logger(__name__)

_BUTTONS = (("allow-once", "approve", "Approve once", "good"), ("deny", "deny", "Deny", "danger"))


@dataclass(frozen=True, slots=True)
class ApprovalWays:
    """How approvals can be decided here."""

    callback: str | None
    """The bridge's address for presses, as Mattermost reaches it; None where it does not."""
    knows_roles: bool
    """Whether somebody can be asked for the role of whoever presses."""
    page: Callable[[OrganizationId], str | None]
    """The page of an organization's administrators, as the web app shows it."""
    permalink: Callable[[PostId], str]

    @property
    def way(self) -> Way:
        if not self.knows_roles:
            return "page"
        return "buttons" if self.callback else "reactions"


@dataclass(frozen=True, slots=True)
class ApprovalPosts:
    desk: ApprovalDesk
    buttons: Buttons
    poster: Poster
    ways: ApprovalWays

    @property
    def approvals(self) -> Approvals:
        return self.desk.approvals

    async def ask(self, job: Job) -> Mapping[str, Any]:
        """Post the approval under its question, unless it has ended or the question is gone."""
        return await unless_deleted(self._ask(job))

    async def show_end(self, job: Job) -> Mapping[str, Any]:
        """Make the post say what has come of it, without buttons."""
        return await unless_deleted(self._show_end(job))

    async def _ask(self, job: Job) -> Mapping[str, Any]:
        record = await self.approvals.get(record_of(job))
        if record is None or record.state != "pending":
            return {"skipped": "ended"}
        async with self.poster.write_limit(record.approval.conversation.channel_id):
            there = await self._there(record) if job.attempts > 1 else None
            post = there or await self._asked(job, record)
        await self.buttons.posted("approval", str(record.id), post)
        await self.approvals.posted(record.id, post)
        return {"posts": [post]}

    async def _show_end(self, job: Job) -> Mapping[str, Any]:
        record = await self.approvals.get(record_of(job))
        if record is None or record.state == "pending":
            return {"skipped": "pending"}
        post = record.post_id or await self._there(record)
        if post is None:
            return {"skipped": "not_posted"}
        message = approval_text.ended_message(record, await self._decider(record))
        try:
            await LeaseGuard(self.desk.inbox, job.id).require()
            with self.poster.budget.first():
                await self.poster.api.replace_post(post, message, approval_text.ended_props(record))
        except TokenRefused:
            raise
        except MattermostRefused as error:
            log.warning("approval_not_changed", post=post, reason=error.message)
            return {"posts": [await self._said(job, record, message)]}
        return {"posts": [post]}

    async def _asked(self, job: Job, record: ApprovalRecord) -> PostId:
        way = self.ways.way
        actions = await self._actions(record) if way == "buttons" and self.ways.callback else []
        await self.approvals.offered(record.id, way)
        approvers = (await self.desk.settings.effective(record.organization_id)).approvers
        offer = Offer(way, approvers, self.ways.page(record.organization_id))
        asker = await self.name(record.asker)
        message = approval_text.pending_message(record, asker)
        props = approval_text.pending_props(record, offer, actions)
        return await self.poster.create(
            self._draft(job, record, message, props, "ask"), LeaseGuard(self.desk.inbox, job.id)
        )

    async def _actions(self, record: ApprovalRecord) -> list[dict[str, Any]]:
        """Return new buttons for the decisions that the agent takes, once they are stored."""
        offered = [each for each in _BUTTONS if each[0] in record.approval.decisions]
        secrets = {new_secret(): each for each in offered}
        await self.buttons.add(
            {secret: _button(record, decision) for secret, (decision, *_) in secrets.items()}
        )
        return [
            action(id_, name, style, self.ways.callback or "", secret)
            for secret, (_, id_, name, style) in secrets.items()
        ]

    async def _said(self, job: Job, record: ApprovalRecord, message: str) -> PostId:
        """Say below the post what it cannot be made to say."""
        async with self.poster.write_limit(record.approval.conversation.channel_id):
            said = {"approval_end": str(record.id), "remark": True}
            there = await self._find(record, said) if job.attempts > 1 else None
            draft = self._draft(job, record, message, {MARK: said}, "end")
            return there or await self.poster.create(draft, LeaseGuard(self.desk.inbox, job.id))

    def _draft(
        self, job: Job, record: ApprovalRecord, message: str, props: Mapping[str, Any], name: str
    ) -> Draft:
        return Draft(
            channel_id=record.approval.conversation.channel_id,
            root_id=record.thread,
            message=message,
            props=props,
            pending_post_id=str(uuid5(job.key, name)),
        )

    async def _there(self, record: ApprovalRecord) -> PostId | None:
        """Find the post that an earlier attempt has made."""
        return await self._find(record, approval_text.mark(record))

    async def _find(self, record: ApprovalRecord, mark: Mapping[str, Any]) -> PostId | None:
        api, channel = self.poster.api, record.approval.conversation.channel_id
        posts = await (
            api.thread(record.thread) if record.thread else api.latest_posts(channel, 0, PAGE_SIZE)
        )
        mine = (post for post in posts if post.user_id == self.poster.me and post.props.get(MARK) == mark)
        return next((post.id for post in mine), None)

    async def _decider(self, record: ApprovalRecord) -> str:
        """Return who has decided, as Markdown; empty if nobody has here."""
        by = record.decider
        if by is None:
            return ""
        username = await self.name(by.user_id)
        return f"@{username}" if username else inline(by.name) or "an administrator"

    async def name(self, user: UserId | None) -> str:
        """Return somebody's username; empty if nobody says it."""
        return (await self.desk.username(user) or "") if user else ""


def record_of(job: Job) -> RecordId:
    """Return which approval a job is about."""
    return RecordId(UUID(job.payload["approval"]))


def _button(record: ApprovalRecord, decision: str) -> Button:
    channel = record.approval.conversation.channel_id
    return Button("approval", str(record.id), decision, record.organization_id, channel)
