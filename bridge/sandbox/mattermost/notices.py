"""What the server itself posts when somebody comes or goes.

Sources: server/channels/app/channel.go, server/channels/app/team.go.
"""

from bridge.sandbox.mattermost.posts import Notice, create_system_post
from bridge.sandbox.mattermost.records import Channel, User
from bridge.sandbox.mattermost.state import State


def post_joined(state: State, channel: Channel, user: User, requestor: User | None) -> None:
    """Tell a channel that somebody joined, or was added by somebody else."""
    if requestor is None or requestor is user:
        _post_about(state, channel, user, "system_join_channel", "joined the channel")
    else:
        _post_added(state, channel, user, requestor, to="channel")


def post_joined_team(state: State, channel: Channel, user: User, requestor: User | None) -> None:
    """Tell town-square that somebody joined the team, or was added by somebody else."""
    if requestor is None:
        _post_about(state, channel, user, "system_join_team", "joined the team")
    else:
        _post_added(state, channel, user, requestor, to="team")


def _post_added(state: State, channel: Channel, user: User, requestor: User, *, to: str) -> None:
    props = {
        "userId": requestor.id,
        "username": requestor.username,
        "addedUserId": user.id,
        "addedUsername": user.username,
    }
    text = f"{user.username} added to the {to} by {requestor.username}."
    create_system_post(state, requestor, channel, Notice(f"system_add_to_{to}", text, props))


def post_left(state: State, channel: Channel, user: User, remover: User) -> None:
    """Tell a channel that somebody left or was removed."""
    if user is remover:
        _post_about(state, channel, user, "system_leave_channel", "left the channel")
        return
    props = {"removedUserId": user.id, "removedUsername": user.username}
    text = f"{user.username} was removed from the channel."
    create_system_post(state, remover, channel, Notice("system_remove_from_channel", text, props))


def post_left_team(state: State, channel: Channel, user: User, remover: User) -> None:
    """Tell town-square that somebody left the team or was removed."""
    if user is remover:
        _post_about(state, channel, user, "system_leave_team", "left the team")
    else:
        _post_about(state, channel, user, "system_remove_from_team", "was removed from the team")


def post_archived(state: State, channel: Channel, user: User) -> None:
    _post_about(state, channel, user, "system_channel_deleted", "archived the channel")


def post_restored(state: State, channel: Channel, user: User) -> None:
    _post_about(state, channel, user, "system_channel_restored", "unarchived the channel")


def post_changed(state: State, channel: Channel, user: User, field: str, values: tuple[str, str]) -> None:
    """Tell a channel that its display name, header or purpose was changed."""
    key = field.replace("_", "")
    text = f"{user.username} updated the channel {field.replace('_', ' ')} from: {values[0]} to: {values[1]}"
    props = {"username": user.username, f"old_{key}": values[0], f"new_{key}": values[1]}
    create_system_post(state, user, channel, Notice(f"system_{key}_change", text, props))


def post_converted(state: State, channel: Channel, user: User) -> None:
    """Post into a channel that it became private or open."""
    became = "private" if channel.type == "P" else "public"
    text = f"This channel has been converted to a {became} channel."
    notice = Notice("system_change_chan_privacy", text, {"username": user.username})
    create_system_post(state, user, channel, notice)


def _post_about(state: State, channel: Channel, user: User, kind: str, what: str) -> None:
    notice = Notice(kind, f"{user.username} {what}.", {"username": user.username})
    create_system_post(state, user, channel, notice)
