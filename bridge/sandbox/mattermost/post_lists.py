"""How posts are read: a page of a channel, what came before, after or since, and threads.

Queries: server/channels/store/sqlstore/post_store.go (`getPostsAround`, `GetPostsSince`, `Get`).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from bridge.sandbox.mattermost.records import Channel, Post
from bridge.sandbox.mattermost.state import ChannelPosts, State

SINCE_LIMIT = 1000


@dataclass(frozen=True, slots=True)
class Window:
    """Which posts of a channel are wanted: `since` (ms) wins over `after`, that over `before` (post ids)."""

    page: int
    per_page: int
    before: str = ""
    after: str = ""
    since: int = 0
    with_threads: bool = True


@dataclass(frozen=True, slots=True)
class Slice:
    """Which replies of a thread are wanted; `per_page` 0 means all."""

    per_page: int = 0
    direction: str = ""
    """`down` is oldest first, anything else newest first."""
    from_create_at: int = 0
    from_post: str = ""


@dataclass(slots=True)
class PostList:
    """`order` names the posts asked for; `posts` holds them and the roots or replies that go with them."""

    order: list[str]
    posts: list[Post]
    next_post_id: str = ""
    prev_post_id: str = ""
    has_next: bool = False


def live(found: Iterable[Post]) -> Iterator[Post]:
    return (post for post in found if not post.delete_at)


def page_of_channel(state: State, channel: Channel, window: Window) -> PostList:
    """Return what one request for the posts of a channel gets, newest first."""
    posts = state.channel_posts[channel.id]
    if window.since > 0:
        return _since(state, posts, window.since)
    found = _around(state, posts, window)
    shown = PostList([post.id for post in found], _with_context(state, found, window))
    _set_cursors(posts, shown, found, window)
    return shown


def _around(state: State, posts: ChannelPosts, window: Window) -> list[Post]:
    start = window.page * window.per_page
    anchor = state.posts.get(window.after or window.before)
    if window.after or window.before:
        if anchor is None:
            return []
        if window.after:
            return _cut(posts.newer_than(anchor.create_at), start, window.per_page)[::-1]
        return _cut(posts.older_than(anchor.create_at), start, window.per_page)
    return _cut(posts.newest_first(), start, window.per_page)


def pinned_in(state: State, channel: Channel) -> PostList:
    """Return the pinned posts of a channel, newest first."""
    found = [post for post in live(state.channel_posts[channel.id].newest_first()) if post.is_pinned]
    return PostList([post.id for post in found], found)


def _cut(found: Iterator[Post], start: int, count: int) -> list[Post]:
    return list(islice(live(found), start, start + count))


def _since(state: State, posts: ChannelPosts, since: int) -> PostList:
    """Return up to 1000 posts changed since then, deleted ones included, in no promised selection."""
    changed = list(islice((post for post in posts if post.update_at > since), SINCE_LIMIT))
    shown = {post.id: post for post in changed}
    shown |= {post.root_id: state.posts[post.root_id] for post in changed if post.root_id}
    order = sorted(changed, key=lambda post: post.create_at, reverse=True)
    return PostList([post.id for post in order], list(shown.values()))


def _with_context(state: State, found: list[Post], window: Window) -> list[Post]:
    shown = {post.id: post for post in found}
    for post in found:
        root_id = post.root_id or post.id
        if not state.posts[root_id].delete_at:
            shown[root_id] = state.posts[root_id]
        if window.with_threads:
            shown.update((reply.id, reply) for reply in live(state.replies.get(root_id, ())))
    return list(shown.values())


def _set_cursors(posts: ChannelPosts, shown: PostList, found: list[Post], window: Window) -> None:
    """Name the posts beyond both ends (server/channels/app/post.go `AddCursorIdsForPostList`)."""
    last_page = len(found) < window.per_page
    newer = next(live(posts.newer_than(found[0].create_at)), None) if found else None
    older = next(live(posts.older_than(found[-1].create_at)), None) if found else None
    shown.next_post_id = newer.id if newer is not None and not (window.after and last_page) else ""
    shown.prev_post_id = older.id if older is not None and not (window.before and last_page) else ""
    if window.page == 0 and window.after:
        shown.prev_post_id = window.after
    elif window.page == 0 and window.before:
        shown.next_post_id = window.before


def thread_of(state: State, post: Post, wanted: Slice) -> PostList:
    """Return a thread, its root always included."""
    root = state.posts[post.root_id or post.id]
    up = wanted.direction != "down"
    replies = sorted(live(state.replies.get(root.id, ())), key=_position, reverse=up)
    replies = [reply for reply in replies if _beyond(reply, wanted, up=up)]
    has_next = 0 < wanted.per_page < len(replies)
    shown = replies[: wanted.per_page] if wanted.per_page else replies
    return PostList([root.id, *(reply.id for reply in shown)], [root, *shown], has_next=has_next)


def _position(post: Post) -> tuple[int, str]:
    return post.create_at, post.id


def _beyond(post: Post, wanted: Slice, *, up: bool) -> bool:
    if not wanted.from_create_at:
        return True
    start = (wanted.from_create_at, wanted.from_post)
    here = (post.create_at, post.id if wanted.from_post else "")
    return here < start if up else here > start
