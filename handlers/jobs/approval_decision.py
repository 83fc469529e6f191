"""The job kind `approval_decision`: send a stored decision to the gateway, which takes the first one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from bridge.db.approvals import Approvals
from bridge.db.inbox import Inbox
from bridge.models.approval_records import DECISION_OF, ApprovalRecord, job_of
from bridge.models.approvals import Outcome, QuestionOutcome
from bridge.models.jobs import Job
from bridge.ports import AgentControl
from handlers.jobs.approval import record_of

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ApprovalDecisions:
    approvals: Approvals
    inbox: Inbox
    control: AgentControl

    async def send(self, job: Job) -> Mapping[str, Any]:
        """Send the decision; the gateway says what counts. Safe to repeat: a repeat changes nothing there."""
        record = await self.approvals.get(record_of(job))
        if record is None or record.state not in DECISION_OF:
            return {"skipped": "nothing_decided"}
        if record.sent:
            return await self._settled(record, None)
        approval = record.approval
        resolution = await self.control.resolve_approval(
            approval.id, approval.kind, DECISION_OF[record.state]
        )
        return await self._settled(record, _outcome(resolution.outcome))

    async def lost(self, job: Job, error: Exception, reason: str) -> Mapping[str, Any] | None:
        """Say in the thread that the decision did not reach the agent."""
        record = await self.approvals.get(record_of(job))
        log.error("approval_not_sent", approval=job.payload["approval"], reason=reason, exc_info=error)
        return await self._settled(record, "withdrawn") if record else None

    async def _settled(self, record: ApprovalRecord, outcome: Outcome | None) -> Mapping[str, Any]:
        settled = await self.approvals.settle(record.id, outcome) if outcome else record
        await self.inbox.put_all([job_of("approval_ended", record.id, record.organization_id)])
        return {"outcome": (settled or record).state}


def _outcome(outcome: Outcome | QuestionOutcome) -> Outcome:
    match outcome:
        case "allowed" | "denied" | "expired":
            return outcome
    return "withdrawn"
