"""What the gateway reports about tool calls that wait, and what people decide about them by reactions.

Every process hears all of it; the database decides who acts upon it.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from types import MappingProxyType

import structlog

from bridge.db.approvals import Approvals
from bridge.db.conversations import Conversations
from bridge.db.inbox import Inbox
from bridge.errors import BridgeError, MattermostRefused, TokenRefused
from bridge.mattermost.websocket.changes import Change, ReactionAdded
from bridge.metrics import Metrics
from bridge.models.approval_records import ApprovalRecord, job_of
from bridge.models.approvals import (
    Approval,
    ApprovalId,
    ApprovalRequested,
    ApprovalResolved,
    ControlEvent,
    Decision,
    Outcome,
    Pending,
)
from bridge.models.chat import UserId
from bridge.models.jobs import Entry
from bridge.outage import retry_until_available
from bridge.ports import MattermostApi

log = structlog.get_logger(__name__)

_MOST_READ = 100
"""Approvals whose reactions are read after a loss, those that expire first."""

DECISIONS: Mapping[str, Decision] = MappingProxyType({"white_check_mark": "allow-once", "x": "deny"})
"""What reactions mean below an approval whose buttons do not work."""


@dataclass(frozen=True, slots=True)
class ApprovalEvents:
    approvals: Approvals
    conversations: Conversations
    inbox: Inbox
    metrics: Metrics

    async def follow(self, event: ControlEvent) -> None:
        """Store what is reported; raise `DatabaseUnavailable` if it has to be given again."""
        match event:
            case ApprovalRequested(approval):
                await self._requested(approval)
            case ApprovalResolved(id_, _, outcome):
                await self._resolved(id_, outcome)
            case Pending(approvals=waiting):
                for approval in waiting:
                    await self._requested(approval)
                await self._vanished(event)

    async def look(self) -> None:
        """End what has expired, and store the jobs that whoever was to store them has left out."""
        await self._ended(await self.approvals.expire())
        if due := await self.approvals.due():
            await self.inbox.put_all(due)

    async def _requested(self, approval: Approval) -> None:
        """Take an approval of a conversation that somebody has asked in; a key alone proves nothing."""
        if not await self.conversations.has(approval.conversation):
            log.warning("approval_of_nobody", organization=str(approval.conversation.organization_id))
            return
        record = await self.approvals.add(approval)
        if record is None or record.state != "pending":
            return
        if await self.inbox.put_all([job_of("approval", record.id, record.organization_id)]):
            self.metrics.approval("asked")

    async def _resolved(self, approval: ApprovalId, outcome: Outcome) -> None:
        if ended := await self.approvals.resolved(approval, outcome):
            await self._ended([ended])

    async def _vanished(self, pending: Pending) -> None:
        age = timedelta(milliseconds=max(0, time.time_ns() // 1_000_000 - pending.at))
        await self._ended(await self.approvals.vanished([each.id for each in pending.approvals], age))

    async def _ended(self, records: Sequence[ApprovalRecord]) -> None:
        for record in records:
            self.metrics.approval(record.state)
            log.info("approval_ended", approval=str(record.id), state=record.state)
        jobs = [job_of("approval_ended", each.id, each.organization_id) for each in records]
        if jobs:
            await self.inbox.put_all(jobs)


@dataclass(frozen=True, slots=True)
class ApprovalReactions:
    """A job for each, so that one process looks up the role, and again while nobody can say it."""

    approvals: Approvals
    inbox: Inbox
    api: MattermostApi
    _reading: list[asyncio.Task[None]] = field(default_factory=list)

    async def follow(self, change: Change) -> None:
        """Take a reaction that decides, however long the database is away."""
        match change:
            case ReactionAdded(post, user, emoji, at) if emoji in DECISIONS:
                record = await retry_until_available("of_post", partial(self.approvals.of_post, post))
                if record is not None and _is_open(record):
                    job = _job(record, DECISIONS[emoji], user, at)
                    await retry_until_available("decide", partial(self.inbox.put_all, [job]))

    def read_again(self) -> None:
        """Read, beside all else, the reactions that may have been missed; best effort."""
        if not any(not task.done() for task in self._reading):
            self._reading[:] = [asyncio.create_task(self._read_all(), name="read decisions")]

    async def _read_all(self) -> None:
        try:
            for record in await self.approvals.open_to_reactions(_MOST_READ):
                await self.inbox.put_all(await self._decisions(record))
        except BridgeError as error:
            log.warning("decisions_unread", reason=error.message)

    async def _decisions(self, record: ApprovalRecord) -> list[Entry]:
        try:
            reactions = await self.api.reactions(record.post_id) if record.post_id else []
        except TokenRefused:
            raise
        except MattermostRefused:
            return []
        return [
            _job(record, DECISIONS[each.emoji], each.user_id, each.create_at)
            for each in reactions
            if each.emoji in DECISIONS
        ]


def _is_open(record: ApprovalRecord) -> bool:
    """Return whether reactions decide: where there are buttons, one may mean something else."""
    return record.state == "pending" and record.way == "reactions"


def _job(record: ApprovalRecord, decision: Decision, user: UserId, at: int) -> Entry:
    payload = {"approval": str(record.id), "decision": decision, "user": user}
    # Once a minute is enough for whoever means it, and bounds what somebody costs who does not.
    dedupe = f"approval_reaction:{record.id}:{user}:{decision}:{at // 60_000}"
    return Entry("approval_reaction", f"approval_reaction:{user}", record.organization_id, dedupe, payload)
