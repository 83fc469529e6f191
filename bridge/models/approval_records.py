"""Approvals as the bridge keeps them. Pure: no I/O is imported here."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NewType
from uuid import UUID

from bridge.models.approvals import Approval, Decision
from bridge.models.audit import AuditRole, Via
from bridge.models.chat import PostId, UserId
from bridge.models.equa import OrganizationId, PersonId
from bridge.models.jobs import Entry, JobKind

RecordId = NewType("RecordId", UUID)
"""The bridge's own id of an approval."""

ApprovalState = Literal["pending", "approved", "denied", "expired", "withdrawn", "elsewhere"]
"""`elsewhere`: decided, but not through the bridge; `withdrawn`: its run has ended, or the gateway does not
know it any more."""

Way = Literal["buttons", "reactions", "page"]
"""How a post says that it is decided; `page`: only on the organization's page."""

STATE_OF: dict[Decision, ApprovalState] = {"allow-once": "approved", "deny": "denied"}
DECISION_OF: dict[ApprovalState, Decision] = {"approved": "allow-once", "denied": "deny"}


@dataclass(frozen=True, slots=True)
class Decider:
    """Who decides, and by which way."""

    via: Via
    role: AuditRole
    person_id: PersonId | None = None
    user_id: UserId | None = None
    name: str = ""
    """How a person without an account in Mattermost is called; anybody's words."""


@dataclass(frozen=True, slots=True)
class ApprovalRecord:
    """An approval, and what has become of it."""

    id: RecordId
    approval: Approval
    thread: PostId | Literal[""]
    """The root to post under; empty for a direct message outside of a thread."""
    asker: UserId | None
    """Whose question the agent works on; None where that is not known."""
    state: ApprovalState
    created: datetime
    expires_at: datetime
    outcome: str | None = None
    """What the gateway says that it has come to."""
    decider: Decider | None = None
    ended: datetime | None = None
    sent: datetime | None = None
    """When the gateway has heard of the decision."""
    post_id: PostId | None = None
    way: Way | None = None

    @property
    def organization_id(self) -> OrganizationId:
        return self.approval.conversation.organization_id

    @property
    def is_direct(self) -> bool:
        return self.approval.conversation.person_id is not None


def job_of(kind: JobKind, record: RecordId, organization: OrganizationId) -> Entry:
    """Return a job about an approval, of which there is one at most of each kind.

    It is posted before it is shown as ended. A decision waits for neither.
    """
    lane = f"{kind}:{record}" if kind in ("approval_decision", "approval_reminder") else f"approval:{record}"
    return Entry(kind, lane, organization, f"{kind}:{record}", {"approval": str(record)})
