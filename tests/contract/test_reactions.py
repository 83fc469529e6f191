"""Reactions, and edits as others hear of them."""

import json
from typing import Any

import pytest

from handlers.answers.signs import FAILED, WAITING
from tests.contract.server import Mattermost, Scene


def reaction(scene: Scene, post_id: str, emoji: str, who: str = "") -> dict[str, Any]:
    return {"user_id": who or scene.bot.id, "post_id": post_id, "emoji_name": emoji}


async def test_a_reaction_is_heard_with_its_post_and_its_author(server: Mattermost, scene: Scene) -> None:
    """The reaction is JSON inside JSON; no team and no channel's name come with it."""
    post = await scene.ada.api.post("/posts", {"channel_id": scene.channel_id, "message": "hello"})
    async with server.greeted(scene.bot) as socket:
        await scene.ada.api.post("/reactions", reaction(scene, post["id"], "octagonal_sign", scene.ada.id))
        frame = await socket.event("reaction_added")

    heard = json.loads(frame["data"]["reaction"])
    assert (heard["user_id"], heard["post_id"]) == (scene.ada.id, post["id"])
    assert heard["emoji_name"] == "octagonal_sign"
    assert frame["broadcast"]["channel_id"] == scene.channel_id


@pytest.mark.parametrize("emoji", [WAITING, FAILED])
async def test_a_reaction_can_be_put_and_taken_back_again_and_again(
    server: Mattermost, scene: Scene, emoji: str
) -> None:
    """Neither a second one nor one that is not there is an error."""
    post = await scene.ada.api.post("/posts", {"channel_id": scene.channel_id, "message": "hello"})
    own = f"/users/{scene.bot.id}/posts/{post['id']}/reactions/{emoji}"
    for _ in range(2):
        await scene.bot.api.post("/reactions", reaction(scene, post["id"], emoji))
    assert len(await scene.bot.api.get(f"/posts/{post['id']}/reactions")) == 1
    for _ in range(2):
        await scene.bot.api.delete(own)
    assert not await scene.bot.api.get(f"/posts/{post['id']}/reactions")


async def test_nobody_reacts_for_somebody_else(server: Mattermost, scene: Scene) -> None:
    post = await scene.ada.api.post("/posts", {"channel_id": scene.channel_id, "message": "hello"})
    fields = reaction(scene, post["id"], "repeat", scene.ada.id)

    answer = await scene.bot.api.call("POST", "/reactions", fields)

    assert (answer.status, answer.error) == (403, "api.reaction.save_reaction.user_id.app_error")


async def test_an_edit_of_the_text_keeps_the_props(server: Mattermost, scene: Scene) -> None:
    """And is heard with the whole post; the channel counts as posted in at that moment."""
    draft = {"channel_id": scene.channel_id, "message": "one", "props": {"mark": {"a": 1}}}
    post = await scene.bot.api.post("/posts", draft)
    async with server.greeted(scene.ada) as socket:
        await scene.bot.api.put(f"/posts/{post['id']}/patch", {"message": "one two"})
        frame = await socket.event("post_edited")

    heard = json.loads(frame["data"]["post"])
    assert (heard["id"], heard["message"]) == (post["id"], "one two")
    assert heard["props"]["mark"] == {"a": 1}
    assert heard["edit_at"] > 0
    (channel,) = [
        each
        for each in await scene.ada.api.get(f"/users/me/teams/{scene.team_id}/channels")
        if each["id"] == scene.channel_id
    ]
    assert 0 <= channel["last_post_at"] - heard["update_at"] < 60_000


async def test_a_deleted_post_is_edited_by_nobody(server: Mattermost, scene: Scene) -> None:
    post = await scene.bot.api.post("/posts", {"channel_id": scene.channel_id, "message": "one"})
    await scene.bot.api.delete(f"/posts/{post['id']}")

    answer = await scene.bot.api.call("PUT", f"/posts/{post['id']}/patch", {"message": "two"})

    assert (answer.status, answer.error) == (403, "api.context.permissions.app_error")


async def test_a_deleted_root_is_heard_once_for_its_thread(server: Mattermost, scene: Scene) -> None:
    """Its replies are gone with it."""
    root = await scene.ada.api.post("/posts", {"channel_id": scene.channel_id, "message": "root"})
    reply = await scene.bot.api.post(
        "/posts", {"channel_id": scene.channel_id, "message": "reply", "root_id": root["id"]}
    )
    async with server.greeted(scene.bot) as socket:
        await scene.ada.api.delete(f"/posts/{root['id']}")
        frame = await socket.event("post_deleted")

    assert json.loads(frame["data"]["post"])["id"] == root["id"]
    assert (await scene.bot.api.call("GET", f"/posts/{reply['id']}")).status == 404


async def test_reactions_are_read_with_their_authors(server: Mattermost, scene: Scene) -> None:
    """Each skin tone is a reaction of its own; a post without any has an empty list or none."""
    post = await scene.bot.api.post("/posts", {"channel_id": scene.channel_id, "message": "an answer"})
    assert not await scene.bot.api.get(f"/posts/{post['id']}/reactions")
    for emoji in ("+1", "+1_dark_skin_tone"):
        body = {"user_id": scene.ada.id, "post_id": post["id"], "emoji_name": emoji}
        await scene.ada.api.post("/reactions", body)
    found = await scene.bot.api.get(f"/posts/{post['id']}/reactions")
    assert {(each["user_id"], each["emoji_name"], each["post_id"]) for each in found} == {
        (scene.ada.id, "+1", post["id"]),
        (scene.ada.id, "+1_dark_skin_tone", post["id"]),
    }
    assert all(each["create_at"] > 0 for each in found)


async def test_a_reaction_that_is_taken_back_is_heard(server: Mattermost, scene: Scene) -> None:
    """The event names who, below which post, and with what."""
    post = await scene.bot.api.post("/posts", {"channel_id": scene.channel_id, "message": "an answer"})
    body = {"user_id": scene.ada.id, "post_id": post["id"], "emoji_name": "-1_light_skin_tone"}
    await scene.ada.api.post("/reactions", body)
    async with server.greeted(scene.bot) as socket:
        path = f"/users/{scene.ada.id}/posts/{post['id']}/reactions/-1_light_skin_tone"
        await scene.ada.api.delete(path)
        event = await socket.event("reaction_removed")
    reaction = json.loads(event["data"]["reaction"])
    assert {name: reaction[name] for name in body} == body
