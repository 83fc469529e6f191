"""Channels without a team: of two people, and of a group.

Sources: server/channels/app/channel.go (`GetOrCreateDirectChannel`, `CreateGroupChannel`).
"""

import json
from hashlib import sha1

from bridge.sandbox.mattermost.channels import add_channel, enter
from bridge.sandbox.mattermost.errors import ApiError, invalid_param
from bridge.sandbox.mattermost.events import Broadcast, Event
from bridge.sandbox.mattermost.records import Channel, User
from bridge.sandbox.mattermost.state import State

SMALLEST_GROUP, LARGEST_GROUP = 3, 8


def direct_channel(state: State, creator: User, user_ids: list[str]) -> Channel:
    """Return the direct channel of two users, creating it at its first use."""
    if not all(user_id in state.users for user_id in user_ids):
        raise invalid_param("user_ids")
    name = "__".join(sorted(user_ids))
    known = state.channel_by_name.get(("", name))
    if known is not None:
        return known
    now = state.now()
    channel = Channel(state.new_id(), "", name, "", "D", creator.id, now, now)
    add_channel(state, channel)
    for user_id in user_ids:
        enter(state, channel, user_id)
    other = next((user_id for user_id in user_ids if user_id != creator.id), creator.id)
    data = {"creator_id": creator.id, "teammate_id": other}
    state.publish(Event("direct_added", data, Broadcast(channel_id=channel.id)))
    return channel


def group_channel(state: State, creator: User, user_ids: list[str]) -> Channel:
    """Return the group channel of three to eight users, creating it at its first use."""
    members = sorted({creator.id, *user_ids})
    if not SMALLEST_GROUP <= len(members) <= LARGEST_GROUP:
        raise ApiError("api.channel.create_group.bad_size.app_error", 400)
    if not all(user_id in state.users for user_id in members):
        raise ApiError("api.channel.create_group.bad_user.app_error", 400)
    # `GetGroupNameFromUserIds` in server/public/model/channel.go.
    name = sha1("".join(members).encode(), usedforsecurity=False).hexdigest()
    known = state.channel_by_name.get(("", name))
    if known is not None:
        return known
    now = state.now()
    shown = ", ".join(sorted(state.users[user_id].username for user_id in members))
    channel = Channel(state.new_id(), "", name, shown, "G", creator.id, now, now)
    add_channel(state, channel)
    for user_id in members:
        enter(state, channel, user_id)
    data = {"teammate_ids": json.dumps(members)}
    state.publish(Event("group_added", data, Broadcast(channel_id=channel.id)))
    return channel
