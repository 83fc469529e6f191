"""Make a whole team match its organization's roster."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from bridge.errors import SyncRefused
from bridge.models.chat import PAGE_SIZE, TeamId, User, UserId
from bridge.models.equa import Organization, OrganizationId
from bridge.ports import MattermostBulk
from provisioning.own_tokens import own_tokens
from provisioning.parallel import each
from provisioning.provisioner import Provisioner
from provisioning.report import Counts, Progress, Report, SyncProgress
from provisioning.roster import RosterSnapshot
from provisioning.sync_executor import OnProgress, SyncExecutor
from provisioning.sync_plan import Facts, Plan, plan_sync

log = structlog.get_logger(__name__)

_LOOKED_UP = 1000
"""How many accounts are looked up at once."""

_AT_ONCE = 4
"""Accounts that are switched at the same time."""

NOTHING = Counts()


async def nobody(_: Progress) -> None:
    """Report progress to nobody."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What a sync would do, and what that was concluded from."""

    plan: Plan
    facts: Facts


@dataclass(frozen=True, slots=True)
class TeamSync:
    """Every method may be repeated, by several processes at once, after a crash anywhere."""

    provisioner: Provisioner
    bulk: MattermostBulk

    async def preview(self, organization: OrganizationId, snapshot: RosterSnapshot) -> Preview:
        """Plan what `run` does, without changing anything; a missing team counts as empty."""
        mapping = await self.provisioner.tables.teams.find(organization)
        with own_tokens():
            team = await self.provisioner.admin.team(mapping.team_id) if mapping else None
            return await self._preview(organization, snapshot, team.id if team else None)

    async def run(
        self,
        organization: Organization,
        snapshot: RosterSnapshot,
        *,
        force: bool = False,
        before: Counts = NOTHING,
        on_progress: OnProgress = nobody,
    ) -> Report:
        """Do what `plan_sync` says, in the organization's team or in a new one of its name.

        One at a time for an organization: others wait. `before` is what earlier attempts with the same
        snapshot have done, of which the last batch may be missing. Raises `SyncRefused`, changing nobody's
        membership, if the plan has to be forced; `Unavailable` and whatever `Provisioner.ensure_team` raises.
        """
        with own_tokens():
            return await self._run(
                organization, snapshot, force=force, before=before, on_progress=on_progress
            )

    async def _run(
        self,
        organization: Organization,
        snapshot: RosterSnapshot,
        *,
        force: bool,
        before: Counts,
        on_progress: OnProgress,
    ) -> Report:
        async with self.provisioner.locks.acquire(f"sync:{organization.id}"):
            provisioned = await self.provisioner.ensure_team(organization, thorough=True)
            preview = await self._preview(organization.id, snapshot, provisioned.team.id)
            if preview.plan.refusal and not force:
                raise SyncRefused(preview.plan.refusal)
            progress = SyncProgress(preview.plan.changes, before)
            executor = SyncExecutor(
                self.provisioner,
                self.bulk,
                provisioned,
                snapshot.read_at,
                preview.facts,
                progress,
                on_progress,
            )
            await executor.apply(preview.plan)
            if self.provisioner.provider:
                await self._let_sign_in(organization.id)
        report = progress.report(organization.id)
        _log(report)
        return report

    async def _let_sign_in(self, organization: OrganizationId) -> None:
        """Let people sign in with Equa whose accounts are from before the bridge was the provider."""
        people = await self.provisioner.tables.accounts.without_auth(organization)
        await each(people, self.provisioner.let_sign_in, at_once=_AT_ONCE)

    async def _preview(
        self, organization: OrganizationId, snapshot: RosterSnapshot, team: TeamId | None
    ) -> Preview:
        present = await self._members(team) if team else []
        people = {member.person_id for member in snapshot.roster.members if member.person_id}
        known = await self.provisioner.tables.memberships.known(organization, people)
        inside = {user.id for user in present}
        outside = [known.accounts[person] for person in people & known.accounts.keys()]
        users = [*present, *await self._users([user for user in outside if user not in inside])]
        followed = await self.provisioner.tables.accounts.followed(organization, people)
        facts = Facts(known.accounts, {user.id: user for user in users}, known.states, followed)
        return Preview(plan_sync(snapshot.roster, present, facts), facts)

    async def _members(self, team: TeamId) -> list[User]:
        members: list[User] = []
        for number in itertools.count():
            page = await self.bulk.team_page(team, number)
            members += page
            if len(page) < PAGE_SIZE:
                break
        return members

    async def _users(self, ids: Sequence[UserId]) -> list[User]:
        users: list[User] = []
        for start in range(0, len(ids), _LOOKED_UP):
            users += await self.bulk.users(ids[start : start + _LOOKED_UP])
        return users


def _log(report: Report) -> None:
    counts = report.counts
    log.info(
        "synced",
        organization=str(report.organization_id),
        created=counts.created,
        added=counts.added,
        removed=counts.removed,
        unchanged=report.unchanged,
        failed=len(report.failed),
    )
