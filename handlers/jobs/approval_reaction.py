"""The job kind `approval_reaction`: somebody decides by a reaction, where buttons do not work."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bridge.models.chat import UserId
from bridge.models.jobs import Job
from handlers.approvals import ApprovalDesk
from handlers.jobs.approval import record_of


@dataclass(frozen=True, slots=True)
class ApprovalReactions:
    desk: ApprovalDesk

    async def take(self, job: Job) -> Mapping[str, Any]:
        """Decide if the person may; nothing can be said to them alone."""
        record = await self.desk.approvals.get(record_of(job))
        if record is None or record.state != "pending":
            return {"skipped": "ended"}
        user = UserId(job.payload["user"])
        said = await self.desk.by_account(record, job.payload["decision"], user, "reaction")
        return {"refused": said} if said else {"decided": job.payload["decision"]}
