"""Routes of channels (server/channels/api4/channel.go)."""

from aiohttp import web

from bridge.sandbox.mattermost import channels as rules
from bridge.sandbox.mattermost.api.call import Call, answer, ok
from bridge.sandbox.mattermost.api.routing import route
from bridge.sandbox.mattermost.api.teams import require_in_team
from bridge.sandbox.mattermost.direct_channels import direct_channel, group_channel
from bridge.sandbox.mattermost.errors import ApiError, forbidden, invalid_param
from bridge.sandbox.mattermost.ids import is_id
from bridge.sandbox.mattermost.records import Channel
from bridge.sandbox.mattermost.roles import allowed_in_channel, allowed_in_team, sees
from bridge.sandbox.mattermost.teams import find_team_by_name
from bridge.sandbox.mattermost.wire import channel_json


def may(call: Call, channel: Channel, permission: str) -> bool:
    return allowed_in_channel(call.state, call.me.id, channel.id, permission)


def require(call: Call, channel: Channel, permission: str) -> None:
    """Raise 403 unless who asks has the permission in the channel."""
    if not may(call, channel, permission):
        raise forbidden()


async def create(call: Call) -> web.StreamResponse:
    """Create an open or private channel; who asks becomes its first member and admin."""
    fields = await call.fields("channel")
    for name in ("team_id", "display_name"):
        if not fields.get(name):
            raise invalid_param(name)
    permission = "create_public_channel" if fields.get("type") == "O" else "create_private_channel"
    require_in_team(call, str(fields["team_id"]), permission)
    return answer(channel_json(rules.create_channel(call.state, call.me.id, fields)), 201)


async def get(call: Call) -> web.StreamResponse:
    channel = rules.find_channel(call.state, call.id("channel_id"))
    if not _readable(call, channel):
        raise forbidden()
    return answer(channel_json(channel))


def _readable(call: Call, channel: Channel) -> bool:
    if channel.type == "O" and allowed_in_team(
        call.state, call.me.id, channel.team_id, "read_public_channel"
    ):
        return True
    return may(call, channel, "read_channel")


async def get_by_name(call: Call) -> web.StreamResponse:
    return _named(call, call.id("team_id"))


async def get_by_names(call: Call) -> web.StreamResponse:
    team = find_team_by_name(call.state, call.request.match_info["team_name"].lower())
    return _named(call, team.id)


def _named(call: Call, team_id: str) -> web.Response:
    name = call.request.match_info["name"]
    channel = rules.find_channel_by_name(
        call.state, team_id, name, include_deleted=call.flag("include_deleted")
    )
    if not _readable(call, channel):
        if channel.type == "O":
            raise forbidden()
        raise ApiError("app.channel.get_by_name.missing.app_error", 404)
    return answer(channel_json(channel))


async def patch(call: Call) -> web.StreamResponse:
    """Change name, display name, header or purpose."""
    channel = rules.find_channel(call.state, call.id("channel_id"))
    fields = await call.fields("channel")
    if channel.type in "DG":
        raise ApiError("api.channel.patch_update_channel.forbidden.app_error", 403)
    kind = "public" if channel.type == "O" else "private"
    require(call, channel, f"manage_{kind}_channel_properties")
    return answer(channel_json(rules.patch_channel(call.state, channel, fields, call.me)))


async def delete(call: Call) -> web.StreamResponse:
    """Archive a channel; permanent deletion is off in the settings."""
    channel = rules.find_channel(call.state, call.id("channel_id"))
    if channel.type in "DG":
        raise ApiError("api.channel.delete_channel.type.invalid", 400)
    require(call, channel, f"delete_{'public' if channel.type == 'O' else 'private'}_channel")
    if call.flag("permanent"):
        raise ApiError("api.user.delete_channel.not_enabled.app_error", 401)
    rules.archive_channel(call.state, call.me, channel)
    return ok()


async def restore(call: Call) -> web.StreamResponse:
    channel = rules.find_channel(call.state, call.id("channel_id"))
    require_in_team(call, channel.team_id, "manage_team")
    rules.restore_channel(call.state, call.me, channel)
    return answer(channel_json(channel))


async def convert(call: Call) -> web.StreamResponse:
    """Make a channel private or open."""
    channel = rules.find_channel(call.state, call.id("channel_id"))
    kind = (await call.fields("channel")).get("privacy")
    if kind not in ("O", "P"):
        raise invalid_param("privacy")
    to_private = kind == "P"
    require(
        call,
        channel,
        "convert_public_channel_to_private" if to_private else "convert_private_channel_to_public",
    )
    rules.convert_channel(call.state, call.me, channel, "P" if to_private else "O")
    return answer(channel_json(channel))


async def create_direct(call: Call) -> web.StreamResponse:
    """Return the direct channel of the caller and another user."""
    ids = await call.json("user_ids")
    if not isinstance(ids, list) or len(ids) != 2 or not all(is_id(each) for each in ids):
        raise invalid_param("user_ids")
    call.require("create_direct_channel")
    if call.me.id not in ids:
        call.require("manage_system")
    for other in ids:
        if not sees(call.state, call.me.id, other):
            raise forbidden()
    return answer(channel_json(direct_channel(call.state, call.me, ids)), 201)


async def create_group(call: Call) -> web.StreamResponse:
    """Return the group channel of the caller and others."""
    ids = await call.json("user_ids")
    if not isinstance(ids, list) or not all(is_id(each) for each in ids):
        raise invalid_param("user_ids")
    call.require("create_group_channel")
    for other in ids:
        if not sees(call.state, call.me.id, other):
            raise forbidden()
    return answer(channel_json(group_channel(call.state, call.me, ids)), 201)


async def view(call: Call) -> web.StreamResponse:
    """Take note that a channel was looked at."""
    await call.fields("channel_view")
    if call.session is not None:
        call.runtime.hub.note_activity(call.me.id, call.session.token)
    return answer({"status": "OK", "last_viewed_at_times": {}})


ROUTES = (
    route("POST", "/channels", create),
    route("POST", "/channels/direct", create_direct),
    route("POST", "/channels/group", create_group),
    route("POST", "/channels/members/{user_id}/view", view),
    route("GET", "/channels/{channel_id}", get),
    route("DELETE", "/channels/{channel_id}", delete),
    route("PUT", "/channels/{channel_id}/patch", patch),
    route("POST", "/channels/{channel_id}/restore", restore),
    route("PUT", "/channels/{channel_id}/privacy", convert),
    route("GET", "/teams/{team_id}/channels/name/{name}", get_by_name),
    route("GET", "/teams/name/{team_name}/channels/name/{name}", get_by_names),
)
