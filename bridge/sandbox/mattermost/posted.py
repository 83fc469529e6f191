"""The events that tell of posts, and who is mentioned by one.

Source: server/channels/app/notification.go (`SendNotifications`).
"""

import json
from collections.abc import Iterable

from bridge.sandbox.mattermost.events import COMPACT, Broadcast, Event
from bridge.sandbox.mattermost.mentions import EVERYBODY, mentioned_names
from bridge.sandbox.mattermost.records import Channel, Post, User
from bridge.sandbox.mattermost.state import State
from bridge.sandbox.mattermost.wire import post_json


def posted_event(
    state: State, post: Post, sender: User, *, pending_post_id: str = "", set_online: bool = True
) -> Event:
    """Return the `posted` event (`SendNotifications`); `broadcast.team_id` is empty as in the real one."""
    channel = state.channels[post.channel_id]
    system = post.type.startswith("system_")
    return Event(
        "posted",
        {
            "channel_display_name": f"@{sender.username}" if channel.type == "D" else channel.display_name,
            "channel_name": channel.name,
            "channel_type": channel.type,
            "post": json.dumps(
                post_json(post, pending_post_id=pending_post_id), ensure_ascii=False, separators=COMPACT
            ),
            "sender_name": "System" if system else f"@{sender.username}",
            "set_online": set_online,
            "team_id": channel.team_id,
            **_kinds_of_files(post),
        },
        Broadcast(channel_id=channel.id),
        mentions=mentioned_users(state, post, channel),
        thread=post.root_id or post.id,
    )


def _kinds_of_files(post: Post) -> dict[str, str]:
    if not post.files:
        return {}
    image = any(file.mime_type.startswith("image/") for file in post.files)
    return {"otherFile": "true", **({"image": "true"} if image else {})}


def mentioned_users(state: State, post: Post, channel: Channel) -> frozenset[str]:
    """Return the active members that the post mentions, without its author."""
    members = state.channel_members[channel.id]
    if channel.type in "DG":
        return frozenset(members.keys() - {post.user_id})
    added = post.props.get("addedUserId") if post.type == "system_add_to_channel" else None
    if isinstance(added, str):
        return frozenset((added,))
    names = mentioned_names(post.message)
    if not names or post.type.startswith("system_"):
        return frozenset()
    if names & EVERYBODY:
        return frozenset(_active(state, members.keys() - {post.user_id}))
    found = (state.user_by_name.get(name) for name in names)
    ids = {user.id for user in found if user is not None and user.id in members}
    return frozenset(_active(state, ids - {post.user_id}))


def _active(state: State, user_ids: Iterable[str]) -> Iterable[str]:
    return (user_id for user_id in user_ids if state.users[user_id].delete_at == 0)


def post_event(name: str, post: Post) -> Event:
    """Return `post_edited` or `post_deleted`."""
    data = {"post": json.dumps(post_json(post), ensure_ascii=False, separators=COMPACT)}
    return Event(name, data, Broadcast(channel_id=post.channel_id), thread=post.root_id or post.id)
