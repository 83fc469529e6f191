"""The history that is sent to an agent that does not remember. Pure: no I/O is imported here."""

from collections.abc import Mapping, Sequence
from typing import Any

from bridge.models.agent import Message
from bridge.models.chat import Post, PostId, UserId
from bridge.models.conversation_starts import ConversationStart
from bridge.models.jobs import Mention
from bridge.text.mentions import strip_mention
from handlers.answers.attachments import NOTHING_ATTACHED, Attached
from handlers.answers.speakers import spoken
from handlers.posts.parts import MARK
from handlers.posts.remarks import REMARKS

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
        and not (post.user_id == me and (_is_remark(post) or not post.message.strip()))
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
    posts: Sequence[Post],
    me: UserId,
    username: str,
    names: Mapping[UserId, str],
    files: Mapping[PostId, Attached],
) -> tuple[Message, ...]:
    """Return the last whole posts as messages; those of people in `names` begin with their name.

    Their files have a room of their own and do not count for the length of the history.
    """
    kept = _recent(posts)
    return tuple(_message(post, me, username, names, files.get(post.id, NOTHING_ATTACHED)) for post in kept)


def with_own_words(text: str, posts: Sequence[Post], me: UserId) -> str:
    """Return the first question in a thread that the agent has begun by itself, with what it said there.

    The agent's memory of the thread begins with this question. Any other question stays as it is.
    """
    own = [post.message for post in posts if post.user_id == me and "message" in _mark(post)]
    if not own or len(own) < len(posts):
        return text
    quoted = "\n".join(f"> {line}" for message in own for line in message.splitlines())
    return f"[You began this thread by yourself with:]\n{quoted}\n\n{text}"


def _message(
    post: Post, me: UserId, username: str, names: Mapping[UserId, str], attached: Attached
) -> Message:
    if post.user_id == me:
        return Message("assistant", post.message)
    text = attached.under(asked(post.message, username))
    return Message("user", spoken(names.get(post.user_id), text), attached.images)


def asked(message: str, username: str) -> str:
    """Return a post without the mention of the bot, unless that is all of it."""
    return strip_mention(message, username) or message


def _is_conversation(post: Post) -> bool:
    says_something = bool(post.message.strip() or post.file_ids)
    return post.type in _TYPES and says_something and "from_webhook" not in post.props


def _is_remark(post: Post) -> bool:
    return post.message in REMARKS or _mark(post).get("remark") is True


def _mark(post: Post) -> Mapping[str, Any]:
    mark: Any = post.props.get(MARK)
    return mark if isinstance(mark, Mapping) else {}


def _recent(posts: Sequence[Post]) -> list[Post]:
    """Keep the last posts within the limits; none is cut."""
    kept: list[Post] = []
    characters_left = _CHARACTERS
    for post in reversed(posts[-_POSTS:]):
        characters_left -= len(post.message)
        if characters_left < 0:
            break
        kept.append(post)
    return kept[::-1]
