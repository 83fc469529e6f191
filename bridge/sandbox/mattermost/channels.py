"""The rules for channels.

Sources: server/public/model/channel.go (`IsValid`), server/channels/app/channel.go.
"""

import json
import re
from typing import Any, cast

from bridge.sandbox.mattermost.errors import ApiError
from bridge.sandbox.mattermost.events import COMPACT, Broadcast, Event
from bridge.sandbox.mattermost.ids import is_id
from bridge.sandbox.mattermost.notices import (
    post_archived,
    post_changed,
    post_converted,
    post_joined,
    post_restored,
)
from bridge.sandbox.mattermost.records import Channel, ChannelMember, ChannelType, User
from bridge.sandbox.mattermost.state import State
from bridge.sandbox.mattermost.wire import channel_json

TOWN_SQUARE = "town-square"
_NAME = re.compile(r"[a-z0-9]+([a-z\-_0-9]+|(__)?)[a-z0-9]*")
_GROUP_NAME = re.compile(r"[a-f0-9]{40}")
_LONGEST = {"display_name": 64, "header": 1024, "purpose": 250}


def default_channel_names(state: State) -> list[str]:
    """Return what every team is created with and everybody who joins it is put into."""
    configured = state.settings.get("TeamSettings", "ExperimentalDefaultChannels")
    return list(dict.fromkeys([TOWN_SQUARE, *(configured or ["off-topic"])]))


def create_channel(state: State, creator_id: str, fields: dict[str, Any]) -> Channel:
    """Create an open or private channel of a team; its creator becomes its first member and admin."""
    kind = fields.get("type")
    if kind not in ("O", "P"):
        raise ApiError("api.channel.create_channel.direct_channel.app_error", 400)
    now = state.now()
    channel = Channel(
        id=state.new_id(),
        team_id=str(fields["team_id"]),
        name=str(fields.get("name") or ""),
        display_name=str(fields.get("display_name") or ""),
        type=cast(ChannelType, kind),
        creator_id=creator_id,
        create_at=now,
        update_at=now,
        header=str(fields.get("header") or ""),
        purpose=str(fields.get("purpose") or ""),
    )
    check_channel(channel)
    _check_room(state, channel)
    add_channel(state, channel)
    if creator_id:
        enter(state, channel, creator_id, admin=True)
        post_joined(state, channel, state.users[creator_id], None)
        state.publish(
            Event(
                "channel_created",
                {"channel_id": channel.id, "team_id": channel.team_id},
                Broadcast(user_id=creator_id),
            )
        )
    return channel


def check_channel(channel: Channel) -> None:
    """Raise what `Channel.IsValid` answers."""
    for name, longest in _LONGEST.items():
        if len(getattr(channel, name)) > longest:
            raise ApiError(f"model.channel.is_valid.{name}.app_error", 400)
    if not _NAME.fullmatch(channel.name):
        raise ApiError("model.channel.is_valid.1_or_more.app_error", 400)
    if _GROUP_NAME.fullmatch(channel.name) or [is_id(part) for part in channel.name.split("__")] == [
        True,
        True,
    ]:
        raise ApiError("model.channel.is_valid.name.app_error", 400)


def _check_room(state: State, channel: Channel) -> None:
    if (channel.team_id, channel.name) in state.channel_by_name:
        raise ApiError("store.sql_channel.save_channel.exists.app_error", 400)
    active = sum(not each.delete_at for each in state.channels_of_team[channel.team_id].values())
    if active >= state.settings.get("TeamSettings", "MaxChannelsPerTeam"):
        raise ApiError("store.sql_channel.save_channel.limit.app_error", 400)


def add_channel(state: State, channel: Channel) -> None:
    """Put a channel into the tables."""
    state.channels[channel.id] = channel
    state.channel_by_name[channel.team_id, channel.name] = channel
    if channel.team_id:
        state.channels_of_team[channel.team_id][channel.id] = channel


def find_channel(state: State, channel_id: str) -> Channel:
    """Return a channel, also an archived one."""
    if channel_id not in state.channels:
        raise ApiError("app.channel.get.existing.app_error", 404, "Unable to find the existing channel.")
    return state.channels[channel_id]


def find_channel_by_name(state: State, team_id: str, name: str, *, include_deleted: bool) -> Channel:
    channel = state.channel_by_name.get((team_id, name.lower()))
    if channel is None or (channel.delete_at and not include_deleted):
        raise ApiError("app.channel.get_by_name.missing.app_error", 404, "Channel does not exist.")
    return channel


def patch_channel(
    state: State, channel: Channel, fields: dict[str, Any], editor: User | None = None
) -> Channel:
    """Change name, display name, header or purpose; the name of town-square stays.

    System posts tell the channel of what the editor has changed, except of the name.
    """
    if channel.delete_at:
        raise ApiError("app.channel.update.bad_id", 400)
    name = fields.get("name")
    if name is not None and name != channel.name:
        if channel.name == TOWN_SQUARE:
            raise ApiError("api.channel.update_channel.tried.app_error", 400)
        _rename(state, channel, str(name))
    changed = {key: str(fields[key]) for key in _LONGEST if fields.get(key) is not None}
    kept = {key: getattr(channel, key) for key in changed}
    try:
        _assign(channel, changed)
        check_channel(channel)
    except ApiError:
        _assign(channel, kept)
        raise
    channel.update_at = state.now()
    _announce_update(state, channel)
    if editor is not None:
        for key in _LONGEST:
            if key in changed and kept[key] != changed[key]:
                post_changed(state, channel, editor, key, (kept[key], changed[key]))
    return channel


def convert_channel(state: State, user: User, channel: Channel, kind: ChannelType) -> None:
    """Make an open channel private or a private one open; town-square stays open."""
    if channel.name == TOWN_SQUARE and kind == "P":
        raise ApiError("api.channel.update_channel_privacy.default_channel_error", 400)
    channel.type = kind
    channel.update_at = state.now()
    _announce_update(state, channel)
    post_converted(state, channel, user)
    data = {"channel_id": channel.id}
    state.publish(Event("channel_converted", data, Broadcast(team_id=channel.team_id)))


def _assign(channel: Channel, values: dict[str, str]) -> None:
    for key, value in values.items():
        setattr(channel, key, value)


def _rename(state: State, channel: Channel, name: str) -> None:
    if (channel.team_id, name) in state.channel_by_name:
        raise ApiError("store.sql_channel.update.exists.app_error", 400)
    if not _NAME.fullmatch(name):
        raise ApiError("model.channel.is_valid.1_or_more.app_error", 400)
    del state.channel_by_name[channel.team_id, channel.name]
    channel.name = name
    state.channel_by_name[channel.team_id, name] = channel


def _announce_update(state: State, channel: Channel) -> None:
    """Publish the whole channel to its members, as JSON in JSON."""
    data = {"channel": json.dumps(channel_json(channel), ensure_ascii=False, separators=COMPACT)}
    state.publish(Event("channel_updated", data, Broadcast(channel_id=channel.id)))


def _announce(state: State, channel: Channel, name: str, **data: int) -> None:
    """Publish an event about an open channel to its team, about a private one to its members."""
    open_channel = channel.type == "O"
    broadcast = Broadcast(team_id=channel.team_id) if open_channel else Broadcast(channel_id=channel.id)
    state.publish(Event(name, {"channel_id": channel.id, **data}, broadcast))


def archive_channel(state: State, user: User, channel: Channel) -> None:
    """Archive a channel; its name stays taken and town-square cannot be archived."""
    if channel.name == TOWN_SQUARE:
        raise ApiError("api.channel.delete_channel.cannot.app_error", 400)
    if channel.delete_at:
        raise ApiError("api.channel.delete_channel.deleted.app_error", 400)
    post_archived(state, channel, user)
    channel.delete_at = channel.update_at = state.now()
    _announce(state, channel, "channel_deleted", delete_at=channel.delete_at)


def restore_channel(state: State, user: User, channel: Channel) -> None:
    """Take a channel out of the archive."""
    if not channel.delete_at:
        raise ApiError("api.channel.restore_channel.restored.app_error", 400)
    channel.delete_at = 0
    channel.update_at = state.now()
    _announce(state, channel, "channel_restored")
    post_restored(state, channel, user)


def enter(state: State, channel: Channel, user_id: str, *, admin: bool = False) -> ChannelMember:
    """Put a user into the tables of a channel without telling anybody."""
    member = ChannelMember(channel.id, user_id, state.now(), admin)
    state.channel_members[channel.id][user_id] = member
    state.channels_of_user[user_id][channel.id] = member
    return member
