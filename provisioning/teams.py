"""An organization's Mattermost team."""

from dataclasses import replace

import structlog

from bridge.db.attempts import of_organization
from bridge.errors import NameTaken
from bridge.models.chat import Team
from bridge.models.equa import Organization
from bridge.ports import MattermostAdmin
from provisioning.names import display_name, team_names
from provisioning.tables import Tables

log = structlog.get_logger(__name__)


async def ensure_team(admin: MattermostAdmin, tables: Tables, organization: Organization) -> Team:
    """Return the organization's team: restored if it is archived, created if there is none.

    Its display name follows the organization's until somebody gives it another. A team that the bridge did
    not create is never taken, whatever it is called or says about itself.
    """
    mapping = await tables.teams.find(organization.id)
    team = await admin.team(mapping.team_id) if mapping else None
    shown = mapping.shown_name if mapping else None
    if team is None:
        team = await _left_behind(admin, tables, organization) or await _created(admin, tables, organization)
        shown = team.display_name
    if team.delete_at:
        await admin.restore_team(team.id)
        team = replace(team, delete_at=0)
        log.info("team_restored", organization=str(organization.id), team=team.id)
    shown = await _followed(admin, team, shown, display_name(organization.name))
    if mapping is None or (mapping.team_id, mapping.name, mapping.shown_name) != (team.id, team.name, shown):
        await tables.teams.record(organization.id, team, shown)
        log.info("team_recorded", organization=str(organization.id), team=team.id, name=team.name)
    return team


async def _followed(admin: MattermostAdmin, team: Team, shown: str | None, wanted: str) -> str | None:
    """Show the organization's present name; return the display name that is the bridge's, if it is."""
    if team.display_name in (shown, wanted) and wanted not in ("", team.display_name):
        await admin.rename_team(team.id, wanted)
        log.info("team_shown_as", team=team.id, name=wanted)
        return wanted
    return team.display_name if team.display_name in (shown, wanted) else None


async def _left_behind(admin: MattermostAdmin, tables: Tables, organization: Organization) -> Team | None:
    """Return the team that an interrupted attempt created."""
    attempt = await tables.attempts.find(of_organization(organization.id))
    return await _marked(admin, attempt.name, attempt.mark) if attempt else None


async def _created(admin: MattermostAdmin, tables: Tables, organization: Organization) -> Team:
    """Create a team under the first of its names that is free, unless one with our mark has it."""
    for name in team_names(organization):
        mark = await tables.attempts.begin(of_organization(organization.id), name)
        try:
            return await admin.create_team(name, display_name(organization.name, name), mark)
        except NameTaken as error:
            refusal = error
            team = await _marked(admin, name, mark)
        if team is not None:
            return team
    raise refusal


async def _marked(admin: MattermostAdmin, name: str, mark: str) -> Team | None:
    team = await admin.team_by_name(name)
    return team if team is not None and team.mark == mark else None
