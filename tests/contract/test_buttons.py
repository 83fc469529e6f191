"""Buttons below a post: who sees what of them, what a press sends, and what its answer does."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from tests.contract.server import Mattermost, Scene
from tests.support.agent import serving

SECRET = {"secret": "abcdefghijklmnop"}
ALLOWED = {"AllowedUntrustedInternalConnections": "127.0.0.1"}


@dataclass(slots=True)
class Integration:
    """What a bridge does when a button is pressed: it notes the request and gives a canned answer."""

    url: str = ""
    status: int = 200
    answer: str = "{}"
    presses: list[dict[str, Any]] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)

    async def pressed(self, request: web.Request) -> web.Response:
        self.presses.append(await request.json())
        self.headers.append(request.headers)
        return web.Response(status=self.status, text=self.answer, content_type="application/json")


@pytest.fixture
async def integration() -> AsyncIterator[Integration]:
    built = Integration()
    app = web.Application()
    app.router.add_post("/pressed", built.pressed)
    async with serving(app) as url:
        built.url = f"{url}/pressed"
        yield built


def with_buttons(integration: Integration, **actions: str) -> dict[str, Any]:
    """Return props with buttons of these ids and names."""
    made = [
        {
            "id": id_,
            "type": "button",
            "name": name,
            "style": "good",
            "integration": {"url": integration.url, "context": SECRET},
        }
        for id_, name in actions.items()
    ]
    return {"mark": {"a": 1}, "attachments": [{"text": "really?", "actions": made}]}


@asynccontextmanager
async def reachable(server: Mattermost) -> AsyncIterator[None]:
    async with server.configured(ServiceSettings=ALLOWED):
        yield


async def post_with(scene: Scene, props: Mapping[str, Any], **fields: str) -> dict[str, Any]:
    draft = {"channel_id": scene.channel_id, "message": "decide", "props": props, **fields}
    post = await scene.bot.api.post("/posts", draft)
    assert isinstance(post, dict)
    return post


def actions(post: Mapping[str, Any]) -> list[dict[str, Any]]:
    (attachment,) = post["props"]["attachments"]
    found = attachment["actions"]
    assert isinstance(found, list)
    return found


async def test_nobody_sees_what_a_button_sends(
    server: Mattermost, scene: Scene, integration: Integration
) -> None:
    """Neither who hears of the post nor the bot that has made it."""
    async with server.greeted(scene.ada) as socket:
        post = await post_with(scene, with_buttons(integration, yes="Yes"))
        heard = json.loads((await socket.event("posted"))["data"]["post"])

    seen = [post, heard, await scene.bot.api.get(f"/posts/{post['id']}")]
    seen.append(await server.admin.get(f"/posts/{post['id']}"))
    for each in seen:
        (button,) = actions(each)
        assert (button["id"], button["name"], button["type"]) == ("yes", "Yes", "button")
        assert "integration" not in button
    assert "abcdefghijklmnop" not in json.dumps(seen)


async def test_a_press_says_who_where_and_what(
    server: Mattermost, scene: Scene, integration: Integration
) -> None:
    """And nothing by which it could be known that it comes from Mattermost but the context itself."""
    post = await post_with(scene, with_buttons(integration, yes="Yes"))
    async with reachable(server):
        said = await scene.ada.api.post(f"/posts/{post['id']}/actions/yes", {})

    assert said["status"] == "OK"
    (sent,) = integration.presses
    assert isinstance(sent.pop("trigger_id"), str)
    assert sent.pop("channel_name")
    assert sent == {
        "user_id": scene.ada.id,
        "user_name": scene.ada.name,
        "channel_id": scene.channel_id,
        "team_id": scene.team_id,
        "team_domain": scene.team_name,
        "post_id": post["id"],
        "type": "button",
        "data_source": "",
        "context": SECRET,
    }
    (headers,) = integration.headers
    assert headers["Content-Type"] == "application/json"
    assert "Authorization" not in headers


@pytest.mark.parametrize("action", ["no", "abc9"])
async def test_a_button_that_is_not_there_is_unknown(
    server: Mattermost, scene: Scene, integration: Integration, action: str
) -> None:
    post = await post_with(scene, with_buttons(integration, yes="Yes"))

    answer = await scene.ada.api.call("POST", f"/posts/{post['id']}/actions/{action}", {})

    assert (answer.status, answer.error) == (404, "api.post.do_action.action_id.app_error")


async def test_an_id_has_letters_and_digits_only(
    server: Mattermost, scene: Scene, integration: Integration
) -> None:
    """The route knows no other."""
    post = await post_with(scene, with_buttons(integration, deny_it="No"))

    answer = await scene.ada.api.call("POST", f"/posts/{post['id']}/actions/deny_it", {})

    assert answer.status == 404
    assert integration.presses == []


async def test_who_cannot_read_the_channel_presses_nothing(
    server: Mattermost, scene: Scene, integration: Integration
) -> None:
    post = await post_with(scene, with_buttons(integration, yes="Yes"))
    stranger = await server.account()
    async with reachable(server):
        answer = await stranger.api.call("POST", f"/posts/{post['id']}/actions/yes", {})

    assert answer.status == 403
    assert integration.presses == []


async def test_a_private_address_is_not_asked_unless_it_is_allowed(
    server: Mattermost, scene: Scene, integration: Integration
) -> None:
    """Whoever presses sees an error, and the bridge hears nothing of it."""
    post = await post_with(scene, with_buttons(integration, yes="Yes"))
    async with server.configured(ServiceSettings={"AllowedUntrustedInternalConnections": ""}):
        answer = await scene.ada.api.call("POST", f"/posts/{post['id']}/actions/yes", {})

    assert (answer.status, answer.error) == (400, "api.post.do_action.action_integration.app_error")
    assert integration.presses == []


@pytest.mark.parametrize("allowed", ["127.0.0.1", "127.0.0.0/8", "db.internal, 127.0.0.1"])
async def test_an_address_is_allowed_by_its_name_or_its_network(
    server: Mattermost, scene: Scene, integration: Integration, allowed: str
) -> None:
    post = await post_with(scene, with_buttons(integration, yes="Yes"))
    async with server.configured(ServiceSettings={"AllowedUntrustedInternalConnections": allowed}):
        await scene.ada.api.post(f"/posts/{post['id']}/actions/yes", {})

    assert len(integration.presses) == 1


@pytest.mark.parametrize(("status", "answer"), [(500, "{}"), (204, ""), (200, "no JSON"), (403, "{}")])
async def test_any_other_answer_is_an_error_to_whoever_pressed(
    server: Mattermost, scene: Scene, integration: Integration, status: int, answer: str
) -> None:
    integration.status, integration.answer = status, answer
    post = await post_with(scene, with_buttons(integration, yes="Yes"))
    async with reachable(server):
        said = await scene.ada.api.call("POST", f"/posts/{post['id']}/actions/yes", {})

    assert (said.status, said.error) == (400, "api.post.do_action.action_integration.app_error")


async def test_whoever_pressed_alone_sees_an_ephemeral_text(
    server: Mattermost, scene: Scene, integration: Integration
) -> None:
    """In the thread of the post; nobody can read it again."""
    integration.answer = json.dumps({"ephemeral_text": "not you", "skip_slack_parsing": True})
    root = await scene.ada.api.post("/posts", {"channel_id": scene.channel_id, "message": "root"})
    post = await post_with(scene, with_buttons(integration, yes="Yes"), root_id=root["id"])
    async with reachable(server), server.greeted(scene.ada) as socket:
        await scene.ada.api.post(f"/posts/{post['id']}/actions/yes", {})
        shown = json.loads((await socket.event("ephemeral_message"))["data"]["post"])

    assert (shown["message"], shown["root_id"], shown["type"]) == ("not you", root["id"], "system_ephemeral")
    thread = await scene.ada.api.get(f"/posts/{root['id']}/thread")
    assert shown["id"] not in thread["posts"]


async def test_an_update_replaces_the_text_and_all_props(
    server: Mattermost, scene: Scene, integration: Integration
) -> None:
    update = {"message": "done", "props": {"mark": {"a": 2}}}
    integration.answer = json.dumps({"update": update})
    post = await post_with(scene, with_buttons(integration, yes="Yes"))
    async with reachable(server):
        await scene.ada.api.post(f"/posts/{post['id']}/actions/yes", {})

    read = await scene.bot.api.get(f"/posts/{post['id']}")
    assert (read["message"], read["props"]["mark"]) == ("done", {"a": 2})
    assert "attachments" not in read["props"]
    assert read["edit_at"] > 0


async def test_an_edit_of_the_text_keeps_the_buttons(
    server: Mattermost, scene: Scene, integration: Integration
) -> None:
    post = await post_with(scene, with_buttons(integration, yes="Yes"))
    await scene.bot.api.put(f"/posts/{post['id']}/patch", {"message": "decide soon"})
    async with reachable(server):
        await scene.ada.api.post(f"/posts/{post['id']}/actions/yes", {})

    assert len(integration.presses) == 1


async def test_props_that_were_read_and_written_back_have_dead_buttons(
    server: Mattermost, scene: Scene, integration: Integration
) -> None:
    """What was read has no integration, and an edit of the props replaces all of them."""
    post = await post_with(scene, with_buttons(integration, yes="Yes"))
    read = await scene.bot.api.get(f"/posts/{post['id']}")
    await scene.bot.api.put(f"/posts/{post['id']}/patch", {"props": read["props"]})
    async with reachable(server):
        answer = await scene.ada.api.call("POST", f"/posts/{post['id']}/actions/yes", {})

    assert (answer.status, answer.error) == (404, "api.post.do_action.action_id.app_error")


async def test_an_edit_may_take_the_buttons_away(
    server: Mattermost, scene: Scene, integration: Integration
) -> None:
    """With complete props: text, what was shown, and the mark."""
    post = await post_with(scene, with_buttons(integration, yes="Yes"))
    props = {"mark": {"a": 1}, "attachments": [{"text": "really?", "footer": "approved"}]}
    async with server.greeted(scene.ada) as socket:
        await scene.bot.api.put(f"/posts/{post['id']}/patch", {"message": "done", "props": props})
        heard = json.loads((await socket.event("post_edited"))["data"]["post"])

    assert heard["props"]["mark"] == {"a": 1}
    assert not heard["props"]["attachments"][0].get("actions")
    answer = await scene.ada.api.call("POST", f"/posts/{post['id']}/actions/yes", {})
    assert answer.status == 404
