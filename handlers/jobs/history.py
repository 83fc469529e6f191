"""The history that is sent to an agent that does not remember. Pure: no I/O is imported here."""

from collections.abc import Mapping, Sequence
from typing import Any

from bridge.models.agent import Message
from bridge.models.chat import Post, UserId
from bridge.models.conversation_starts import ConversationStart
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


def since_begun(posts: Sequence[Post], conversation: ConversationStart, me: UserId) -> list[Post]:
    """Return the posts of a thread behind the last "new", without late answers to questions before it."""
    early = {post.id for post in posts if post.create_at <= conversation.since}
    return [
        post
        for post in posts
        if post.id not in early and not (post.user_id == me and _mark(post).get("answers") in early)
    ]


def direct_conversation(posts: Sequence[Post], mention: Mention, me: UserId) -> list[Post]:
    """Return the answers of this very conversation in a direct channel, each with its question.

    Which posts belong to it is only told by the marks of our own answers: nothing that was asked of the
    agent of another organization may reach this one.
    """
    answers = {
        post.id: _mark(post).get("answers")
        for post in posts
        if post.user_id == me and _mark(post).get("conversation") == mention.conversation.generation
    }
    asked = frozenset(answers.values())
    return [
        post for post in posts if post.id in answers or (post.id in asked and post.user_id == mention.user_id)
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
    return post.message in REMARKS or _mark(post).get("remark") is True


def _mark(post: Post) -> Mapping[str, Any]:
    mark: Any = post.props.get(MARK)
    return mark if isinstance(mark, Mapping) else {}


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
