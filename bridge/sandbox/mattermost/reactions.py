"""The rules for reactions (server/channels/app/reaction.go)."""

import json
import re
from typing import Any

from bridge.sandbox.mattermost.errors import ApiError
from bridge.sandbox.mattermost.events import COMPACT, Broadcast, Event
from bridge.sandbox.mattermost.posts import find_post
from bridge.sandbox.mattermost.records import Post, User
from bridge.sandbox.mattermost.state import State

LONGEST_NAME = 64
_NAME = re.compile(r"[a-z0-9_+-]+")


def add(state: State, user: User, post_id: str, emoji: str) -> dict[str, Any]:
    """Put a user's reaction below a post, once; return it."""
    post = find_post(state, post_id)
    if not _NAME.fullmatch(emoji):
        raise ApiError("app.emoji.get_by_name.no_result", 404)
    _check_channel(state, post, "save")
    known = state.reactions[post.id].get((user.id, emoji))
    reaction = known or _reaction(state, user, post, emoji)
    state.reactions[post.id][user.id, emoji] = reaction
    post.update_at = state.now()
    state.publish(_event("reaction_added", post, reaction))
    return reaction


def remove(state: State, user: User, post_id: str, emoji: str) -> None:
    """Take a user's reaction back; nothing happens if there is none."""
    post = find_post(state, post_id)
    _check_channel(state, post, "delete")
    removed = state.reactions[post.id].pop((user.id, emoji), None)
    post.update_at = state.now()
    state.publish(_event("reaction_removed", post, removed or _reaction(state, user, post, emoji)))


def of_post(state: State, post_id: str) -> list[dict[str, Any]]:
    """Return the reactions below a post, oldest first."""
    return list(state.reactions[post_id].values())


def _check_channel(state: State, post: Post, action: str) -> None:
    if state.channels[post.channel_id].delete_at:
        raise ApiError(f"api.reaction.{action}.archived_channel.app_error", 403)


def _reaction(state: State, user: User, post: Post, emoji: str) -> dict[str, Any]:
    now = state.now()
    return {
        "user_id": user.id,
        "post_id": post.id,
        "emoji_name": emoji,
        "create_at": now,
        "update_at": now,
        "delete_at": 0,
        "remote_id": "",
        "channel_id": post.channel_id,
    }


def _event(name: str, post: Post, reaction: dict[str, Any]) -> Event:
    data = {"reaction": json.dumps(reaction, ensure_ascii=False, separators=COMPACT)}
    return Event(name, data, Broadcast(channel_id=post.channel_id))
