"""Routes that read posts (server/channels/api4/post.go)."""

from typing import Any

from aiohttp import web

from bridge.sandbox.mattermost.api.call import MAX_PER_PAGE, Call, answer
from bridge.sandbox.mattermost.api.routing import route
from bridge.sandbox.mattermost.channels import find_channel
from bridge.sandbox.mattermost.errors import ApiError, forbidden, invalid_param
from bridge.sandbox.mattermost.ids import is_id
from bridge.sandbox.mattermost.post_lists import (
    PostList,
    Slice,
    Window,
    page_of_channel,
    pinned_in,
    thread_of,
)
from bridge.sandbox.mattermost.posts import find_post
from bridge.sandbox.mattermost.records import Channel, Post
from bridge.sandbox.mattermost.roles import allowed_in_channel
from bridge.sandbox.mattermost.wire import post_json

MAX_IDS = 1000


async def get(call: Call) -> web.StreamResponse:
    post = find_post(call.state, call.id("post_id"))
    check_may_read(call, call.state.channels[post.channel_id])
    return answer(post_json(post))


def check_may_read(call: Call, channel: Channel) -> None:
    """Raise 403 unless who asks is a member, may read the team's open channels, or is an administrator."""
    if allowed_in_channel(call.state, call.me.id, channel.id, "read_channel_content"):
        return
    if channel.type != "O" or not allowed_in_channel(
        call.state, call.me.id, channel.id, "read_public_channel"
    ):
        raise forbidden()


async def get_many(call: Call) -> web.StreamResponse:
    """Return up to 1000 posts; what is unknown or may not be read is left out."""
    ids = await call.strings("post_ids")
    if len(ids) > MAX_IDS:
        raise ApiError("api.post.posts_by_ids.invalid_body.request_error", 400)
    found = [call.state.posts[i] for i in ids if i in call.state.posts and not call.state.posts[i].delete_at]
    return answer([post_json(post) for post in found if _may_read(call, post)])


def _may_read(call: Call, post: Post) -> bool:
    try:
        check_may_read(call, call.state.channels[post.channel_id])
    except ApiError:
        return False
    return True


async def get_thread(call: Call) -> web.StreamResponse:
    """Return a thread, of which the post may be any."""
    wanted = _slice(call)
    post = find_post(call.state, call.id("post_id"))
    check_may_read(call, call.state.channels[post.channel_id])
    return _list_answer(thread_of(call.state, post, wanted))


def _slice(call: Call) -> Slice:
    direction = call.request.query.get("direction", "")
    if direction not in ("", "up", "down"):
        raise invalid_param("direction")
    per_page = call.number("perPage", 0)
    if per_page > MAX_PER_PAGE:
        raise invalid_param("perPage")
    from_post, from_create_at = call.request.query.get("fromPost", ""), call.number("fromCreateAt", 0)
    if from_post and not from_create_at:
        raise invalid_param("if fromPost is set, then fromCreateAt must also be set")
    return Slice(per_page, direction, from_create_at, from_post)


async def of_channel(call: Call) -> web.StreamResponse:
    """Return posts of a channel, newest first: a page, or those before, after or since something."""
    window = _window(call)
    channel = find_channel(call.state, call.id("channel_id"))
    check_may_read(call, channel)
    return _list_answer(page_of_channel(call.state, channel, window))


async def pinned(call: Call) -> web.StreamResponse:
    """Return the pinned posts of a channel, newest first."""
    channel = find_channel(call.state, call.id("channel_id"))
    check_may_read(call, channel)
    return _list_answer(pinned_in(call.state, channel))


def _window(call: Call) -> Window:
    query = call.request.query
    for name in ("before", "after"):
        if query.get(name) and not is_id(query[name]):
            raise invalid_param(name)
    return Window(
        page=call.number("page", 0),
        per_page=call.per_page,
        before=query.get("before", ""),
        after=query.get("after", ""),
        since=_since(query.get("since", "")),
        with_threads=query.get("skipFetchThreads") != "true",
    )


def _since(text: str) -> int:
    try:
        return int(text or 0)
    except ValueError:
        raise invalid_param("since") from None


def _list_answer(found: PostList) -> web.Response:
    body: dict[str, Any] = {
        "order": found.order,
        "posts": {post.id: post_json(post) for post in found.posts},
        "next_post_id": found.next_post_id,
        "prev_post_id": found.prev_post_id,
        "has_next": found.has_next,
        "first_inaccessible_post_time": 0,
    }
    return answer(body)


ROUTES = (
    route("POST", "/posts/ids", get_many),
    route("GET", "/posts/{post_id}", get),
    route("GET", "/posts/{post_id}/thread", get_thread),
    route("GET", "/channels/{channel_id}/posts", of_channel),
    route("GET", "/channels/{channel_id}/pinned", pinned),
)
