"""What an agent that does not remember is told of a thread. Pure: no I/O is imported here."""

from collections.abc import Sequence

from bridge.models.agent import Turn
from bridge.models.chat import Post, UserId
from bridge.models.jobs import Mention
from bridge.text.mentions import strip_mention

_POSTS = 50
_CHARACTERS = 60_000


def turns(thread: Sequence[Post], mention: Mention, me: UserId, username: str) -> tuple[Turn, ...]:
    """Return what people and the bot said before the question, oldest first: the last whole posts of it."""
    before = [post for post in thread if (post.create_at, post.id) < (mention.create_at, mention.post_id)]
    return _recent([_turn(post, me, username) for post in before if _told(post)])


def _turn(post: Post, me: UserId, username: str) -> Turn:
    if post.user_id == me:
        return Turn("assistant", post.message)
    return Turn("user", strip_mention(post.message, username) or post.message)


def _told(post: Post) -> bool:
    """Whether a post belongs to the conversation: no system posts, nothing that a webhook wrote."""
    return post.type == "" and bool(post.message.strip()) and "from_webhook" not in post.props


def _recent(turns: list[Turn]) -> tuple[Turn, ...]:
    """Keep the last turns within the limits, and always start with whole posts."""
    kept: list[Turn] = []
    room = _CHARACTERS
    for turn in reversed(turns[-_POSTS:]):
        room -= len(turn.text)
        if room < 0:
            break
        kept.append(turn)
    return tuple(reversed(kept))
