"""Teams and their members, as a system administrator manages them."""

from collections.abc import Sequence
from dataclasses import dataclass

from bridge.mattermost.rest.endpoints import TeamCalls
from bridge.mattermost.rest.objects import TEAM_MARK, is_current_member, parse_team
from bridge.mattermost.rest.outcomes import explaining, found_or_none, repeatable, unless_absent
from bridge.mattermost.rest.transport import Transport
from bridge.mattermost.wire import parse_list
from bridge.models.chat import Team, TeamId, UserId


@dataclass(frozen=True)
class TeamAdmin:
    transport: Transport

    async def team(self, team_id: TeamId) -> Team | None:
        return await found_or_none(self._teams.get(team_id), parse_team)

    async def team_by_name(self, name: str) -> Team | None:
        return await found_or_none(self._teams.by_name(name), parse_team)

    async def create_team(self, name: str, display_name: str, mark: str) -> Team:
        body = {"name": name, "display_name": display_name, "type": "I", TEAM_MARK: mark}
        with explaining("teams"):
            return parse_team(await self._repeatable_teams.create(body))

    async def rename_team(self, team_id: TeamId, display_name: str) -> None:
        await self._teams.patch(team_id, {"display_name": display_name})

    async def restore_team(self, team_id: TeamId) -> None:
        await self._repeatable_teams.restore(team_id)

    async def renew_invite(self, team_id: TeamId) -> None:
        with unless_absent():
            await self._teams.renew_invite(team_id)

    async def is_in_team(self, team_id: TeamId, user_id: UserId) -> bool:
        return await found_or_none(self._teams.member(team_id, user_id), is_current_member) or False

    async def add_to_team(self, team_id: TeamId, user_id: UserId) -> None:
        with explaining("team members"):
            await self._repeatable_teams.add_member(team_id, user_id)

    async def remove_from_team(self, team_id: TeamId, user_id: UserId) -> None:
        with unless_absent():
            await self._teams.remove_member(team_id, user_id)

    async def teams_of_holder(self, token: str) -> Sequence[Team]:
        reply = TeamCalls(self.transport.acting(token)).mine()
        return [parse_team(team) for team in parse_list(await reply)]

    @property
    def _teams(self) -> TeamCalls:
        return TeamCalls(self.transport)

    @property
    def _repeatable_teams(self) -> TeamCalls:
        return TeamCalls(repeatable(self.transport))
