"""The history that is sent to an agent that does not remember. Pure: no I/O is imported here."""

from collections.abc import Mapping, Sequence
from typing import Any

from bridge.models.agent import Message
from bridge.models.chat import Post, UserId
from bridge.models.jobs import Mention
from bridge.text.mentions import strip_mention
from handlers.jobs.parts import MARK
from handlers.jobs.remarks import REMARKS
from handlers.jobs.speakers import spoken

_POSTS = 50
_CHARACTERS = 60_000
_TYPES = ("", "me")
"""Types of posts that people write; `me` comes from `/me`."""


def before(thread: Sequence[Post], mention: Mention, me: UserId) -> list[Post]:
    """Return the conversation before the question, oldest first.

    Posts of the same millisecond belong to it. Posts of the system and of webhooks do not, nor do the bot's
    own remarks.
    """
    return [
        post
        for post in thread
        if post.create_at <= mention.create_at
        and post.id != mention.post_id
        and _is_conversation(post)
        and not (post.user_id == me and _is_remark(post))
    ]


def people(posts: Sequence[Post], mention: Mention, me: UserId) -> frozenset[UserId]:
    """Return who has written in the thread, whoever asks included."""
    return frozenset({post.user_id for post in posts} - {me} | {mention.user_id})


def history(
    posts: Sequence[Post], me: UserId, username: str, names: Mapping[UserId, str]
) -> tuple[Message, ...]:
    """Return the last whole posts as messages; those of people in `names` begin with their name."""
    return _recent([_message(post, me, username, names) for post in posts])


def _message(post: Post, me: UserId, username: str, names: Mapping[UserId, str]) -> Message:
    if post.user_id == me:
        return Message("assistant", post.message)
    return Message("user", spoken(names.get(post.user_id), asked(post.message, username)))


def asked(message: str, username: str) -> str:
    """Return a post without the mention of the bot, unless that is all of it."""
    return strip_mention(message, username) or message


def _is_conversation(post: Post) -> bool:
    return post.type in _TYPES and bool(post.message.strip()) and "from_webhook" not in post.props


def _is_remark(post: Post) -> bool:
    mark: Any = post.props.get(MARK)
    return post.message in REMARKS or (isinstance(mark, Mapping) and mark.get("remark") is True)


def _recent(messages: list[Message]) -> tuple[Message, ...]:
    """Keep the last messages within the limits; none is cut."""
    kept: list[Message] = []
    characters_left = _CHARACTERS
    for message in reversed(messages[-_POSTS:]):
        characters_left -= len(message.text)
        if characters_left < 0:
            break
        kept.append(message)
    return tuple(reversed(kept))
