"""Routes of bots (server/channels/api4/bot.go)."""

from aiohttp import web

from bridge.sandbox.mattermost import bots as rules
from bridge.sandbox.mattermost.api.call import Call, answer
from bridge.sandbox.mattermost.api.routing import route
from bridge.sandbox.mattermost.errors import ApiError, forbidden
from bridge.sandbox.mattermost.records import Bot, User
from bridge.sandbox.mattermost.users import patch_user
from bridge.sandbox.mattermost.wire_accounts import bot_json


async def create(call: Call) -> web.StreamResponse:
    """Create a bot; a bot may not, and the setting must allow it."""
    fields = await call.fields("bot")
    call.require("create_bot")
    if call.me.bot is not None:
        raise forbidden()
    if not call.state.settings.get("ServiceSettings", "EnableBotAccountCreation"):
        raise ApiError("api.bot.create_disabled", 403, "Bot creation has been disabled.")
    user = rules.create_bot(call.state, call.me, fields)
    return _one(*rules.find_bot(call.state, user.id), status=201)


def _one(user: User, bot: Bot, *, status: int = 200) -> web.Response:
    return answer(bot_json(user, bot), status)


async def get(call: Call) -> web.StreamResponse:
    user, bot = rules.find_bot(
        call.state, call.id("bot_user_id"), include_deleted=call.flag("include_deleted")
    )
    if not call.may("read_others_bots") and not (bot.owner_id == call.me.id and call.may("read_bots")):
        raise ApiError("store.sql_bot.get.missing.app_error", 404)
    return _one(user, bot)


async def list_bots(call: Call) -> web.StreamResponse:
    """Return a page of the bots, oldest first."""
    call.require("read_others_bots")
    every = [(user, user.bot) for user in call.state.users.values() if user.bot is not None]
    found = [(u, b) for u, b in every if not b.delete_at or call.flag("include_deleted")]
    return answer([bot_json(user, bot) for user, bot in call.page(found)])


def _manageable(call: Call) -> tuple[User, Bot]:
    user, bot = rules.find_bot(call.state, call.id("bot_user_id"), include_deleted=True)
    call.require("manage_bots" if bot.owner_id == call.me.id else "manage_others_bots")
    return user, bot


async def patch(call: Call) -> web.StreamResponse:
    """Change name, display name or description of a bot."""
    fields = await call.fields("bot")
    user, bot = _manageable(call)
    patch_user(
        call.state, user, {"username": fields.get("username"), "first_name": fields.get("display_name")}
    )
    for name in ("display_name", "description"):
        if fields.get(name) is not None:
            setattr(bot, name, str(fields[name]))
    bot.update_at = call.state.now()
    return _one(user, bot)


async def disable(call: Call) -> web.StreamResponse:
    user, bot = _manageable(call)
    rules.set_bot_active(call.state, user, bot, active=False)
    return _one(user, bot)


async def enable(call: Call) -> web.StreamResponse:
    user, bot = _manageable(call)
    rules.set_bot_active(call.state, user, bot, active=True)
    return _one(user, bot)


ROUTES = (
    route("POST", "/bots", create),
    route("GET", "/bots", list_bots),
    route("GET", "/bots/{bot_user_id}", get),
    route("PUT", "/bots/{bot_user_id}", patch),
    route("POST", "/bots/{bot_user_id}/disable", disable),
    route("POST", "/bots/{bot_user_id}/enable", enable),
)
