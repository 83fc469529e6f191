"""Routes that look at accounts (server/channels/api4/user.go)."""

from collections.abc import Iterable

from aiohttp import web

from bridge.sandbox.mattermost import users as rules
from bridge.sandbox.mattermost.actions import publish_typing
from bridge.sandbox.mattermost.api.call import Call, answer, ok
from bridge.sandbox.mattermost.api.routing import route
from bridge.sandbox.mattermost.errors import ApiError, forbidden, invalid_param, invalid_url_param
from bridge.sandbox.mattermost.records import User
from bridge.sandbox.mattermost.roles import allowed_in_channel, allowed_in_team, sees, viewer
from bridge.sandbox.mattermost.wire_accounts import View, user_json

MAX_SEARCH = 1000


def view_of(call: Call, user: User) -> View:
    """Return how who asks sees an account."""
    if user.id == call.me.id:
        return "self"
    return "admin" if call.is_admin else "other"


def shown(call: Call, found: Iterable[User]) -> web.Response:
    """Answer with those of the accounts that who asks may look at."""
    may_see = viewer(call.state, call.me.id)
    visible = [user for user in found if may_see(user.id)]
    return answer([user_json(user, view_of(call, user)) for user in visible])


async def get(call: Call) -> web.StreamResponse:
    user_id = call.id("user_id")
    if not sees(call.state, call.me.id, user_id):
        raise forbidden()
    user = rules.find_user(call.state, user_id)
    if call.session is not None:
        call.runtime.hub.note_activity(call.me.id, call.session.token)
    return answer(user_json(user, view_of(call, user)))


async def get_by_username(call: Call) -> web.StreamResponse:
    return _one(call, call.state.user_by_name.get(call.request.match_info["username"].lower()))


async def get_by_email(call: Call) -> web.StreamResponse:
    email = call.request.match_info["email"].lower()
    if not rules.is_email(email):
        raise invalid_url_param("email")
    return _one(call, call.state.user_by_email.get(email))


def _one(call: Call, user: User | None) -> web.Response:
    """Answer with an account; to somebody with a restricted view an unknown one looks forbidden."""
    if user is None:
        if not call.may("view_members"):
            raise forbidden()
        raise ApiError(
            "app.user.missing_account.const", 404, "Unable to find an existing account matching your request."
        )
    if not sees(call.state, call.me.id, user.id):
        raise forbidden()
    return answer(user_json(user, view_of(call, user)))


async def get_many(call: Call) -> web.StreamResponse:
    ids = await call.strings("user_ids")
    return shown(call, (call.state.users[i] for i in sorted(ids) if i in call.state.users))


async def get_many_by_username(call: Call) -> web.StreamResponse:
    names = await call.strings("usernames")
    by_name = call.state.user_by_name
    return shown(call, (by_name[name.lower()] for name in sorted(names) if name.lower() in by_name))


async def list_users(call: Call) -> web.StreamResponse:
    """Return a page of accounts in order of their names, of the server, a team or a channel."""
    query = call.request.query
    found: Iterable[User] = call.state.users.values()
    if query.get("in_team"):
        _require_team(call, query["in_team"])
        found = (u for u in found if call.state.member_of_team(query["in_team"], u.id))
    elif query.get("not_in_team"):
        _require_team(call, query["not_in_team"])
        found = (u for u in found if not call.state.member_of_team(query["not_in_team"], u.id))
    elif query.get("in_channel"):
        if not allowed_in_channel(call.state, call.me.id, query["in_channel"], "read_channel"):
            raise forbidden()
        found = (u for u in found if call.state.member_of_channel(query["in_channel"], u.id))
    if call.flag("active"):
        found = (u for u in found if not u.delete_at)
    if call.flag("inactive"):
        found = (u for u in found if u.delete_at)
    if query.get("role"):
        found = (u for u in found if query["role"] in u.roles.split())
    may_see = viewer(call.state, call.me.id)
    visible = sorted((user for user in found if may_see(user.id)), key=lambda user: user.username)
    return answer([user_json(user, view_of(call, user)) for user in call.page(visible)])


def _require_team(call: Call, team_id: str) -> None:
    if not allowed_in_team(call.state, call.me.id, team_id, "view_team"):
        raise forbidden()


async def search(call: Call) -> web.StreamResponse:
    """Find accounts whose names or e-mail start with a term; active ones unless `allow_inactive`."""
    fields = await call.fields("props")
    term = str(fields.get("term") or "").lower().lstrip("@")
    limit = fields.get("limit") or 100
    if not isinstance(limit, int) or not 0 < limit <= MAX_SEARCH:
        raise invalid_param("limit")
    team_id = str(fields.get("team_id") or "")
    found = (
        user
        for user in call.state.users.values()
        if _matches(user, term)
        and (not user.delete_at or fields.get("allow_inactive"))
        and (not team_id or call.state.member_of_team(team_id, user.id))
    )
    return shown(call, sorted(found, key=lambda user: user.username)[:limit])


def _matches(user: User, term: str) -> bool:
    words = (user.username, user.first_name, user.last_name, user.nickname, user.email)
    return any(word.lower().startswith(term) for word in words)


async def typing(call: Call) -> web.StreamResponse:
    """Tell the channel that somebody is typing."""
    user_id = call.id("user_id")
    fields = await call.fields("typing_request")
    if user_id != call.me.id:
        call.require("manage_system")
    channel_id = str(fields.get("channel_id") or "")
    if not allowed_in_channel(call.state, user_id, channel_id, "create_post"):
        raise forbidden()
    publish_typing(call.state, user_id, channel_id, str(fields.get("parent_id") or ""))
    return ok()


async def stats(call: Call) -> web.StreamResponse:
    """Return how many accounts there are."""
    return answer({"total_users_count": sum(not user.delete_at for user in call.state.users.values())})


ROUTES = (
    route("GET", "/users", list_users),
    route("POST", "/users/ids", get_many),
    route("POST", "/users/usernames", get_many_by_username),
    route("POST", "/users/search", search),
    route("GET", "/users/stats", stats),
    route("GET", "/users/username/{username}", get_by_username),
    route("GET", "/users/email/{email}", get_by_email),
    route("GET", "/users/{user_id}", get),
    route("POST", "/users/{user_id}/typing", typing),
)
