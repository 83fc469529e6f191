"""Events of posts and memberships: what they hold and who receives them."""

import json

from tests.contract.client import post_of
from tests.contract.server import Account, Mattermost, Scene


async def say(account: Account, channel_id: str, message: str, **fields: object) -> dict[str, object]:
    post = await account.api.post("/posts", {"channel_id": channel_id, "message": message, **fields})
    assert isinstance(post, dict)
    return post


async def test_posted_holds_the_post_as_json_in_json(server: Mattermost, scene: Scene) -> None:
    """`data.post` is a string with the whole post, and the channel is described beside it."""
    async with server.greeted(scene.bot) as socket:
        post = await say(scene.ada, scene.channel_id, "hello all", props={"key": "value"})
        event = await socket.posted("hello all")
    channel = await scene.ada.api.get(f"/channels/{scene.channel_id}")
    received = post_of(event)
    assert {
        name: received[name] for name in ("id", "channel_id", "user_id", "root_id", "create_at", "type")
    } == {name: post[name] for name in ("id", "channel_id", "user_id", "root_id", "create_at", "type")}
    assert received["props"]["key"] == "value"
    data = event["data"]
    assert data["channel_name"] == channel["name"]
    assert data["channel_display_name"] == channel["display_name"]
    assert data["channel_type"] == "O"
    assert data["sender_name"] == f"@{scene.ada.name}"
    assert data["team_id"] == scene.team_id


async def test_posted_is_addressed_to_the_channel_only(server: Mattermost, scene: Scene) -> None:
    """broadcast.channel_id is set; broadcast.team_id and broadcast.user_id are empty."""
    async with server.greeted(scene.bot) as socket:
        await say(scene.ada, scene.channel_id, "where")
        broadcast = (await socket.posted("where"))["broadcast"]
    assert (broadcast["channel_id"], broadcast["team_id"], broadcast["user_id"]) == (scene.channel_id, "", "")


async def test_set_online_is_sent(server: Mattermost, scene: Scene) -> None:
    """`set_online` is what the poster asked for."""
    server.needs(7)
    async with server.greeted(scene.bot) as socket:
        await scene.ada.api.post(
            "/posts?set_online=false", {"channel_id": scene.channel_id, "message": "off"}
        )
        await scene.ada.api.post("/posts", {"channel_id": scene.channel_id, "message": "on"})
        assert (await socket.posted("off"))["data"]["set_online"] is False
        assert (await socket.posted("on"))["data"]["set_online"] is True


async def test_only_the_mentioned_receive_their_mention(server: Mattermost, scene: Scene) -> None:
    """The receiver finds at most himself in `data.mentions`; who is not mentioned has no such key."""
    server.needs(7)
    text = f"@{scene.bot.name} and @{scene.ada.name} please"
    async with (
        server.greeted(scene.bot) as bot,
        server.greeted(scene.ada) as ada,
        server.greeted(scene.bob) as bob,
    ):
        await say(scene.bob, scene.channel_id, text)
        received = [(await socket.posted(text))["data"] for socket in (bot, ada, bob)]
    assert json.loads(received[0]["mentions"]) == [scene.bot.id]
    assert json.loads(received[1]["mentions"]) == [scene.ada.id]
    assert "mentions" not in received[2]


async def mentioned(server: Mattermost, scene: Scene, text: str) -> bool:
    """Tell whether the bot is mentioned by a message of ada's."""
    async with server.greeted(scene.bot) as socket:
        await say(scene.ada, scene.channel_id, text)
        event = await socket.posted(text)
    return scene.bot.id in json.loads(event["data"].get("mentions", "[]"))


async def test_a_mention_does_not_mind_case_and_punctuation(server: Mattermost, scene: Scene) -> None:
    """@NAME, @name. and @name: mention; @name2 does not, nor does text in code."""
    name = scene.bot.name
    for text in (f"@{name.upper()} x", f"thanks @{name}.", f"@{name}: x", f"(@{name})", f"@{name}?"):
        assert await mentioned(server, scene, text), text
    for text in (f"@{name}2 x", f"me@{name}.com", f"`@{name}` x", f"```\n@{name}\n```", name):
        assert not await mentioned(server, scene, text), text


async def test_everybody_is_mentioned_by_all_and_channel(server: Mattermost, scene: Scene) -> None:
    """@all and @channel mention bots as well."""
    assert await mentioned(server, scene, "@all hands")
    assert await mentioned(server, scene, "@channel hands")


async def test_the_author_hears_his_own_post(server: Mattermost, scene: Scene) -> None:
    """The event comes to the poster's own connections too, with his pending_post_id in it, and no mention."""
    pending = server.name("p")
    text = f"it is me, @{scene.bot.name}"
    async with server.greeted(scene.bot) as socket:
        await say(scene.bot, scene.channel_id, text, pending_post_id=pending)
        event = await socket.posted(text)
    assert post_of(event)["pending_post_id"] == pending
    assert "mentions" not in event["data"]


async def test_only_members_hear_of_a_channel(server: Mattermost, scene: Scene) -> None:
    """Neither another team member nor an administrator hears of a channel that he is not in."""
    carol = await server.account()
    await server.admin.post(
        f"/teams/{scene.team_id}/members", {"team_id": scene.team_id, "user_id": carol.id}
    )
    boss = await server.account()
    await server.admin.put(f"/users/{boss.id}/roles", {"roles": "system_user system_admin"})
    async with server.greeted(carol) as one, server.greeted(boss) as other:
        await say(scene.ada, scene.channel_id, "secret")
        heard = [*await one.events(), *await other.events()]
    assert not [frame for frame in heard if frame["event"] == "posted"]


async def test_a_direct_channel_has_no_team(server: Mattermost, scene: Scene) -> None:
    """In a direct channel team_id is empty, the name has both ids, and the other one is always mentioned."""
    channel = await scene.ada.api.post("/channels/direct", [scene.ada.id, scene.bot.id])
    async with server.greeted(scene.bot) as socket:
        await say(scene.ada, channel["id"], "psst")
        data = (await socket.posted("psst"))["data"]
    assert (data["channel_type"], data["team_id"]) == ("D", "")
    assert data["channel_name"] == "__".join(sorted((scene.ada.id, scene.bot.id)))
    assert data["channel_display_name"] == f"@{scene.ada.name}"
    assert scene.bot.id in data["mentions"]


async def test_an_edit_brings_the_whole_post(server: Mattermost, scene: Scene) -> None:
    """post_edited holds nothing but the post."""
    post = await say(scene.ada, scene.channel_id, "first")
    async with server.greeted(scene.bot) as socket:
        await scene.ada.api.put(f"/posts/{post['id']}/patch", {"message": "second"})
        event = await socket.event("post_edited")
    assert set(event["data"]) == {"post"}
    received = post_of(event)
    assert (received["id"], received["message"]) == (post["id"], "second")
    assert received["edit_at"] > 0
    assert event["broadcast"]["channel_id"] == scene.channel_id


async def test_a_deletion_brings_the_post(server: Mattermost, scene: Scene) -> None:
    """post_deleted holds the post."""
    post = await say(scene.ada, scene.channel_id, "gone soon")
    async with server.greeted(scene.bot) as socket:
        await scene.ada.api.delete(f"/posts/{post['id']}")
        event = await socket.event("post_deleted")
    assert post_of(event)["id"] == post["id"]


async def test_the_added_user_hears_of_his_channel(server: Mattermost, scene: Scene) -> None:
    """user_added comes to the added one and to the channel; a system post says so to all."""
    channel = await server.channel(scene.team_id, scene.ada)
    async with server.greeted(scene.bot) as bot, server.greeted(scene.ada) as ada:
        await server.admin.post(f"/channels/{channel['id']}/members", {"user_id": scene.bot.id})
        for socket in (bot, ada):
            event = await socket.event("user_added", user_id=scene.bot.id)
            assert event["data"]["team_id"] == scene.team_id
            assert event["broadcast"]["channel_id"] == channel["id"]
        posted = await ada.event("posted")
    assert post_of(posted)["type"] == "system_add_to_channel"
    assert post_of(posted)["props"]["addedUserId"] == scene.bot.id
    assert posted["data"]["sender_name"] == "System"


async def test_the_removed_user_hears_of_it(server: Mattermost, scene: Scene) -> None:
    """user_removed comes to the removed one with the channel, and to the channel with the user."""
    async with server.greeted(scene.bot) as bot, server.greeted(scene.ada) as ada:
        await server.admin.delete(f"/channels/{scene.channel_id}/members/{scene.bot.id}")
        mine = await bot.event("user_removed")
        theirs = await ada.event("user_removed")
    assert mine["data"]["channel_id"] == scene.channel_id
    assert theirs["data"]["user_id"] == scene.bot.id
    assert theirs["broadcast"]["channel_id"] == scene.channel_id


async def test_joining_and_leaving_a_team_are_sent(server: Mattermost, scene: Scene) -> None:
    """added_to_team goes to the user; leave_team to the user and the team."""
    carol = await server.account()
    row = {"team_id": scene.team_id, "user_id": carol.id}
    async with server.greeted(carol) as socket:
        await server.admin.post(f"/teams/{scene.team_id}/members", row)
        added = await socket.event("added_to_team")
    async with server.greeted(scene.ada) as socket:
        await server.admin.delete(f"/teams/{scene.team_id}/members/{carol.id}")
        left = await socket.event("leave_team", user_id=carol.id)
    assert added["data"] == row
    assert left["data"] == row


async def test_a_renamed_channel_is_sent_to_its_members(server: Mattermost, scene: Scene) -> None:
    """channel_updated holds the whole channel, as JSON in JSON; nothing in it says who did it."""
    server.needs(6)
    async with server.greeted(scene.bot) as socket:
        name = server.name("c")
        await server.admin.put(f"/channels/{scene.channel_id}/patch", {"name": name})
        event = await socket.event("channel_updated")
    channel = json.loads(event["data"]["channel"])
    assert (channel["id"], channel["name"], channel["team_id"]) == (scene.channel_id, name, scene.team_id)
    assert (channel["type"], channel["delete_at"]) == ("O", 0)
    assert set(event["data"]) == {"channel"}
    assert event["broadcast"]["channel_id"] == scene.channel_id


async def test_the_archive_of_a_channel_is_sent_to_its_team(server: Mattermost, scene: Scene) -> None:
    """channel_deleted and channel_restored name the channel; a system post before says who archived it."""
    async with server.greeted(scene.bot) as socket:
        await scene.ada.api.delete(f"/channels/{scene.channel_id}")
        posted = await socket.event("posted")
        deleted = await socket.event("channel_deleted", channel_id=scene.channel_id)
        await server.admin.post(f"/channels/{scene.channel_id}/restore")
        restored = await socket.event("channel_restored", channel_id=scene.channel_id)
    assert (post_of(posted)["type"], post_of(posted)["user_id"]) == ("system_channel_deleted", scene.ada.id)
    assert deleted["data"]["delete_at"] > 0
    assert {deleted["broadcast"]["team_id"], restored["broadcast"]["team_id"]} == {scene.team_id}


async def test_the_conversion_of_a_channel_is_sent_to_its_team(server: Mattermost, scene: Scene) -> None:
    """channel_converted comes behind channel_updated; the members stay members."""
    server.needs(6)
    async with server.greeted(scene.bot) as socket:
        await server.admin.put(f"/channels/{scene.channel_id}/privacy", {"privacy": "P"})
        updated = await socket.event("channel_updated")
        converted = await socket.event("channel_converted", channel_id=scene.channel_id)
        await say(scene.ada, scene.channel_id, "in private")
        assert await socket.posted("in private")
    assert json.loads(updated["data"]["channel"])["type"] == "P"
    assert converted["broadcast"]["team_id"] == scene.team_id


async def test_a_renamed_bot_hears_of_it(server: Mattermost, scene: Scene) -> None:
    """user_updated brings the whole account; from then on only the new name is a mention."""
    name = server.name("b")
    async with server.greeted(scene.bot) as socket:
        await server.admin.put(f"/bots/{scene.bot.id}", {"username": name})
        event = await socket.event("user_updated")
        await say(scene.ada, scene.channel_id, f"@{name} hello")
        renamed = await socket.posted(f"@{name} hello")
        await say(scene.ada, scene.channel_id, f"@{scene.bot.name} hello")
        former = await socket.posted(f"@{scene.bot.name} hello")
    assert (event["data"]["user"]["id"], event["data"]["user"]["username"]) == (scene.bot.id, name)
    assert json.loads(renamed["data"]["mentions"]) == [scene.bot.id]
    assert "mentions" not in former["data"]


async def test_a_post_of_the_type_me_mentions_too(server: Mattermost, scene: Scene) -> None:
    """What `/me` makes has the type `me` and a text between asterisks."""
    text = f"*asks @{scene.bot.name} for help*"
    async with server.greeted(scene.bot) as socket:
        await say(scene.ada, scene.channel_id, text, type="me", props={"message": text.strip("*")})
        event = await socket.posted(text)
    assert post_of(event)["type"] == "me"
    assert json.loads(event["data"]["mentions"]) == [scene.bot.id]


async def test_a_new_channel_is_sent_to_its_creator(server: Mattermost, scene: Scene) -> None:
    """channel_created goes to the creator."""
    async with server.greeted(scene.ada) as socket:
        name = server.name("c")
        fields = {"team_id": scene.team_id, "name": name, "display_name": name, "type": "O"}
        channel = await scene.ada.api.post("/channels", fields)
        event = await socket.event("channel_created")
    assert event["data"] == {"channel_id": channel["id"], "team_id": scene.team_id}


async def test_a_new_user_is_sent_to_everybody(server: Mattermost, scene: Scene) -> None:
    """new_user goes to every connection of the server."""
    async with server.greeted(scene.bot) as socket:
        user = await server.user()
        assert await socket.event("new_user", user_id=user["id"])


async def test_events_of_one_channel_come_in_the_order_of_posting(server: Mattermost, scene: Scene) -> None:
    """One connection receives posts in the order in which they were made, seq rising by one."""
    async with server.greeted(scene.bot) as socket:
        for number in range(20):
            await say(scene.ada, scene.channel_id, f"in order {number}")
        frames = [await socket.posted(f"in order {number}") for number in range(20)]
    assert [frame["seq"] for frame in frames] == sorted(frame["seq"] for frame in frames)


async def test_a_large_post_arrives_in_one_frame(server: Mattermost, scene: Scene) -> None:
    """There is no limit for what the server sends: props of 250 kB come as one event."""
    server.needs(10)
    async with server.greeted(scene.bot) as socket:
        await say(scene.ada, scene.channel_id, "large", props={"filler": "x" * 250_000})
        event = await socket.posted("large")
    assert len(post_of(event)["props"]["filler"]) == 250_000
