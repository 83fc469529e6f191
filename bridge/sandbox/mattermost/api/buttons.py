"""The route by which somebody presses a button (server/channels/api4/integration_action.go)."""

from typing import Any

from aiohttp import web

from bridge.sandbox.mattermost import buttons as rules
from bridge.sandbox.mattermost.api.call import Call, answer
from bridge.sandbox.mattermost.api.routing import route
from bridge.sandbox.mattermost.errors import forbidden
from bridge.sandbox.mattermost.posts import edit_post, find_post
from bridge.sandbox.mattermost.roles import allowed_in_channel


async def press(call: Call) -> web.StreamResponse:
    """Ask the integration, and do what it answers: change the post, tell whoever pressed something."""
    post_id = call.id("post_id")
    known = call.state.posts.get(post_id)
    if known is None or not allowed_in_channel(
        call.state, call.me.id, known.channel_id, "read_channel_content"
    ):
        raise forbidden()
    post = find_post(call.state, post_id)
    action = rules.find_integration(post, call.request.match_info["action_id"])
    body = rules.request_body(call.state, post, call.me, action, await _selected(call))
    said = await rules.ask(call.state, str(action["integration"].get("url") or ""), body)
    if isinstance(said.get("update"), dict):
        edit_post(call.state, post, rules.update_of(post, said["update"]))
    if said.get("ephemeral_text"):
        rules.send_ephemeral(call.state, post, call.me, str(said["ephemeral_text"]))
    return answer({"status": "OK", "trigger_id": body["trigger_id"]})


async def _selected(call: Call) -> str:
    """Return the option that was chosen; a body that cannot be read counts as empty."""
    try:
        fields: Any = await call.json()
    except Exception as error:  # noqa: BLE001 - the real one logs it and goes on
        del error
        return ""
    return str(fields.get("selected_option") or "") if isinstance(fields, dict) else ""


ROUTES = (route("POST", "/posts/{post_id}/actions/{action_id:[A-Za-z0-9]+}", press),)
