"""Direct and group channels as the bot meets them."""

import re

from tests.contract.client import post_of
from tests.contract.server import Mattermost, Scene, next_millisecond


async def test_the_first_direct_message_is_heard(server: Mattermost, scene: Scene) -> None:
    """A direct channel that appears while the bot listens brings its first post; the bot is mentioned."""
    async with server.greeted(scene.bot) as socket:
        direct = await scene.ada.api.post("/channels/direct", [scene.ada.id, scene.bot.id])
        await scene.ada.api.post("/posts", {"channel_id": direct["id"], "message": "between us"})
        event = await socket.posted("between us")
    assert event["data"]["channel_type"] == "D"
    assert sorted(event["data"]["channel_name"].split("__")) == sorted((scene.ada.id, scene.bot.id))
    assert event["data"]["team_id"] == ""
    assert event["data"]["mentions"] == f'["{scene.bot.id}"]'


async def test_the_bot_answers_flat_and_in_threads(server: Mattermost, scene: Scene) -> None:
    """The page after a post holds the flat answer and the replies of threads."""
    direct = await scene.ada.api.post("/channels/direct", [scene.ada.id, scene.bot.id])
    place = {"channel_id": direct["id"]}
    asked = await scene.ada.api.post("/posts", {**place, "message": "asked"})
    await next_millisecond()
    flat = await scene.bot.api.post("/posts", {**place, "message": "flat"})
    await next_millisecond()
    reply = await scene.bot.api.post("/posts", {**place, "message": "reply", "root_id": asked["id"]})
    page = await scene.bot.api.get(
        f"/channels/{direct['id']}/posts?after={asked['id']}&skipFetchThreads=true"
    )
    assert page["order"] == [reply["id"], flat["id"]]


async def test_a_group_message_has_no_team(server: Mattermost, scene: Scene) -> None:
    """A group channel is named by a digest, and each post there mentions the others."""
    async with server.greeted(scene.bot) as socket:
        group = await scene.ada.api.post("/channels/group", [scene.ada.id, scene.bob.id, scene.bot.id])
        await scene.ada.api.post("/posts", {"channel_id": group["id"], "message": "all three"})
        event = await socket.posted("all three")
    assert (group["type"], group["team_id"]) == ("G", "")
    assert re.fullmatch("[0-9a-f]{40}", group["name"])
    assert event["data"]["channel_type"] == "G"
    assert event["data"]["channel_name"] == group["name"]
    assert event["data"]["mentions"] == f'["{scene.bot.id}"]'
    again = await scene.bob.api.post("/channels/group", [scene.bot.id, scene.ada.id])
    assert again["id"] == group["id"]


async def test_a_group_has_three_members_at_least(server: Mattermost, scene: Scene) -> None:
    answer = await scene.ada.api.call("POST", "/channels/group", [scene.ada.id, scene.bob.id])
    assert (answer.status, answer.error) == (400, "api.channel.create_group.bad_size.app_error")


async def test_the_bot_sees_who_is_in_its_team(server: Mattermost, scene: Scene) -> None:
    """A member of a team may ask whether somebody else is in it; who has left has `delete_at`."""
    path = f"/teams/{scene.team_id}/members/{scene.ada.id}"
    assert (await scene.bot.api.get(path))["delete_at"] == 0
    await server.admin.delete(path)
    assert (await scene.bot.api.get(path))["delete_at"] > 0
    stranger = await server.account()
    answer = await scene.bot.api.call("GET", f"/teams/{scene.team_id}/members/{stranger.id}")
    assert answer.status == 404


async def test_the_bot_pins_its_post_again_and_again(server: Mattermost, scene: Scene) -> None:
    """Pinning a pinned post does nothing; the text and the props stay."""
    post = await scene.bot.api.post(
        "/posts", {"channel_id": scene.channel_id, "message": "welcome", "props": {"mark": {"a": 1}}}
    )
    for _ in range(2):
        await scene.bot.api.post(f"/posts/{post['id']}/pin")
    pinned = await scene.bot.api.get(f"/posts/{post['id']}")
    assert (pinned["is_pinned"], pinned["message"], pinned["props"]["mark"]) == (True, "welcome", {"a": 1})
    shown = await scene.ada.api.get(f"/channels/{scene.channel_id}/pinned")
    assert shown["order"] == [post["id"]]


async def test_others_cannot_read_along(server: Mattermost, scene: Scene) -> None:
    """Somebody outside of a direct channel neither hears nor reads it."""
    direct = await scene.ada.api.post("/channels/direct", [scene.ada.id, scene.bot.id])
    async with server.greeted(scene.bob) as socket:
        post = await scene.ada.api.post("/posts", {"channel_id": direct["id"], "message": "secret"})
        heard = await socket.events()
    assert not [each for each in heard if each["event"] == "posted" and post_of(each)["id"] == post["id"]]
    assert (await scene.bob.api.call("GET", f"/posts/{post['id']}")).status == 403
