"""The history that is sent to an agent that does not remember. Pure: no I/O is imported here."""

from collections.abc import Sequence

from bridge.models.agent import Message
from bridge.models.chat import Post, UserId
from bridge.models.jobs import Mention
from bridge.text.mentions import strip_mention

_POSTS = 50
_CHARACTERS = 60_000


def history(thread: Sequence[Post], mention: Mention, me: UserId, username: str) -> tuple[Message, ...]:
    """Return the last whole posts before the question, by people and by the bot, oldest first."""
    before = [post for post in thread if (post.create_at, post.id) < (mention.create_at, mention.post_id)]
    return _recent([_message(post, me, username) for post in before if _is_conversation(post)])


def _message(post: Post, me: UserId, username: str) -> Message:
    if post.user_id == me:
        return Message("assistant", post.message)
    return Message("user", strip_mention(post.message, username) or post.message)


def _is_conversation(post: Post) -> bool:
    """Return whether a post belongs to the conversation: system posts and webhooks do not."""
    return post.type == "" and bool(post.message.strip()) and "from_webhook" not in post.props


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
