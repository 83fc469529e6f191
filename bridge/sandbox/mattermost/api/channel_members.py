"""Routes of channel memberships (server/channels/api4/channel.go)."""

import json
from typing import Any

from aiohttp import web

from bridge.sandbox.mattermost import channel_members as rules
from bridge.sandbox.mattermost.api.call import Call, answer, ok
from bridge.sandbox.mattermost.api.channels import may, require
from bridge.sandbox.mattermost.api.routing import route
from bridge.sandbox.mattermost.channels import find_channel
from bridge.sandbox.mattermost.errors import ApiError, forbidden, invalid_param
from bridge.sandbox.mattermost.events import Broadcast, Event
from bridge.sandbox.mattermost.ids import is_id
from bridge.sandbox.mattermost.records import Channel, ChannelMember
from bridge.sandbox.mattermost.roles import allowed_in_team
from bridge.sandbox.mattermost.users import find_user
from bridge.sandbox.mattermost.wire import channel_member_json

MAX_LIST = 1000


async def add(call: Call) -> web.StreamResponse:
    """Add one user or up to 1000; it is an error only if nobody was added."""
    channel_id = call.id("channel_id")
    fields = await call.fields("body")
    user_ids = _user_ids(fields)
    channel = find_channel(call.state, channel_id)
    if channel.type in "DG":
        raise ApiError("api.channel.add_user_to_channel.type.app_error", 400)
    if channel.type == "P":
        require(call, channel, "manage_private_channel_members")
    members, error = _add_all(call, channel, user_ids)
    if error is not None and not members:
        raise error
    if "user_id" in fields and len(members) == 1:
        return answer(channel_member_json(members[0]), 201)
    return answer([channel_member_json(member) for member in members], 201)


def _user_ids(fields: dict[str, Any]) -> list[str]:
    many = fields.get("user_ids")
    if not isinstance(many, list):
        many = [fields.get("user_id")]
    if len(many) > MAX_LIST:
        raise invalid_param("user_ids")
    if not all(is_id(each) for each in many):
        raise invalid_param("user_id or user_ids")
    return many


def _add_all(
    call: Call, channel: Channel, user_ids: list[str]
) -> tuple[list[ChannelMember], ApiError | None]:
    members: list[ChannelMember] = []
    last: ApiError | None = None
    for user_id in user_ids:
        try:
            members.append(_add(call, channel, user_id))
        except ApiError as error:
            last = error
    return members, last


def _add(call: Call, channel: Channel, user_id: str) -> ChannelMember:
    existing = call.state.channel_members[channel.id].get(user_id)
    if existing is not None:
        return existing
    if channel.type == "O" and not _may_add(call, channel, user_id):
        raise forbidden()
    return rules.add_member(call.state, channel, find_user(call.state, user_id), call.me)


def _may_add(call: Call, channel: Channel, user_id: str) -> bool:
    if user_id == call.me.id:
        return allowed_in_team(call.state, call.me.id, channel.team_id, "join_public_channels")
    return may(call, channel, "manage_public_channel_members")


async def remove(call: Call) -> web.StreamResponse:
    """Take a user out of a channel."""
    channel = find_channel(call.state, call.id("channel_id"))
    user = find_user(call.state, call.id("user_id"))
    if channel.type in "DG":
        raise ApiError("api.channel.remove_channel_member.type.app_error", 400)
    if user is not call.me:
        kind = "public" if channel.type == "O" else "private"
        require(call, channel, f"manage_{kind}_channel_members")
    rules.remove_member(call.state, channel, user, call.me)
    return ok()


async def list_members(call: Call) -> web.StreamResponse:
    """Return a page of the members, in order of their user ids."""
    channel = find_channel(call.state, call.id("channel_id"))
    require(call, channel, "read_channel")
    members = sorted(call.state.channel_members[channel.id].values(), key=lambda member: member.user_id)
    return answer([channel_member_json(member) for member in call.page(members)])


async def get(call: Call) -> web.StreamResponse:
    channel_id, user_id = call.id("channel_id"), call.id("user_id")
    channel = find_channel(call.state, channel_id)
    require(call, channel, "read_channel")
    member = call.state.channel_members[channel.id].get(user_id)
    if member is None:
        raise ApiError("app.channel.get_member.missing.app_error", 404, "No channel member found.")
    return answer(channel_member_json(member))


async def get_many(call: Call) -> web.StreamResponse:
    """Return the memberships of the given users."""
    channel = find_channel(call.state, call.id("channel_id"))
    ids = await call.strings("user_ids")
    require(call, channel, "read_channel")
    members = call.state.channel_members[channel.id]
    return answer([channel_member_json(members[i]) for i in ids if i in members])


async def of_user_in_team(call: Call) -> web.StreamResponse:
    """Return the channel memberships of a user in a team."""
    user_id, team_id = call.id("user_id"), call.id("team_id")
    call.require_self(user_id)
    mine = call.state.channels_of_user[user_id].values()
    found = [m for m in mine if call.state.channels[m.channel_id].team_id in ("", team_id)]
    return answer([channel_member_json(member) for member in found])


async def set_notifications(call: Call) -> web.StreamResponse:
    """Set no notification, which makes the server look up again what the member may hear."""
    channel_id, user_id = call.id("channel_id"), call.id("user_id")
    await call.fields("notify_props")
    call.require_self(user_id)
    member = call.state.channel_members[channel_id].get(user_id)
    if member is None:
        raise ApiError("app.channel.get_member.missing.app_error", 404, "No channel member found.")
    data = {"channelMember": json.dumps(channel_member_json(member))}
    call.state.publish(Event("channel_member_updated", data, Broadcast(user_id=user_id)))
    return ok()


ROUTES = (
    route("GET", "/channels/{channel_id}/members", list_members),
    route("POST", "/channels/{channel_id}/members", add),
    route("POST", "/channels/{channel_id}/members/ids", get_many),
    route("GET", "/channels/{channel_id}/members/{user_id}", get),
    route("DELETE", "/channels/{channel_id}/members/{user_id}", remove),
    route("PUT", "/channels/{channel_id}/members/{user_id}/notify_props", set_notifications),
    route("GET", "/users/{user_id}/teams/{team_id}/channels/members", of_user_in_team),
)
