"""Writing posts: what is accepted, what is refused, editing and deleting."""

import time
from typing import Any

import pytest

from tests.contract.server import Mattermost, Scene


def draft(scene: Scene, message: str = "hello", **fields: Any) -> dict[str, Any]:
    return {"channel_id": scene.channel_id, "message": message, **fields}


async def test_a_post_is_created_with_201(server: Mattermost, scene: Scene) -> None:
    """The answer is the whole post."""
    answer = await scene.ada.api.call("POST", "/posts", draft(scene, props={"a": {"b": 1}}))
    post = answer.body
    assert answer.status == 201
    assert (post["user_id"], post["channel_id"], post["message"]) == (scene.ada.id, scene.channel_id, "hello")
    assert (post["root_id"], post["type"], post["delete_at"]) == ("", "", 0)
    assert post["props"]["a"] == {"b": 1}
    assert abs(post["create_at"] - time.time() * 1000) < 60_000
    assert post["update_at"] == post["create_at"]


async def test_the_author_is_who_asks(server: Mattermost, scene: Scene) -> None:
    """user_id in the body is ignored."""
    post = await scene.ada.api.post("/posts", draft(scene, user_id=scene.bob.id))
    assert post["user_id"] == scene.ada.id


async def test_an_id_cannot_be_chosen(server: Mattermost, scene: Scene) -> None:
    """A create with an id is refused."""
    answer = await scene.ada.api.call("POST", "/posts", draft(scene, id="a" * 26))
    assert (answer.status, answer.error) == (400, "app.post.save.existing.app_error")


async def test_props_have_a_limit_of_characters_as_go_writes_them(server: Mattermost, scene: Scene) -> None:
    """800,000 at most, where <, > and & count six each: 250 kB pass, a third of it made of < does not."""
    server.needs(10)
    assert await scene.ada.api.post("/posts", draft(scene, props={"filler": "x" * 250_000}))
    answer = await scene.ada.api.call("POST", "/posts", draft(scene, props={"filler": "<" * 140_000}))
    assert (answer.status, answer.error) == (400, "model.post.is_valid.props.app_error")


async def test_a_post_of_a_bot_is_marked(server: Mattermost, scene: Scene) -> None:
    """The server adds props.from_bot to what a bot posts; a person's post has none."""
    assert (await scene.bot.api.post("/posts", draft(scene)))["props"]["from_bot"] == "true"
    assert "from_bot" not in (await scene.ada.api.post("/posts", draft(scene)))["props"]


async def test_a_person_can_forge_the_mark_of_a_bot(server: Mattermost, scene: Scene) -> None:
    """props.from_bot proves nothing."""
    post = await scene.ada.api.post("/posts", draft(scene, props={"from_bot": "true"}))
    assert post["props"]["from_bot"] == "true"


async def test_a_reply_needs_a_root_of_the_same_channel(server: Mattermost, scene: Scene) -> None:
    """Replies to replies, to unknown posts and across channels are 400."""
    root = await scene.ada.api.post("/posts", draft(scene))
    reply = await scene.bob.api.post("/posts", draft(scene, "reply", root_id=root["id"]))
    assert reply["root_id"] == root["id"]
    other = await server.channel(scene.team_id, scene.ada)
    cases = {
        "reply to a reply": draft(scene, root_id=reply["id"]),
        "unknown root": draft(scene, root_id="a" * 26),
        "other channel": {"channel_id": other["id"], "message": "x", "root_id": root["id"]},
    }
    refused = {name: await scene.ada.api.call("POST", "/posts", fields) for name, fields in cases.items()}
    assert {name: answer.status for name, answer in refused.items()} == dict.fromkeys(cases, 400)
    assert refused["unknown root"].error == "api.post.create_post.root_id.app_error"
    assert refused["other channel"].error == "api.post.create_post.channel_root_id.app_error"


async def test_a_deleted_root_takes_no_replies(server: Mattermost, scene: Scene) -> None:
    """Replying to a deleted post is 400."""
    root = await scene.ada.api.post("/posts", draft(scene))
    await scene.ada.api.delete(f"/posts/{root['id']}")
    answer = await scene.bob.api.call("POST", "/posts", draft(scene, root_id=root["id"]))
    assert (answer.status, answer.error) == (400, "api.post.create_post.root_id.app_error")


async def test_a_message_has_up_to_16383_characters(server: Mattermost, scene: Scene) -> None:
    """Characters are counted, not bytes."""
    server.needs(10)
    longest = "ß" * 16_383
    assert (await scene.ada.api.post("/posts", draft(scene, longest)))["message"] == longest
    answer = await scene.ada.api.call("POST", "/posts", draft(scene, longest + "ß"))
    assert (answer.status, answer.error) == (400, "model.post.is_valid.message_length.app_error")


async def test_an_emoji_counts_as_one_character(server: Mattermost, scene: Scene) -> None:
    """Characters are code points, as Python counts them."""
    assert await scene.ada.api.post("/posts", draft(scene, "🎉" * 16_383))
    assert (await scene.ada.api.call("POST", "/posts", draft(scene, "🎉" * 16_384))).status == 400


async def test_system_types_are_refused(server: Mattermost, scene: Scene) -> None:
    """Nobody can post a system_* type."""
    answer = await scene.ada.api.call("POST", "/posts", draft(scene, type="system_join_channel"))
    assert answer.status == 400


@pytest.mark.parametrize(("kind", "status"), [("custom_x", 201), ("me", 201), ("anything", 400)])
async def test_types_are_empty_known_or_custom(
    server: Mattermost, scene: Scene, kind: str, status: int
) -> None:
    """Only types that start with custom_ may be made up."""
    answer = await scene.ada.api.call("POST", "/posts", draft(scene, type=kind))
    assert answer.status == status


async def test_only_administrators_choose_the_time(server: Mattermost, scene: Scene) -> None:
    """create_at of anybody else is ignored."""
    past = 1_500_000_000_000
    await server.admin.post(f"/channels/{scene.channel_id}/members", {"user_id": scene.ada.id})
    assert (await server.admin.post("/posts", draft(scene, create_at=past)))["create_at"] == past
    assert (await scene.ada.api.post("/posts", draft(scene, create_at=past)))["create_at"] > past


async def test_strangers_cannot_post(server: Mattermost, scene: Scene) -> None:
    """Who is not in the channel gets 403."""
    stranger = await server.account()
    answer = await stranger.api.call("POST", "/posts", draft(scene))
    assert (answer.status, answer.error) == (403, "api.context.permissions.app_error")


async def test_an_unknown_channel_is_403(server: Mattermost, scene: Scene) -> None:
    """What does not exist is not told from what is not allowed."""
    answer = await scene.ada.api.call("POST", "/posts", {"channel_id": "a" * 26, "message": "x"})
    assert answer.status in (403, 404)


async def test_an_archived_channel_takes_no_posts(server: Mattermost, scene: Scene) -> None:
    """It answers 400."""
    await server.admin.delete(f"/channels/{scene.channel_id}")
    answer = await scene.ada.api.call("POST", "/posts", draft(scene))
    assert (answer.status, answer.error) == (400, "api.post.create_post.can_not_post_to_deleted.error")


async def test_system_post_all_posts_without_membership(server: Mattermost, scene: Scene) -> None:
    """A bot with that role may post in every channel."""
    bot = await server.bot()
    assert (await bot.api.call("POST", "/posts", draft(scene))).status == 403
    await server.admin.put(f"/users/{bot.id}/roles", {"roles": "system_user system_post_all"})
    assert (await bot.api.call("POST", "/posts", draft(scene))).status == 201


async def test_an_own_post_can_be_patched(server: Mattermost, scene: Scene) -> None:
    """Only what is given changes; edit_at tells of it."""
    post = await scene.ada.api.post("/posts", draft(scene, props={"kept": "yes"}))
    patched = await scene.ada.api.put(f"/posts/{post['id']}/patch", {"message": "changed"})
    assert (patched["message"], patched["props"]["kept"]) == ("changed", "yes")
    assert patched["edit_at"] > 0
    assert patched["create_at"] == post["create_at"]
    assert patched["update_at"] >= post["update_at"]


async def test_a_put_replaces_props(server: Mattermost, scene: Scene) -> None:
    """PUT /posts/{id} drops what it does not name."""
    post = await scene.ada.api.post("/posts", draft(scene, props={"lost": "yes"}))
    changed = await scene.ada.api.put(f"/posts/{post['id']}", {"id": post["id"], "message": "x"})
    assert changed["message"] == "x"
    assert not changed["props"].get("lost")


async def test_the_post_of_somebody_else_cannot_be_patched(server: Mattermost, scene: Scene) -> None:
    """Neither edited nor deleted."""
    post = await scene.ada.api.post("/posts", draft(scene))
    patch = await scene.bob.api.call("PUT", f"/posts/{post['id']}/patch", {"message": "mine"})
    delete = await scene.bob.api.call("DELETE", f"/posts/{post['id']}")
    assert (patch.status, delete.status) == (403, 403)


async def test_an_edit_keeps_the_old_version_out_of_sight(server: Mattermost, scene: Scene) -> None:
    """The old version is a deleted row of its own: the channel shows one post."""
    post = await scene.ada.api.post("/posts", draft(scene, "one"))
    await scene.ada.api.put(f"/posts/{post['id']}/patch", {"message": "two"})
    shown = await scene.ada.api.get(f"/channels/{scene.channel_id}/posts")
    assert [
        m["message"] for m in shown["posts"].values() if m["user_id"] == scene.ada.id and not m["type"]
    ] == ["two"]


async def test_a_deleted_post_is_gone(server: Mattermost, scene: Scene) -> None:
    """GET answers 404, and with a root its replies go."""
    root = await scene.ada.api.post("/posts", draft(scene))
    reply = await scene.bob.api.post("/posts", draft(scene, root_id=root["id"]))
    await scene.ada.api.delete(f"/posts/{root['id']}")
    for post in (root, reply):
        answer = await scene.ada.api.call("GET", f"/posts/{post['id']}")
        assert (answer.status, answer.error) == (404, "app.post.get.app_error")


async def test_posts_can_be_fetched_by_the_thousand(server: Mattermost, scene: Scene) -> None:
    """POST /posts/ids takes up to 1000 ids and leaves out unknown ones."""
    server.needs(7)
    one = await scene.ada.api.post("/posts", draft(scene, "one"))
    two = await scene.ada.api.post("/posts", draft(scene, "two"))
    unknown = [f"{number:026d}" for number in range(998)]
    found = await scene.bot.api.post("/posts/ids", [one["id"], two["id"], *unknown])
    assert {post["message"] for post in found} == {"one", "two"}
    too_many = [*unknown, one["id"], two["id"], "b" * 26]
    assert (await scene.bot.api.call("POST", "/posts/ids", too_many)).status == 400


async def test_strangers_cannot_read_a_post_of_a_private_channel(server: Mattermost, scene: Scene) -> None:
    """A post of a private channel is 403 for other team members."""
    channel = await server.channel(scene.team_id, scene.ada, kind="P")
    post = await scene.ada.api.post("/posts", {"channel_id": channel["id"], "message": "private"})
    assert (await scene.bob.api.call("GET", f"/posts/{post['id']}")).status == 403
    assert (await server.admin.call("GET", f"/posts/{post['id']}")).status == 200


async def test_team_members_can_read_open_channels(server: Mattermost, scene: Scene) -> None:
    """An open channel may be read without membership; people outside the team may not."""
    channel = await server.channel(scene.team_id, scene.ada)
    post = await scene.ada.api.post("/posts", {"channel_id": channel["id"], "message": "open"})
    assert (await scene.bob.api.call("GET", f"/posts/{post['id']}")).status == 200
    outsider = await server.account()
    assert (await outsider.api.call("GET", f"/posts/{post['id']}")).status == 403
