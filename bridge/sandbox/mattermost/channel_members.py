"""The rules for who is in a channel.

Sources: server/channels/app/channel.go (`AddChannelMember`, `JoinDefaultChannels`, `RemoveUserFromChannel`).
"""

from bridge.sandbox.mattermost.channels import TOWN_SQUARE, default_channel_names, enter
from bridge.sandbox.mattermost.errors import ApiError
from bridge.sandbox.mattermost.events import Broadcast, Event
from bridge.sandbox.mattermost.notices import post_joined, post_joined_team, post_left
from bridge.sandbox.mattermost.records import Channel, ChannelMember, User
from bridge.sandbox.mattermost.state import State


def add_member(state: State, channel: Channel, user: User, requestor: User | None = None) -> ChannelMember:
    """Add an active team member to an open or private channel; a system post tells it."""
    existing = state.channel_members[channel.id].get(user.id)
    if existing is not None:
        return existing
    if channel.type not in "OP":
        raise ApiError("api.channel.add_user_to_channel.type.app_error", 400)
    if user.delete_at:
        raise ApiError("app.channel.add_member.deleted_user.app_error", 403)
    _check_team_member(state, channel, user)
    member = enter(state, channel, user.id)
    data = {"team_id": channel.team_id, "user_id": user.id}
    others = Broadcast(channel_id=channel.id, omit_users=frozenset((user.id,)))
    state.publish(Event("user_added", data, others))
    state.publish(Event("user_added", data, Broadcast(channel_id=channel.id, user_id=user.id)))
    post_joined(state, channel, user, requestor)
    return member


def _check_team_member(state: State, channel: Channel, user: User) -> None:
    member = state.team_members[channel.team_id].get(user.id)
    if member is None:
        raise ApiError("app.team.get_member.missing.app_error", 404)
    if member.delete_at:
        raise ApiError("api.channel.add_user.to.channel.failed.deleted.app_error", 400)


def join_default_channels(state: State, team_id: str, user: User, requestor: User | None) -> None:
    """Put somebody who joined a team into its default channels that exist and are open."""
    for name in default_channel_names(state):
        channel = state.channel_by_name.get((team_id, name))
        if channel is None or channel.type != "O" or state.member_of_channel(channel.id, user.id):
            continue
        enter(state, channel, user.id)
        if name == TOWN_SQUARE:
            post_joined_team(state, channel, user, requestor)
        else:
            post_joined(state, channel, user, requestor)
        data = {"team_id": team_id, "user_id": user.id}
        state.publish(Event("user_added", data, Broadcast(channel_id=channel.id)))


def remove_member(state: State, channel: Channel, user: User, remover: User) -> None:
    """Take somebody out of a channel, which is not possible for town-square."""
    if channel.name == TOWN_SQUARE:
        raise ApiError("api.channel.remove.default.app_error", 400)
    if not state.member_of_channel(channel.id, user.id):
        raise ApiError("app.channel.get_member.missing.app_error", 404)
    drop_member(state, channel, user.id)
    to_channel = {"remover_id": remover.id, "user_id": user.id}
    state.publish(Event("user_removed", to_channel, Broadcast(channel_id=channel.id)))
    to_user = {"channel_id": channel.id, "remover_id": remover.id}
    state.publish(Event("user_removed", to_user, Broadcast(user_id=user.id)))
    post_left(state, channel, user, remover)


def drop_member(state: State, channel: Channel, user_id: str) -> None:
    """Take somebody out of the tables without telling anybody."""
    state.channel_members[channel.id].pop(user_id, None)
    state.channels_of_user[user_id].pop(channel.id, None)
