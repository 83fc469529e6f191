"""Decide about a tool call: who may, looked up at that very moment, and what is stored of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from uuid import UUID

import structlog
from cachetools import TTLCache

from bridge.db.approvals import Approvals
from bridge.db.inbox import Inbox
from bridge.db.mappings import Mappings
from bridge.db.organization_settings import SettingsOfOrganizations
from bridge.errors import (
    ApprovalEnded,
    InvalidRequest,
    MattermostRefused,
    MattermostUnavailable,
    NotAMember,
)
from bridge.metrics import Metrics
from bridge.models.approval_records import ApprovalRecord, Decider, RecordId, job_of
from bridge.models.approvals import Decision
from bridge.models.audit import AuditRole, Via
from bridge.models.buttons import Button, Press
from bridge.models.chat import UserId
from bridge.models.equa import PersonId
from bridge.models.organization_settings import Approvers
from bridge.ports import EquaDirectory, MattermostApi
from provisioning.roster import listed

log = structlog.get_logger(__name__)

MAY_DECIDE: Mapping[Approvers, frozenset[AuditRole]] = MappingProxyType(
    {
        "admins": frozenset({"admin"}),
        "members": frozenset({"admin", "member"}),
        "asker": frozenset({"admin", "member", "asker"}),
    }
)

NOT_ALLOWED: Mapping[Approvers, str] = MappingProxyType(
    {
        "admins": "Only an administrator of the organization may decide about this.",
        "members": "Whoever has asked may not decide about this; another member of the organization may.",
        "asker": "Only members of the organization may decide about this.",
    }
)
NOT_TAKEN = "The agent does not take this decision."
OUTSIDER = "Only members of the organization may decide about this."
NOBODY_ASKED = (
    "Your role cannot be looked up from here. An administrator can decide on the organization's page."
)


@dataclass(frozen=True, slots=True)
class ApprovalDesk:
    """Takes decisions, whichever way they come."""

    approvals: Approvals
    inbox: Inbox
    mappings: Mappings
    settings: SettingsOfOrganizations
    metrics: Metrics
    directory: EquaDirectory | None
    """None without a service account: then only those decide who bring their own session."""
    api: MattermostApi
    _usernames: TTLCache[UserId, str] = field(default_factory=lambda: TTLCache(10_000, 600), repr=False)

    async def pressed(self, button: Button, press: Press) -> str:
        """Decide for whoever has pressed a button; return a sentence for them, or nothing."""
        record = await self.approvals.get(RecordId(UUID(button.subject)))
        if record is None or record.organization_id != button.organization_id:
            return "This was too long ago."
        decision: Decision = "allow-once" if button.choice == "allow-once" else "deny"
        return await self.by_account(record, decision, press.user_id, "button")

    async def by_account(self, record: ApprovalRecord, decision: Decision, user: UserId, via: Via) -> str:
        """Decide for an account of Mattermost; return a sentence for it if that was not taken, else nothing.

        Raises `EquaUnavailable` while nobody can say which role the person has.
        """
        if record.state != "pending":
            return ended_sentence(record)
        if decision not in record.approval.decisions:
            return NOT_TAKEN
        if self.directory is None:
            return NOBODY_ASKED
        person = await self.mappings.person(user)
        role = await self._role(self.directory, record, user, person)
        by = Decider(via, role, person, user)
        approvers = (await self.settings.current(record.organization_id)).approvers
        if role not in MAY_DECIDE[approvers]:
            await self.approvals.refused(record, decision, by)
            self.metrics.approval("refused")
            return OUTSIDER if role == "none" else NOT_ALLOWED[approvers]
        try:
            await self._decide(record, decision, by)
        except ApprovalEnded as error:
            return error.message
        return ""

    async def by_admin(
        self, record: ApprovalRecord, decision: Decision, person: PersonId, name: str
    ) -> ApprovalRecord:
        """Decide for an administrator who has shown their session on the organization's page.

        Raises `ApprovalEnded`, and `InvalidRequest` if the agent does not take the decision.
        """
        if decision not in record.approval.decisions:
            raise InvalidRequest(NOT_TAKEN)
        user = await self.mappings.account(person)
        return await self._decide(record, decision, Decider("page", "admin", person, user, name))

    async def username(self, user: UserId) -> str | None:
        """Return what an account is called; None if Mattermost does not say it now."""
        if user not in self._usernames:
            try:
                self._usernames[user] = (await self.api.user(user)).username
            except (MattermostRefused, MattermostUnavailable):
                return None
        return self._usernames[user]

    async def _decide(self, record: ApprovalRecord, decision: Decision, by: Decider) -> ApprovalRecord:
        decided = await self.approvals.decide(record.id, decision, by)
        if decided is None:
            now = await self.approvals.get(record.id)
            raise ApprovalEnded(ended_sentence(now or record))
        log.info("approval_decided", approval=str(record.id), state=decided.state, role=by.role, via=by.via)
        self.metrics.approval(decided.state)
        await self.inbox.put_all([job_of("approval_decision", record.id, record.organization_id)])
        return decided

    async def _role(
        self, directory: EquaDirectory, record: ApprovalRecord, user: UserId, person: PersonId | None
    ) -> AuditRole:
        """Ask Equa now: a verdict that is some seconds old may be one too many."""
        organization = record.organization_id
        if person is None:
            return "none"
        if await directory.is_admin(organization, person):
            return "admin"
        try:
            is_member = person in listed(await directory.roster(organization))
        except NotAMember:
            is_member = False
        if not is_member:
            return "none"
        return "asker" if user == record.asker else "member"


def ended_sentence(record: ApprovalRecord) -> str:
    """Return what somebody hears who comes too late."""
    match record.state:
        case "approved":
            return "This was approved already."
        case "denied":
            return "This was denied already."
        case "elsewhere":
            return "This was decided elsewhere already."
        case "withdrawn":
            return "The agent does not wait for this any more."
    return "This has expired."
