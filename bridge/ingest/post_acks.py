"""The bot's own `posted` events, which acknowledge a post before, or without, its HTTP response.

The response can come 35 s after the post is visible (measured on Mattermost 5.37 under load) or be lost;
the event carries the `pending_post_id` that we sent.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from bridge.models.chat import Post


class PostAcks:
    """Posts of ours that somebody waits to see."""

    def __init__(self) -> None:
        self._expected: dict[str, asyncio.Future[Post]] = {}

    @contextmanager
    def expect(self, pending_post_id: str) -> Iterator[asyncio.Future[Post]]:
        """Give a future that is done when the post with this `pending_post_id` is seen."""
        seen = self._expected[pending_post_id] = asyncio.get_running_loop().create_future()
        try:
            yield seen
        finally:
            if self._expected.get(pending_post_id) is seen:
                del self._expected[pending_post_id]
            seen.cancel()

    def seen(self, post: Post) -> None:
        """Complete the future of a post of ours; posts that nobody waits for are ignored."""
        waiting = self._expected.get(post.pending_post_id)
        if waiting and not waiting.done():
            waiting.set_result(post)
