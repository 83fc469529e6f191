"""The rules for posts: create, edit, delete, read.

Sources: server/channels/app/post.go, server/public/model/post.go.
"""

import json
from dataclasses import dataclass, replace
from typing import Any

from bridge.sandbox.mattermost.errors import ApiError
from bridge.sandbox.mattermost.events import COMPACT
from bridge.sandbox.mattermost.files import attach, check_ids
from bridge.sandbox.mattermost.posted import post_event, posted_event
from bridge.sandbox.mattermost.records import Channel, Post, User
from bridge.sandbox.mattermost.state import State

MAX_PROPS_CHARACTERS = 800_000
_TYPES = frozenset(("", "slack_attachment", "me", "reminder"))
_STRIPPED_PROPS = ("add_channel_member", "force_notification")


def check_draft(state: State, channel: Channel | None, fields: dict[str, Any]) -> Channel:
    """Return the channel of a post that somebody wants to create, or raise what forbids it."""
    if channel is None:
        raise ApiError("api.context.invalid_param.app_error", 400, "Invalid post.channel_id parameter.")
    if str(fields.get("type") or "").startswith("system_"):
        raise ApiError("api.context.invalid_param.app_error", 400, "Invalid post.type parameter.")
    if channel.delete_at:
        raise ApiError("api.post.create_post.can_not_post_to_deleted.error", 400)
    if fields.get("id"):
        raise ApiError("app.post.save.existing.app_error", 400, "You cannot update an existing Post.")
    _check_root(state, channel, str(fields.get("root_id") or ""))
    _check_text(state, fields)
    return channel


def _check_root(state: State, channel: Channel, root_id: str) -> None:
    if not root_id:
        return
    root = state.posts.get(root_id)
    if root is None or root.delete_at or root.root_id:
        raise ApiError("api.post.create_post.root_id.app_error", 400, "Invalid RootId parameter.")
    if root.channel_id != channel.id:
        raise ApiError(
            "api.post.create_post.channel_root_id.app_error", 400, "Invalid ChannelId for RootId parameter."
        )


def _check_text(state: State, fields: dict[str, Any]) -> None:
    if len(fields.get("message") or "") > state.settings.max_post_size:
        raise ApiError("model.post.is_valid.message_length.app_error", 400)
    check_ids(fields.get("file_ids"))
    kind = str(fields.get("type") or "")
    if kind not in _TYPES and not kind.startswith("custom_"):
        raise ApiError("model.post.is_valid.type.app_error", 400)
    if _length_in_go(fields.get("props") or {}) > MAX_PROPS_CHARACTERS:
        raise ApiError("model.post.is_valid.props.app_error", 400)


def _length_in_go(props: Any) -> int:
    """Return how many characters Go's JSON has, which writes `<`, `>` and `&` with six."""
    text = json.dumps(props, ensure_ascii=False, separators=COMPACT)
    return len(text) + 5 * sum(text.count(character) for character in "<>&")


def create_post(
    state: State, user: User, channel: Channel, fields: dict[str, Any], *, set_online: bool = True
) -> Post:
    """Store a post that was checked and tell the channel's members."""
    props = dict(fields.get("props") or {})
    for name in _STRIPPED_PROPS:
        props.pop(name, None)
    if user.bot is not None:
        props["from_bot"] = "true"
    now = int(fields.get("create_at") or state.now())
    post = Post(
        id=state.new_id(),
        channel_id=channel.id,
        user_id=user.id,
        message=str(fields.get("message") or ""),
        create_at=now,
        update_at=now,
        root_id=str(fields.get("root_id") or ""),
        type=str(fields.get("type") or ""),
        props=props,
    )
    attach(state, post, fields.get("file_ids") or ())
    _store(state, channel, post)
    state.publish(
        posted_event(
            state, post, user, pending_post_id=str(fields.get("pending_post_id") or ""), set_online=set_online
        )
    )
    return post


@dataclass(frozen=True, slots=True)
class Notice:
    """What the server itself posts, such as that somebody joined."""

    type: str
    message: str
    props: dict[str, Any]


def create_system_post(state: State, user: User, channel: Channel, notice: Notice) -> Post:
    """Store a notice in the name of a user."""
    now = state.now()
    post = Post(
        id=state.new_id(),
        channel_id=channel.id,
        user_id=user.id,
        message=notice.message,
        create_at=now,
        update_at=now,
        type=notice.type,
        props=notice.props,
    )
    _store(state, channel, post)
    state.publish(posted_event(state, post, user))
    return post


def _store(state: State, channel: Channel, post: Post) -> None:
    state.posts[post.id] = post
    state.channel_posts[channel.id].add(post)
    channel.last_post_at = max(channel.last_post_at, post.create_at)
    channel.total_msg_count += 1
    if post.root_id:
        thread = state.replies[post.root_id]
        thread.append(post)
        root = state.posts[post.root_id]
        root.update_at = max(root.update_at, post.create_at)
        root.reply_count = post.reply_count = root.reply_count + 1


def find_post(state: State, post_id: str) -> Post:
    """Return a post that is not deleted."""
    post = state.posts.get(post_id)
    if post is None or post.delete_at:
        raise ApiError("app.post.get.app_error", 404, "Unable to get the post.")
    return post


def edit_post(state: State, post: Post, fields: dict[str, Any]) -> Post:
    """Change a post; the old version is kept as a deleted post of its own with `original_id`."""
    if post.type.startswith("system_"):
        raise ApiError("api.post.update_post.system_message.app_error", 400)
    if state.channels[post.channel_id].delete_at:
        raise ApiError("api.post.update_post.can_not_update_post_in_deleted.error", 400)
    _check_text(state, fields)
    now = state.now()
    old = replace(post, id=state.new_id(), original_id=post.id, delete_at=now, update_at=now)
    if fields.get("message") is not None and fields["message"] != post.message:
        post.message = fields["message"]
        post.edit_at = now
    if fields.get("props") is not None:
        if fields["props"].get("attachments", []) != post.props.get("attachments", []):
            post.edit_at = now
        post.props = dict(fields["props"])
    if fields.get("is_pinned") is not None:
        post.is_pinned = bool(fields["is_pinned"])
    post.update_at = now
    state.channels[post.channel_id].last_post_at = max(state.channels[post.channel_id].last_post_at, now)
    if post.root_id in state.posts:
        state.posts[post.root_id].update_at = now
    state.posts[old.id] = old
    state.channel_posts[post.channel_id].add(old)
    state.publish(post_event("post_edited", post))
    return post


def delete_post(state: State, post: Post) -> None:
    """Mark a post, and with a root its replies, as deleted."""
    now = state.now()
    for each in (post, *state.replies.get(post.id, ())):
        if not each.delete_at:
            each.delete_at = each.update_at = now
            for file in each.files:
                file.delete_at = now
    if post.root_id and post.root_id in state.posts:
        state.posts[post.root_id].reply_count -= 1
    state.publish(post_event("post_deleted", post))
