"""Roles and what they permit.

Defaults: server/public/model/role.go (`MakeDefaultRoles`), without those of plugins and the system console.
"""

from collections.abc import Callable, Iterable

from bridge.sandbox.mattermost.errors import ApiError
from bridge.sandbox.mattermost.records import Role
from bridge.sandbox.mattermost.state import State

SYSTEM_USER = """
    list_public_teams join_public_teams create_direct_channel create_group_channel view_members create_team
"""
TEAM_USER = """
    list_team_channels join_public_channels read_public_channel view_team create_public_channel
    create_private_channel invite_user add_user_to_team
"""
TEAM_ADMIN = """
    remove_user_from_team manage_team import_team manage_team_roles manage_channel_roles
    convert_public_channel_to_private convert_private_channel_to_public delete_post delete_others_posts
"""
CHANNEL_USER = """
    read_channel read_channel_content add_reaction remove_reaction manage_public_channel_members upload_file
    get_public_link create_post use_channel_mentions manage_public_channel_properties delete_public_channel
    manage_private_channel_properties delete_private_channel manage_private_channel_members delete_post
    edit_post
"""
CHANNEL_ADMIN = "manage_channel_roles use_group_mentions"
CHANNEL_GUEST = """
    read_channel read_channel_content add_reaction remove_reaction upload_file edit_post create_post
    use_channel_mentions
"""
TOKENS = "create_user_access_token read_user_access_token revoke_user_access_token"
ADMIN_ONLY = """
    manage_system assign_system_admin_role edit_other_users manage_roles list_private_teams join_private_teams
    create_bot read_bots read_others_bots manage_bots manage_others_bots create_post_public
    create_post_ephemeral edit_others_posts read_deleted_posts list_users_without_team
"""
_SCHEME_MANAGED = {
    "system_user": SYSTEM_USER,
    "system_admin": SYSTEM_USER
    + TEAM_USER
    + TEAM_ADMIN
    + CHANNEL_USER
    + f"{CHANNEL_ADMIN} {TOKENS}"
    + ADMIN_ONLY,
    "system_guest": "create_direct_channel create_group_channel",
    "team_user": TEAM_USER,
    "team_admin": TEAM_ADMIN,
    "team_guest": "view_team",
    "channel_user": CHANNEL_USER,
    "channel_admin": CHANNEL_ADMIN,
    "channel_guest": CHANNEL_GUEST,
}
_OTHERS = {
    "system_post_all": "create_post use_channel_mentions",
    "system_post_all_public": "create_post_public use_channel_mentions",
    "system_user_access_token": TOKENS,
    "team_post_all": "create_post use_channel_mentions",
    "team_post_all_public": "create_post_public use_channel_mentions",
}


def create_default_roles(state: State) -> None:
    """Fill in the roles that every server has."""
    for names, scheme_managed in ((_SCHEME_MANAGED, True), (_OTHERS, False)):
        for name, permissions in names.items():
            now = state.now()
            state.roles[name] = Role(
                state.new_id(), name, list(dict.fromkeys(permissions.split())), now, now, scheme_managed
            )


def find_role(state: State, role_id: str) -> Role:
    """Return the role with that id."""
    for role in state.roles.values():
        if role.id == role_id:
            return role
    raise ApiError("app.role.get.app_error", 404)


def known_roles(state: State, names: str) -> bool:
    """Tell whether every name in the space-separated list is a role."""
    return all(name in state.roles for name in names.split())


def _grant(state: State, names: Iterable[str], permission: str) -> bool:
    return any(name in state.roles and permission in state.roles[name].permissions for name in names)


def allowed(state: State, user_id: str, permission: str) -> bool:
    """Tell whether the user has the permission everywhere (`SessionHasPermissionTo`)."""
    user = state.users.get(user_id)
    return user is not None and _grant(state, user.roles.split(), permission)


def allowed_in_team(state: State, user_id: str, team_id: str, permission: str) -> bool:
    """Tell whether the user has it in the team, by membership or everywhere."""
    if state.member_of_team(team_id, user_id):
        admin = state.team_members[team_id][user_id].admin
        if _grant(state, ("team_user", "team_admin") if admin else ("team_user",), permission):
            return True
    return allowed(state, user_id, permission)


def allowed_in_channel(state: State, user_id: str, channel_id: str, permission: str) -> bool:
    """Tell whether the user has it in the channel, by membership there or in its team, or everywhere."""
    if state.member_of_channel(channel_id, user_id):
        admin = state.channel_members[channel_id][user_id].admin
        if _grant(state, ("channel_user", "channel_admin") if admin else ("channel_user",), permission):
            return True
    channel = state.channels.get(channel_id)
    if channel is not None and channel.team_id:
        return allowed_in_team(state, user_id, channel.team_id, permission)
    return allowed(state, user_id, permission)


def viewer(state: State, user_id: str) -> Callable[[str], bool]:
    """Return what tells whether the user may look at another (`UserCanSeeOtherUser`).

    Everywhere with `view_members` as a system permission, else in the teams in which a team role grants it.
    """
    if allowed(state, user_id, "view_members"):
        return lambda _other: True
    teams = [
        team_id
        for team_id in state.teams_of_user[user_id]
        if allowed_in_team(state, user_id, team_id, "view_members")
    ]
    channels = list(state.channels_of_user[user_id])

    def may_see(other_id: str) -> bool:
        return (
            other_id == user_id
            or any(state.member_of_team(team_id, other_id) for team_id in teams)
            or any(state.member_of_channel(channel_id, other_id) for channel_id in channels)
        )

    return may_see


def sees(state: State, user_id: str, other_id: str) -> bool:
    """Tell whether one user may look at another."""
    return viewer(state, user_id)(other_id)
