"""Questions of which a channel's posts have just shown that nobody has answered them."""

from collections.abc import Sequence

from cachetools import TTLCache

from bridge.models.chat import Post, PostId, UserId

_MOST = 10_000


class Unanswered:
    """Spares a look into the thread of each question that is read after a loss.

    What was seen `fresh` seconds ago says nothing any more.
    """

    def __init__(self, fresh: float = 5) -> None:
        self._seen: TTLCache[PostId, None] = TTLCache(_MOST, fresh)

    def note(self, posts: Sequence[Post], me: UserId) -> None:
        """Take the last posts of a channel, oldest first, in which `me` answers.

        Whatever the account has posted may be the answer to anything before.
        """
        for post in reversed(posts):
            if post.user_id == me:
                return
            self._seen[post.id] = None

    def has(self, post_id: PostId) -> bool:
        """Return whether the question had no answer a moment ago."""
        return post_id in self._seen
