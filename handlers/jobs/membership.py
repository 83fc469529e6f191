"""The job kind `membership`: an event about somebody's joining or leaving, applied to the team.

The events of one person and organization are one lane. The newest counts, by the time that the event names,
in whatever order they come.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, assert_never

import structlog

from bridge.errors import AccountConflict, MattermostNotConfigured, NotAMember, TeamNotMapped
from bridge.models.equa import Member, Organization, OrganizationId, Person, Roster
from bridge.models.jobs import Job, Membership
from provisioning.joining import ensure_membership
from provisioning.provisioner import Provisioner
from provisioning.roster import doubt, listed
from provisioning.roster_reader import RosterReader
from provisioning.sync_executor import entering
from provisioning.users import ensure_user

log = structlog.get_logger(__name__)

Result = Mapping[str, Any]

_LATELY = timedelta(minutes=1)

_NO_TIME = timedelta()


@dataclass(frozen=True, slots=True)
class Memberships:
    provisioner: Provisioner
    roster_reader: RosterReader | None
    """None without a service account; then the event alone is believed."""

    async def apply(self, job: Job) -> Result:
        """Put the person into the team or take them out of it; may be repeated.

        Raises `TeamNotMapped` while a person is to be put into a team that does not exist yet.
        """
        change = Membership.of(job.payload)
        if not await self.provisioner.tables.teams.is_synced(change.organization_id):
            return {"skipped": "auto_sync_off"}
        if await self.provisioner.tables.inbox.is_superseded(job.id):
            return {"skipped": "superseded"}
        match change.action:
            case "add":
                return await self._add(change, job)
            case "remove":
                return await self._remove(change)
            case _:
                assert_never(change.action)

    async def _remove(self, change: Membership) -> Result:
        organization, person = change.organization_id, change.person_id
        # Before anything is waited for: from now on no ticket is good, and no visit lets them in.
        await self.provisioner.tables.memberships.leave(organization, person)
        async with self.provisioner.locks.acquire(entering(organization)):
            await self.provisioner.leave(person, organization)
        return {"membership": "removed"}

    async def _add(self, change: Membership, job: Job) -> Result:
        await self._require_team(change.organization_id)
        person = await self._person(change, job)
        if person is None:
            return {"skipped": "not_on_roster"}
        try:
            await self._let_in(person, change.organization_id)
        except AccountConflict as error:
            # What happens when they come themselves: Equa says then whose the address is.
            return {"skipped": error.code, "reason": error.message}
        except NotAMember as error:
            return {"skipped": "left", "reason": error.message}
        return {"membership": "added"}

    async def _let_in(self, person: Person, organization: OrganizationId) -> None:
        admin, tables = self.provisioner.admin, self.provisioner.tables
        async with self.provisioner.locks.acquire(f"person:{person.id}"):
            account = await ensure_user(admin, tables, person, "roster", provider=self.provisioner.provider)
            team = await self.provisioner.ensure_team(Organization(organization, ""))
            # The newest word of the platform is younger than any leaving.
            await ensure_membership(admin, tables, team, account, verdict_age=_NO_TIME)
            await self.provisioner.tables.memberships.confirm(organization, person.id)

    async def _require_team(self, organization: OrganizationId) -> None:
        mapping = await self.provisioner.tables.teams.find(organization)
        if mapping is None or await self.provisioner.admin.team(mapping.team_id) is None:
            raise TeamNotMapped("The organization has no team yet: nobody has opened Messaging there.")

    async def _person(self, change: Membership, job: Job) -> Person | None:
        """Return the person to add, None if they are not on the roster.

        An event alone adds nobody where the roster can be asked: whoever can send events could put anybody
        into any organization.
        """
        roster = await self._roster(change.organization_id, job)
        one = listed(roster).get(change.person_id) if roster else None
        if roster and not one and not doubt(roster):
            return None
        return _described(change, one.member if one else None)

    async def _roster(self, organization: OrganizationId, job: Job) -> Roster | None:
        """Return the roster as of now, or as of the event; None if the service account cannot see it."""
        if self.roster_reader is None:
            return None
        moment = (
            job.created if job.attempts == 1 else await self.provisioner.tables.memberships.now() - _LATELY
        )
        try:
            return (await self.roster_reader.since(organization, moment)).roster
        except NotAMember as error:
            log.warning("service_account_failed", organization=str(organization), reason=error.message)
            return None


def _described(change: Membership, line: Member | None) -> Person:
    """Describe the person by the roster and, where it says nothing, by the event.

    Only their own visit proves the address.
    """
    if line is None:
        return Person(change.person_id, change.email, False, "", change.name)
    return Person(
        change.person_id,
        line.email or change.email,
        False,
        "",
        line.name or change.name,
        email_of_account=line.email_of_account and bool(line.email),
        nickname=line.nickname,
    )


async def refuse(job: Job) -> Result:
    """Say that memberships cannot follow without an administrator's token."""
    raise MattermostNotConfigured(f"Without MATTERMOST_ADMIN_BOT_TOKEN no {job.kind} can be done.")
