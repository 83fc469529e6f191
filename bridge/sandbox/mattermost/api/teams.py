"""Routes of teams (server/channels/api4/team.go)."""

from aiohttp import web

from bridge.sandbox.mattermost import teams as rules
from bridge.sandbox.mattermost.api.call import Call, answer, ok
from bridge.sandbox.mattermost.api.routing import route
from bridge.sandbox.mattermost.errors import ApiError, forbidden
from bridge.sandbox.mattermost.records import Team
from bridge.sandbox.mattermost.roles import allowed_in_team
from bridge.sandbox.mattermost.team_members import active_members, add_member
from bridge.sandbox.mattermost.wire import team_json


def require_in_team(call: Call, team_id: str, permission: str) -> None:
    """Raise 403 unless who asks has the permission in the team."""
    if not allowed_in_team(call.state, call.me.id, team_id, permission):
        raise forbidden()


async def create(call: Call) -> web.StreamResponse:
    """Create a team; who asks becomes its first member and admin."""
    fields = await call.fields("team")
    if not call.may("create_team"):
        raise ApiError("api.team.is_team_creation_allowed.disabled.app_error", 403)
    team = rules.create_team(call.state, fields)
    add_member(call.state, team, call.me, admin=True)
    return answer(team_json(team), 201)


async def get(call: Call) -> web.StreamResponse:
    return _one(call, rules.find_team(call.state, call.id("team_id")))


async def get_by_name(call: Call) -> web.StreamResponse:
    return _one(call, rules.find_team_by_name(call.state, call.request.match_info["name"].lower()))


def _one(call: Call, team: Team) -> web.Response:
    if not team.allow_open_invite or team.type != "O":
        require_in_team(call, team.id, "view_team")
    return answer(_sanitized(call, team))


def _sanitized(call: Call, team: Team) -> dict[str, object]:
    """Leave out e-mail and invitation for those who may neither manage the team nor invite."""
    body = team_json(team)
    if not allowed_in_team(call.state, call.me.id, team.id, "manage_team"):
        body["email"] = ""
    if not allowed_in_team(call.state, call.me.id, team.id, "invite_user"):
        body["invite_id"] = ""
    return body


async def exists(call: Call) -> web.StreamResponse:
    """Tell whether a team of that name exists that who asks may see."""
    team = call.state.team_by_name.get(call.request.match_info["name"].lower())
    visible = team is not None and (
        (team.type == "O" and team.allow_open_invite)
        or allowed_in_team(call.state, call.me.id, team.id, "view_team")
    )
    return answer({"exists": visible})


async def list_teams(call: Call) -> web.StreamResponse:
    """Return a page of the teams that who asks may list, in order of their display names."""
    private, public = call.may("list_private_teams"), call.may("list_public_teams")
    if not private and not public:
        raise ApiError("api.team.get_all_teams.insufficient_permissions", 403)
    found = [team for team in call.state.teams.values() if (public if team.allow_open_invite else private)]
    found.sort(key=lambda team: team.display_name)
    page = [_sanitized(call, team) for team in call.page(found)]
    if call.flag("include_total_count"):
        return answer({"teams": page, "total_count": len(found)})
    return answer(page)


async def patch(call: Call) -> web.StreamResponse:
    team_id = call.id("team_id")
    fields = await call.fields("team")
    require_in_team(call, team_id, "manage_team")
    team = rules.patch_team(call.state, rules.find_team(call.state, team_id), fields)
    return answer(_sanitized(call, team))


async def delete(call: Call) -> web.StreamResponse:
    """Archive a team; permanent deletion is off in the settings."""
    team_id = call.id("team_id")
    require_in_team(call, team_id, "manage_team")
    if call.flag("permanent"):
        raise ApiError("api.user.delete_team.not_enabled.app_error", 401)
    rules.archive_team(call.state, rules.find_team(call.state, team_id))
    return ok()


async def restore(call: Call) -> web.StreamResponse:
    team_id = call.id("team_id")
    require_in_team(call, team_id, "manage_team")
    team = rules.find_team(call.state, team_id)
    rules.restore_team(call.state, team)
    return answer(_sanitized(call, team))


async def renew_invite(call: Call) -> web.StreamResponse:
    team_id = call.id("team_id")
    require_in_team(call, team_id, "manage_team")
    team = rules.find_team(call.state, team_id)
    rules.renew_invite(call.state, team)
    return answer(_sanitized(call, team))


async def of_user(call: Call) -> web.StreamResponse:
    """Return the teams of a user that are not archived."""
    user_id = call.id("user_id")
    if user_id != call.me.id:
        call.require("manage_system")
    memberships = call.state.teams_of_user[user_id].values()
    found = [call.state.teams[m.team_id] for m in memberships if not m.delete_at]
    return answer([_sanitized(call, team) for team in found if not team.delete_at])


async def stats(call: Call) -> web.StreamResponse:
    team = rules.find_team(call.state, call.id("team_id"))
    require_in_team(call, team.id, "view_team")
    members = call.state.team_members[team.id].values()
    total = sum(not member.delete_at for member in members)
    active = active_members(call.state, team)
    return answer({"team_id": team.id, "total_member_count": total, "active_member_count": active})


ROUTES = (
    route("POST", "/teams", create),
    route("GET", "/teams", list_teams),
    route("GET", "/teams/name/{name}", get_by_name),
    route("GET", "/teams/name/{name}/exists", exists),
    route("GET", "/teams/{team_id}", get),
    route("DELETE", "/teams/{team_id}", delete),
    route("PUT", "/teams/{team_id}/patch", patch),
    route("POST", "/teams/{team_id}/restore", restore),
    route("POST", "/teams/{team_id}/regenerate_invite_id", renew_invite),
    route("GET", "/teams/{team_id}/stats", stats),
    route("GET", "/users/{user_id}/teams", of_user),
)
