"""The rules for who is in a team.

Source: server/channels/app/team.go (`JoinUserToTeam`, `LeaveTeam`).
"""

from bridge.sandbox.mattermost.channel_members import drop_member, join_default_channels
from bridge.sandbox.mattermost.channels import TOWN_SQUARE
from bridge.sandbox.mattermost.errors import ApiError
from bridge.sandbox.mattermost.events import Broadcast, Event
from bridge.sandbox.mattermost.notices import post_left_team
from bridge.sandbox.mattermost.records import Team, TeamMember, User
from bridge.sandbox.mattermost.state import State


def add_member(
    state: State, team: Team, user: User, requestor: User | None = None, *, admin: bool = False
) -> TeamMember:
    """Put a user into a team and its default channels; a repeat changes nothing."""
    member = state.team_members[team.id].get(user.id)
    if member is not None and not member.delete_at:
        return member
    if _is_full(state, team):
        kind = "save_member.max_accounts" if member is None else "max_accounts"
        raise ApiError(f"app.team.join_user_to_team.{kind}.app_error", 400)
    member = TeamMember(team.id, user.id, state.now(), admin)
    state.team_members[team.id][user.id] = member
    state.teams_of_user[user.id][team.id] = member
    join_default_channels(state, team.id, user, requestor)
    announce(state, member)
    return member


def announce(state: State, member: TeamMember) -> None:
    """Tell somebody that he is in a team; a batch does so once more, for present members too."""
    data = {"team_id": member.team_id, "user_id": member.user_id}
    state.publish(Event("added_to_team", data, Broadcast(user_id=member.user_id)))


def _is_full(state: State, team: Team) -> bool:
    """Tell whether nobody else fits in; members are counted only when there are enough of them."""
    limit = int(state.settings.get("TeamSettings", "MaxUsersPerTeam"))
    return len(state.team_members[team.id]) >= limit and active_members(state, team) >= limit


def active_members(state: State, team: Team) -> int:
    """Return how many members count for `MaxUsersPerTeam`, bots included."""
    return sum(
        not member.delete_at and not state.users[member.user_id].delete_at
        for member in state.team_members[team.id].values()
    )


def find_member(state: State, team: Team, user_id: str) -> TeamMember:
    """Return a membership, also one that has ended."""
    member = state.team_members[team.id].get(user_id)
    if member is None:
        raise ApiError("app.team.get_member.missing.app_error", 404, "No team member found.")
    return member


def remove_member(state: State, team: Team, user: User, remover: User) -> None:
    """Take somebody out of a team and of all its channels; a former member is removed, and told of, again."""
    member = state.team_members[team.id].get(user.id)
    if member is None:
        raise ApiError("api.team.remove_user_from_team.missing.app_error", 400)
    for channel_id in [i for i in state.channels_of_user[user.id] if i in state.channels_of_team[team.id]]:
        drop_member(state, state.channels[channel_id], user.id)
    post_left_team(state, state.channel_by_name[team.id, TOWN_SQUARE], user, remover)
    data = {"team_id": team.id, "user_id": user.id}
    state.publish(Event("leave_team", data, Broadcast(team_id=team.id, omit_users=frozenset((user.id,)))))
    state.publish(Event("leave_team", data, Broadcast(user_id=user.id)))
    member.delete_at = state.now()
    member.admin = False
