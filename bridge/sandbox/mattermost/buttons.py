"""The rules for buttons below a post: who sees them, and what a press of one asks the integration.

Sources: server/channels/app/integration_action.go, server/public/model/integration_action.go.
"""

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar

from bridge.sandbox.mattermost.errors import ApiError
from bridge.sandbox.mattermost.events import COMPACT, Broadcast, Event
from bridge.sandbox.mattermost.integrations import check_address
from bridge.sandbox.mattermost.records import Post, User
from bridge.sandbox.mattermost.state import State
from bridge.sandbox.mattermost.wire import actions_of, post_json

EPHEMERAL = "system_ephemeral"
_TIMEOUT = ClientTimeout(total=30)
_RETAINED = ("from_webhook", "override_username", "override_icon_url")


def find_integration(post: Post, action_id: str) -> dict[str, Any]:
    """Return the action that was pressed; one whose integration is gone is unknown (`GetAction`)."""
    for action in actions_of(post.props):
        if action.get("id") == action_id and action.get("integration"):
            return action
    raise ApiError("api.post.do_action.action_id.app_error", 404, "Invalid action id.")


def request_body(
    state: State, post: Post, user: User, action: Mapping[str, Any], selected: str
) -> dict[str, Any]:
    """Return what the integration is sent (`PostActionIntegrationRequest`)."""
    channel = state.channels[post.channel_id]
    team = state.teams.get(channel.team_id)
    context = dict(action["integration"].get("context") or {})
    kind = str(action.get("type") or "")
    if kind == "select" and selected:
        context["selected_option"] = selected
    return {
        "user_id": user.id,
        "user_name": user.username,
        "channel_id": channel.id,
        "channel_name": channel.name,
        "team_id": channel.team_id,
        "team_domain": team.name if team else "",
        "post_id": post.id,
        "trigger_id": state.new_id(),
        "type": kind,
        "data_source": "",
        **({"context": context} if context else {}),
    }


async def ask(state: State, url: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """Post to the integration; anything but 200 with a JSON object is an error to whoever pressed."""
    await check_address(state.settings.get("ServiceSettings", "AllowedUntrustedInternalConnections"), url)
    headers = {
        "Content-Type": "application/json",
        "Accept": "application/json",
        "User-Agent": "Mattermost-Bot/1.1",
    }
    data = json.dumps(body, ensure_ascii=False, separators=COMPACT).encode()
    try:
        async with (
            ClientSession(cookie_jar=DummyCookieJar(), timeout=_TIMEOUT) as session,
            session.post(url, data=data, headers=headers) as response,
        ):
            text = await response.text()
            if response.status != 200:
                raise integration_failed()
            answer = json.loads(text) if text else {}
    except (ClientError, TimeoutError, ValueError):
        raise integration_failed() from None
    if not isinstance(answer, dict):
        raise integration_failed()
    return answer


def integration_failed() -> ApiError:
    """Return the error that whoever pressed gets, whatever was wrong."""
    return ApiError("api.post.do_action.action_integration.app_error", 400, "Action integration error.")


def update_of(post: Post, update: Mapping[str, Any]) -> dict[str, Any]:
    """Return how the integration wants the post to read; without props it keeps those that it has."""
    props = post.props
    if update.get("props") is not None:
        given = {name: value for name, value in update["props"].items() if name not in _RETAINED}
        props = given | {name: post.props[name] for name in _RETAINED if name in post.props}
    return {"message": str(update.get("message") or ""), "props": props}


def send_ephemeral(state: State, post: Post, user: User, text: str) -> None:
    """Show a text to one user alone, in the thread of a post; it is stored nowhere (`SendEphemeralPost`)."""
    now = state.now()
    shown = Post(
        id=state.new_id(),
        channel_id=post.channel_id,
        user_id=user.id,
        message=text,
        create_at=now,
        update_at=now,
        root_id=post.root_id or post.id,
        type=EPHEMERAL,
    )
    data = {"post": json.dumps(post_json(shown), ensure_ascii=False, separators=COMPACT)}
    state.publish(Event("ephemeral_message", data, Broadcast(channel_id=post.channel_id, user_id=user.id)))
