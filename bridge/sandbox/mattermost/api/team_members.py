"""Routes of team memberships (server/channels/api4/team.go)."""

from typing import Any

from aiohttp import web

from bridge.sandbox.mattermost import team_members as rules
from bridge.sandbox.mattermost.api.call import Call, answer, ok
from bridge.sandbox.mattermost.api.routing import route
from bridge.sandbox.mattermost.api.teams import require_in_team
from bridge.sandbox.mattermost.errors import ApiError, forbidden, invalid_param
from bridge.sandbox.mattermost.ids import is_id
from bridge.sandbox.mattermost.records import Team
from bridge.sandbox.mattermost.roles import sees, viewer
from bridge.sandbox.mattermost.teams import find_team, find_team_by_invite
from bridge.sandbox.mattermost.users import find_user
from bridge.sandbox.mattermost.wire import team_member_json

MAX_BATCH = 256


async def add(call: Call) -> web.StreamResponse:
    """Add one user; a repeat answers the same."""
    team_id = call.id("team_id")
    fields = await call.fields("member")
    if fields.get("team_id") != team_id:
        raise invalid_param("team_id")
    user_id = fields.get("user_id")
    if not isinstance(user_id, str) or not is_id(user_id):
        raise invalid_param("user_id")
    if user_id == call.me.id:
        _require_may_join(call, find_team(call.state, team_id))
    else:
        require_in_team(call, team_id, "add_user_to_team")
    team = find_team(call.state, team_id)
    member = rules.add_member(call.state, team, find_user(call.state, user_id))
    return answer(team_member_json(member), 201)


def _require_may_join(call: Call, team: Team) -> None:
    call.require("join_public_teams" if team.allow_open_invite else "join_private_teams")


async def join_by_invite(call: Call) -> web.StreamResponse:
    """Put who asks into the team of an invite id; no permission is asked for."""
    team = find_team_by_invite(call.state, call.request.query.get("invite_id", ""))
    return answer(team_member_json(rules.add_member(call.state, team, call.me)), 201)


async def add_batch(call: Call) -> web.StreamResponse:
    """Add up to 256 users one by one; with `graceful` each has its own verdict."""
    team = find_team(call.state, call.id("team_id"))
    members = await call.json("members")
    if not isinstance(members, list) or not 0 < len(members) <= MAX_BATCH:
        raise invalid_param("members in batch")
    require_in_team(call, team.id, "add_user_to_team")
    user_ids = [_user_of(team, member) for member in members]
    if call.request.query.get("graceful"):
        return answer([_gracefully(call, team, user_id) for user_id in user_ids], 201)
    return answer([_add(call, team, user_id) for user_id in user_ids], 201)


def _user_of(team: Team, member: Any) -> str:
    user_id = member.get("user_id") if isinstance(member, dict) else None
    if not isinstance(user_id, str) or not is_id(user_id):
        raise invalid_param("user_id")
    if member.get("team_id") != team.id:
        raise invalid_param("team_id for member")
    return user_id


def _add(call: Call, team: Team, user_id: str) -> dict[str, Any]:
    member = rules.add_member(call.state, team, find_user(call.state, user_id), call.me)
    rules.announce(call.state, member)
    return team_member_json(member)


def _gracefully(call: Call, team: Team, user_id: str) -> dict[str, Any]:
    try:
        return {"user_id": user_id, "member": _add(call, team, user_id), "error": None}
    except ApiError as error:
        return {"user_id": user_id, "member": None, "error": error.to_json()}


async def remove(call: Call) -> web.StreamResponse:
    """Take a user out of the team and all its channels."""
    team_id, user_id = call.id("team_id"), call.id("user_id")
    if user_id != call.me.id:
        require_in_team(call, team_id, "remove_user_from_team")
    team = find_team(call.state, team_id)
    rules.remove_member(call.state, team, find_user(call.state, user_id), call.me)
    return ok()


async def list_members(call: Call) -> web.StreamResponse:
    """Return a page of the members, in order of their user ids."""
    team_id = call.id("team_id")
    require_in_team(call, team_id, "view_team")
    members = sorted(call.state.team_members[team_id].values(), key=lambda member: member.user_id)
    may_see = viewer(call.state, call.me.id)
    found = [m for m in members if not m.delete_at and may_see(m.user_id)]
    if call.flag("exclude_deleted_users"):
        found = [m for m in found if not call.state.users[m.user_id].delete_at]
    return answer([team_member_json(member) for member in call.page(found)])


async def get(call: Call) -> web.StreamResponse:
    """Return one membership, also one that has ended (`delete_at` > 0)."""
    team_id, user_id = call.id("team_id"), call.id("user_id")
    require_in_team(call, team_id, "view_team")
    if not sees(call.state, call.me.id, user_id):
        raise forbidden()
    member = rules.find_member(call.state, find_team(call.state, team_id), user_id)
    return answer(team_member_json(member))


async def get_many(call: Call) -> web.StreamResponse:
    """Return the memberships of the given users that are members now."""
    team_id = call.id("team_id")
    ids = await call.strings("user_ids")
    require_in_team(call, team_id, "view_team")
    members = call.state.team_members[team_id]
    found = [members[i] for i in ids if i in members and not members[i].delete_at]
    return answer([team_member_json(member) for member in found])


async def of_user(call: Call) -> web.StreamResponse:
    """Return all memberships of a user, ended ones included."""
    user_id = call.id("user_id")
    call.require_self(user_id)
    return answer([team_member_json(member) for member in call.state.teams_of_user[user_id].values()])


async def set_scheme_roles(call: Call) -> web.StreamResponse:
    """Make a member a team admin or take that back."""
    team_id, user_id = call.id("team_id"), call.id("user_id")
    fields = await call.fields("scheme_roles")
    require_in_team(call, team_id, "manage_team_roles")
    member = rules.find_member(call.state, find_team(call.state, team_id), user_id)
    member.admin = bool(fields.get("scheme_admin"))
    return ok()


ROUTES = (
    route("POST", "/teams/members/invite", join_by_invite),
    route("GET", "/teams/{team_id}/members", list_members),
    route("POST", "/teams/{team_id}/members", add),
    route("POST", "/teams/{team_id}/members/batch", add_batch),
    route("POST", "/teams/{team_id}/members/ids", get_many),
    route("GET", "/teams/{team_id}/members/{user_id}", get),
    route("DELETE", "/teams/{team_id}/members/{user_id}", remove),
    route("PUT", "/teams/{team_id}/members/{user_id}/schemeRoles", set_scheme_roles),
    route("GET", "/users/{user_id}/teams/members", of_user),
)
