"""Pages of posts, fetched in parts where one answer would be too large.

A post has up to 800,000 characters of props (`PostPropsMaxRunes` in server/public/model/post.go), which any
member can write: 200 of them are more than we read.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

import structlog

from bridge.mattermost.rest.responses import TooLarge
from bridge.models.chat import Post
from bridge.routing import SILENCING

log = structlog.get_logger(__name__)

Ask = Callable[[int, int], Awaitable[Sequence[Post]]]
"""Fetches a page: given its size and its number, from 0."""


@dataclass(frozen=True, slots=True)
class Page:
    posts: Sequence[Post]
    """In the order of the answer, without their props."""
    last: bool


async def page(ask: Ask, size: int, number: int = 0) -> Page:
    """Return a page of posts.

    A single post that is too large is left out. Parts are fetched from the last to the first: a post that
    is deleted in between then moves others into a part that is still to be fetched, not past it.
    """
    try:
        posts = await ask(size, number)
    except TooLarge as error:
        if size == 1:
            log.warning("post_too_large", number=number, reason=error.message)
            return Page((), last=False)
        return await _in_parts(ask, size, number)
    return Page([without_props(post) for post in posts], last=len(posts) < size)


async def _in_parts(ask: Ask, size: int, number: int) -> Page:
    count = next(factor for factor in range(2, size + 1) if size % factor == 0)
    found = [await page(ask, size // count, number * count + part) for part in reversed(range(count))]
    posts = {post.id: post for part in reversed(found) for post in part.posts}
    return Page(list(posts.values()), last=found[0].last)


def without_props(post: Post) -> Post:
    """Return the post with only the props that routing looks at."""
    return replace(post, props={name: post.props[name] for name in SILENCING if name in post.props})
