"""Routes that list channels (server/channels/api4/channel.go)."""

import json
from collections.abc import Sequence

from aiohttp import web

from bridge.sandbox.mattermost.api.call import Call, answer
from bridge.sandbox.mattermost.api.channels import may
from bridge.sandbox.mattermost.api.routing import route
from bridge.sandbox.mattermost.api.teams import require_in_team
from bridge.sandbox.mattermost.errors import ApiError
from bridge.sandbox.mattermost.records import Channel
from bridge.sandbox.mattermost.wire import channel_json


async def of_team(call: Call) -> web.StreamResponse:
    """Return a page of the open channels of a team."""
    return _list(call, [c for c in _of_team(call) if c.type == "O" and not c.delete_at])


async def deleted_of_team(call: Call) -> web.StreamResponse:
    """Return a page of the archived channels of a team."""
    return _list(
        call, [c for c in _of_team(call) if c.delete_at and (c.type == "O" or may(call, c, "read_channel"))]
    )


async def private_of_team(call: Call) -> web.StreamResponse:
    """Return a page of the private channels of a team, to administrators."""
    call.require("manage_system")
    return _list(call, [c for c in _of_team(call) if c.type == "P" and not c.delete_at])


def _of_team(call: Call) -> list[Channel]:
    team_id = call.id("team_id")
    require_in_team(call, team_id, "list_team_channels")
    return sorted(call.state.channels_of_team[team_id].values(), key=lambda channel: channel.display_name)


def _list(call: Call, found: Sequence[Channel]) -> web.Response:
    return answer([channel_json(channel) for channel in call.page(found)])


async def list_all(call: Call) -> web.StreamResponse:
    """Return a page of all channels, to administrators."""
    call.require("manage_system")
    found = [
        c
        for c in call.state.channels.values()
        if c.type in "OP" and (not c.delete_at or call.flag("include_deleted"))
    ]
    return _list(call, sorted(found, key=lambda channel: channel.display_name))


async def of_user(call: Call) -> web.StreamResponse:
    """Return all channels of a user, direct ones and (until 11) those of archived teams included.

    The real server streams this list and has already written `[` when it finds nothing: the answer to a user
    without a channel is 404 and no JSON.
    """
    user_id = call.id("user_id")
    call.require_self(user_id)
    found = sorted(_joined(call, user_id), key=lambda channel: channel.id)
    if not found:
        error = ApiError("app.channel.get_channels.not_found.app_error", 404)
        broken = "[" + json.dumps(error.to_json(call.state.new_id()))
        return web.Response(text=broken, status=error.status, content_type="application/json")
    return answer([channel_json(channel) for channel in found])


def _joined(call: Call, user_id: str) -> list[Channel]:
    deleted_since = call.number("last_delete_at", 0)
    wanted = call.flag("include_deleted")
    channels = (call.state.channels[channel_id] for channel_id in call.state.channels_of_user[user_id])
    return [c for c in channels if not c.delete_at or (wanted and c.delete_at >= deleted_since)]


async def of_user_in_team(call: Call) -> web.StreamResponse:
    """Return the channels of a user in a team, direct ones included."""
    user_id, team_id = call.id("user_id"), call.id("team_id")
    call.require_self(user_id)
    require_in_team(call, team_id, "view_team")
    found = [c for c in _joined(call, user_id) if c.team_id in ("", team_id)]
    if not found:
        raise ApiError("app.channel.get_channels.not_found.app_error", 404)
    return answer([channel_json(channel) for channel in found])


ROUTES = (
    route("GET", "/channels", list_all),
    route("GET", "/teams/{team_id}/channels", of_team),
    route("GET", "/teams/{team_id}/channels/deleted", deleted_of_team),
    route("GET", "/teams/{team_id}/channels/private", private_of_team),
    route("GET", "/users/{user_id}/channels", of_user),
    route("GET", "/users/{user_id}/teams/{team_id}/channels", of_user_in_team),
)
