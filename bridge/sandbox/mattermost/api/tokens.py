"""Routes of personal access tokens (server/channels/api4/user.go)."""

from aiohttp import web

from bridge.sandbox.mattermost import sessions as rules
from bridge.sandbox.mattermost.api.call import Call, answer, ok
from bridge.sandbox.mattermost.api.routing import route
from bridge.sandbox.mattermost.errors import invalid_param
from bridge.sandbox.mattermost.records import AccessToken, User
from bridge.sandbox.mattermost.roles import allowed
from bridge.sandbox.mattermost.users import find_user
from bridge.sandbox.mattermost.wire_accounts import token_json


def _require_user_or_bot(call: Call, user: User) -> None:
    if user.bot is not None:
        mine = user.bot.owner_id == call.me.id
        call.require("manage_bots" if mine else "manage_others_bots")
        return
    call.require_self(user.id)


async def create(call: Call) -> web.StreamResponse:
    """Create a token; the only answer that shows the secret. Who asks may be a bot."""
    user = find_user(call.state, call.id("user_id"))
    fields = await call.fields("user_access_token")
    description = fields.get("description")
    if not isinstance(description, str) or not description:
        raise invalid_param("description")
    call.require("create_user_access_token")
    _require_user_or_bot(call, user)
    if allowed(call.state, user.id, "manage_system"):
        call.require("manage_system")
    token = rules.create_token(call.state, user, description)
    return answer({**token_json(token), "token": token.token})


async def list_of_user(call: Call) -> web.StreamResponse:
    user_id = call.id("user_id")
    call.require("read_user_access_token")
    if user_id in call.state.users:
        _require_user_or_bot(call, call.state.users[user_id])
    found = call.state.tokens_of_user[user_id].values()
    return answer([token_json(token) for token in call.page(list(found))])


async def list_all(call: Call) -> web.StreamResponse:
    call.require("manage_system")
    return answer([token_json(token) for token in call.page(list(call.state.tokens.values()))])


async def get(call: Call) -> web.StreamResponse:
    call.require("read_user_access_token")
    token = rules.find_token(call.state, call.id("token_id"))
    _require_user_or_bot(call, call.state.users[token.user_id])
    return answer(token_json(token))


async def _named(call: Call, permission: str) -> AccessToken:
    token_id = (await call.fields("token_id")).get("token_id")
    if not isinstance(token_id, str) or not token_id:
        raise invalid_param("token_id")
    call.require(permission)
    token = rules.find_token(call.state, token_id)
    _require_user_or_bot(call, call.state.users[token.user_id])
    return token


async def revoke(call: Call) -> web.StreamResponse:
    rules.revoke_token(call.state, await _named(call, "revoke_user_access_token"))
    return ok()


async def disable(call: Call) -> web.StreamResponse:
    rules.set_token_active(call.state, await _named(call, "revoke_user_access_token"), active=False)
    return ok()


async def enable(call: Call) -> web.StreamResponse:
    rules.set_token_active(call.state, await _named(call, "create_user_access_token"), active=True)
    return ok()


async def search(call: Call) -> web.StreamResponse:
    """Find tokens by their id, or by id or name of their user."""
    call.require("manage_system")
    term = (await call.fields("term")).get("term")
    if not isinstance(term, str) or not term:
        raise invalid_param("term")
    users = call.state.users
    found = [
        token
        for token in call.state.tokens.values()
        if token.id.startswith(term)
        or token.user_id.startswith(term)
        or users[token.user_id].username.startswith(term)
    ]
    return answer([token_json(token) for token in found])


ROUTES = (
    route("GET", "/users/tokens", list_all),
    route("POST", "/users/tokens/search", search),
    route("POST", "/users/tokens/revoke", revoke),
    route("POST", "/users/tokens/disable", disable),
    route("POST", "/users/tokens/enable", enable),
    route("GET", "/users/tokens/{token_id}", get),
    route("POST", "/users/{user_id}/tokens", create),
    route("GET", "/users/{user_id}/tokens", list_of_user),
)
