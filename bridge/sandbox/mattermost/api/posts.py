"""Routes that write posts (server/channels/api4/post.go)."""

import asyncio

from aiohttp import web

from bridge.sandbox.mattermost import posts as rules
from bridge.sandbox.mattermost.api.call import Call, answer, ok
from bridge.sandbox.mattermost.api.post_lists import check_may_read
from bridge.sandbox.mattermost.api.routing import route
from bridge.sandbox.mattermost.errors import forbidden, invalid_param
from bridge.sandbox.mattermost.posts import find_post
from bridge.sandbox.mattermost.records import Channel, Post
from bridge.sandbox.mattermost.roles import allowed, allowed_in_channel
from bridge.sandbox.mattermost.wire import post_json


async def create(call: Call) -> web.StreamResponse:
    """Create a post; the same `pending_post_id` within 30 s answers with the first one."""
    fields = await call.fields("post")
    channel = call.state.channels.get(str(fields.get("channel_id") or ""))
    _check_may_post(call, channel)
    if not call.is_admin:
        fields.pop("create_at", None)
    call.runtime.hub.note_activity(call.me.id, call.session.token if call.session else "")
    pending = str(fields.get("pending_post_id") or "")
    known = call.runtime.pending.claim(pending)
    if known:
        return answer(post_json(call.state.posts[known]), 201)
    try:
        await asyncio.sleep(call.runtime.faults.slow_save)
        checked = rules.check_draft(call.state, channel, fields)
    except BaseException:
        call.runtime.pending.free(pending)
        raise
    set_online = call.flag("set_online", default=True)
    post = rules.create_post(call.state, call.me, checked, fields, set_online=set_online)
    call.runtime.pending.finish(pending, post.id)
    if set_online:
        call.runtime.hub.presence.come(call.me.id)
    return answer(post_json(post, pending_post_id=pending), 201)


def _check_may_post(call: Call, channel: Channel | None) -> None:
    if channel is None:
        raise forbidden()
    if allowed_in_channel(call.state, call.me.id, channel.id, "create_post"):
        return
    if channel.type != "O" or not allowed(call.state, call.me.id, "create_post_public"):
        raise forbidden()


async def patch(call: Call) -> web.StreamResponse:
    """Change the message, props or pin of a post."""
    post = _editable(call)
    fields = await call.fields("post")
    return answer(post_json(rules.edit_post(call.state, post, fields)))


async def update(call: Call) -> web.StreamResponse:
    """Replace message, props and pin of a post; what is not given becomes empty."""
    post = _editable(call)
    fields = await call.fields("post")
    if fields.get("id") != post.id:
        raise invalid_param("id")
    whole = {
        "message": fields.get("message") or "",
        "props": fields.get("props") or {},
        "is_pinned": bool(fields.get("is_pinned")),
    }
    return answer(post_json(rules.edit_post(call.state, post, whole)))


def _editable(call: Call) -> Post:
    post = call.state.posts.get(call.id("post_id"))
    permission = "edit_post" if post is not None and post.user_id == call.me.id else "edit_others_posts"
    if (
        post is None
        or post.delete_at
        or not allowed_in_channel(call.state, call.me.id, post.channel_id, permission)
    ):
        raise forbidden()
    return post


async def delete(call: Call) -> web.StreamResponse:
    post = find_post(call.state, call.id("post_id"))
    permission = "delete_post" if post.user_id == call.me.id else "delete_others_posts"
    if not allowed_in_channel(call.state, call.me.id, post.channel_id, permission):
        raise forbidden()
    rules.delete_post(call.state, post)
    return ok()


async def unpin(call: Call) -> web.StreamResponse:
    return await _set_pinned(call, pinned=False)


async def pin(call: Call) -> web.StreamResponse:
    return await _set_pinned(call, pinned=True)


async def _set_pinned(call: Call, *, pinned: bool) -> web.StreamResponse:
    post = find_post(call.state, call.id("post_id"))
    check_may_read(call, call.state.channels[post.channel_id])
    rules.edit_post(call.state, post, {"is_pinned": pinned})
    return ok()


ROUTES = (
    route("POST", "/posts", create),
    route("PUT", "/posts/{post_id}", update),
    route("DELETE", "/posts/{post_id}", delete),
    route("PUT", "/posts/{post_id}/patch", patch),
    route("POST", "/posts/{post_id}/pin", pin),
    route("POST", "/posts/{post_id}/unpin", unpin),
)
