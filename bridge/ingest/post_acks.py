"""The bot's own `posted` events, which tell that a post exists before, or without, its HTTP answer.

A create can answer up to 35 s after the post is visible (measured on Mattermost 5.37 under load),
and its answer can be lost altogether; the event carries the `pending_post_id` that we sent.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from bridge.models.chat import Post


class PostAcks:
    """Who waits for which post of ours to be seen."""

    def __init__(self) -> None:
        self._expected: dict[str, asyncio.Future[Post]] = {}

    @contextmanager
    def expect(self, pending_post_id: str) -> Iterator[asyncio.Future[Post]]:
        """Give a future that completes when the post with this `pending_post_id` is seen."""
        seen = self._expected[pending_post_id] = asyncio.get_running_loop().create_future()
        try:
            yield seen
        finally:
            if self._expected.get(pending_post_id) is seen:
                del self._expected[pending_post_id]
            seen.cancel()

    def seen(self, post: Post) -> None:
        """Tell of a post of ours; one that nobody waits for is ignored."""
        waiting = self._expected.get(post.pending_post_id)
        if waiting and not waiting.done():
            waiting.set_result(post)
