"""Routes of reactions (server/channels/api4/reaction.go)."""

from aiohttp import web

from bridge.sandbox.mattermost import reactions as rules
from bridge.sandbox.mattermost.api.call import Call, answer, ok
from bridge.sandbox.mattermost.api.routing import route
from bridge.sandbox.mattermost.errors import ApiError, forbidden
from bridge.sandbox.mattermost.ids import is_id
from bridge.sandbox.mattermost.roles import allowed_in_channel


async def add(call: Call) -> web.StreamResponse:
    fields = await call.fields("reaction")
    post_id, emoji = str(fields.get("post_id") or ""), str(fields.get("emoji_name") or "")
    if not is_id(fields.get("user_id")) or not is_id(post_id) or not 0 < len(emoji) <= rules.LONGEST_NAME:
        raise ApiError("api.reaction.save_reaction.invalid.app_error", 400)
    if fields["user_id"] != call.me.id:
        raise ApiError("api.reaction.save_reaction.user_id.app_error", 403)
    _check(call, post_id, "add_reaction")
    return answer(rules.add(call.state, call.me, post_id, emoji))


async def remove(call: Call) -> web.StreamResponse:
    post_id = call.id("post_id")
    _check(call, post_id, "remove_reaction")
    if call.id("user_id") != call.me.id and not call.may("remove_others_reactions"):
        raise forbidden()
    rules.remove(call.state, call.state.users[call.id("user_id")], post_id, call.request.match_info["emoji"])
    return ok()


async def of_post(call: Call) -> web.StreamResponse:
    post_id = call.id("post_id")
    _check(call, post_id, "read_channel_content")
    return answer(rules.of_post(call.state, post_id))


def _check(call: Call, post_id: str, permission: str) -> None:
    post = call.state.posts.get(post_id)
    if post is None or not allowed_in_channel(call.state, call.me.id, post.channel_id, permission):
        raise forbidden()


ROUTES = (
    route("POST", "/reactions", add),
    route("GET", "/posts/{post_id}/reactions", of_post),
    route("DELETE", "/users/{user_id}/posts/{post_id}/reactions/{emoji}", remove),
)
