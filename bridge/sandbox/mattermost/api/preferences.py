"""Routes of preferences (server/channels/api4/preference.go)."""

from aiohttp import web

from bridge.sandbox.mattermost import preferences as rules
from bridge.sandbox.mattermost.api.call import Call, answer, ok
from bridge.sandbox.mattermost.api.routing import route
from bridge.sandbox.mattermost.errors import invalid_param
from bridge.sandbox.mattermost.records import User
from bridge.sandbox.mattermost.users import find_user

MOST = 100


def _user(call: Call) -> User:
    user_id = call.id("user_id")
    call.require_self(user_id)
    return find_user(call.state, user_id)


async def get(call: Call) -> web.StreamResponse:
    return answer(rules.all_of(call.state, _user(call)))


async def get_category(call: Call) -> web.StreamResponse:
    return answer(rules.in_category(call.state, _user(call), call.request.match_info["category"]))


async def update(call: Call) -> web.StreamResponse:
    user = _user(call)
    preferences = await call.json("preferences")
    if not isinstance(preferences, list) or not 0 < len(preferences) <= MOST:
        raise invalid_param("preferences")
    if not all(isinstance(each, dict) for each in preferences):
        raise invalid_param("preferences")
    rules.save(call.state, user, preferences)
    return ok()


ROUTES = (
    route("GET", "/users/{user_id}/preferences", get),
    route("PUT", "/users/{user_id}/preferences", update),
    route("GET", "/users/{user_id}/preferences/{category}", get_category),
)
