"""Reading a channel from a position on: what the bridge does after it was away."""

from typing import Any

from tests.contract.server import Account, Mattermost, Scene, next_millisecond


async def say(account: Account, channel_id: str, count: int, **fields: Any) -> list[dict[str, Any]]:
    """Post `count` messages, oldest first, each in a millisecond of its own."""
    posts = []
    for number in range(count):
        draft = {"channel_id": channel_id, "message": str(number), **fields}
        posts.append(await account.api.post("/posts?set_online=false", draft))
        await next_millisecond()
    return posts


def ids(posts: list[dict[str, Any]]) -> list[str]:
    return [post["id"] for post in posts]


async def test_a_page_is_newest_first(server: Mattermost, scene: Scene) -> None:
    """`order` names the newest first; page 1 goes on where page 0 ended."""
    posts = await say(scene.ada, scene.channel_id, 5)
    path = f"/channels/{scene.channel_id}/posts?per_page=2"
    first = await scene.bot.api.get(path)
    second = await scene.bot.api.get(path + "&page=1")
    newest = ids(posts)[::-1]
    assert first["order"] == newest[:2]
    assert second["order"] == newest[2:4]
    assert set(first["order"]) <= set(first["posts"])


async def test_after_gives_the_oldest_chunk_first(server: Mattermost, scene: Scene) -> None:
    """Chunks go from old to new, each chunk newest first, the last one shorter than asked."""
    posts = await say(scene.ada, scene.channel_id, 6)
    path = f"/channels/{scene.channel_id}/posts?after={posts[0]['id']}&per_page=2"
    pages = [(await scene.bot.api.get(f"{path}&page={page}"))["order"] for page in range(4)]
    wanted = ids(posts)
    assert pages == [[wanted[2], wanted[1]], [wanted[4], wanted[3]], [wanted[5]], []]


async def test_before_gives_what_came_earlier(server: Mattermost, scene: Scene) -> None:
    """Newest first, beginning right before the anchor."""
    posts = await say(scene.ada, scene.channel_id, 5)
    path = f"/channels/{scene.channel_id}/posts?before={posts[3]['id']}&per_page=2"
    assert (await scene.bot.api.get(path))["order"] == [posts[2]["id"], posts[1]["id"]]
    assert (await scene.bot.api.get(f"{path}&page=1"))["order"][0] == posts[0]["id"]


async def test_an_unknown_anchor_gives_nothing(server: Mattermost, scene: Scene) -> None:
    """Without an error: an empty list with status 200."""
    await say(scene.ada, scene.channel_id, 2)
    path = f"/channels/{scene.channel_id}/posts?after={'a' * 26}"
    assert (await scene.bot.api.get(path))["order"] == []


async def test_a_deleted_anchor_still_works(server: Mattermost, scene: Scene) -> None:
    """A deleted post keeps its row and its place."""
    posts = await say(scene.ada, scene.channel_id, 3)
    await scene.ada.api.delete(f"/posts/{posts[0]['id']}")
    path = f"/channels/{scene.channel_id}/posts?after={posts[0]['id']}"
    assert (await scene.bot.api.get(path))["order"] == ids(posts[1:])[::-1]


async def test_deleted_posts_are_left_out(server: Mattermost, scene: Scene) -> None:
    """Neither a page nor `after` shows them."""
    posts = await say(scene.ada, scene.channel_id, 3)
    await scene.ada.api.delete(f"/posts/{posts[1]['id']}")
    path = f"/channels/{scene.channel_id}/posts?after={posts[0]['id']}"
    assert (await scene.bot.api.get(path))["order"] == [posts[2]["id"]]


async def test_posts_of_the_same_millisecond_as_the_anchor_are_skipped(
    server: Mattermost, scene: Scene
) -> None:
    """`after` compares times, not positions: whoever catches up must overlap and drop repeats."""
    time = 1_600_000_000_000
    twins = [
        await server.admin.post(
            "/posts", {"channel_id": scene.channel_id, "message": str(number), "create_at": time}
        )
        for number in range(2)
    ]
    fields = {"channel_id": scene.channel_id, "message": "later", "create_at": time + 1}
    later = await server.admin.post("/posts", fields)
    for anchor in twins:
        path = f"/channels/{scene.channel_id}/posts?after={anchor['id']}"
        order = (await scene.bot.api.get(path))["order"]
        assert order[-1] == later["id"]
        assert not {twin["id"] for twin in twins} & set(order)


async def test_replies_come_with_their_thread_unless_skipped(server: Mattermost, scene: Scene) -> None:
    """`posts` also holds roots and other replies; skipFetchThreads leaves out the other replies."""
    root, *_ = await say(scene.ada, scene.channel_id, 1)
    first, second = await say(scene.ada, scene.channel_id, 2, root_id=root["id"])
    path = f"/channels/{scene.channel_id}/posts?after={first['id']}"
    whole = await scene.bot.api.get(path)
    assert whole["order"] == [second["id"]]
    assert set(whole["posts"]) == {root["id"], first["id"], second["id"]}
    alone = await scene.bot.api.get(path + "&skipFetchThreads=true")
    assert alone["order"] == [second["id"]]
    assert first["id"] not in alone["posts"]


async def test_since_tells_of_edits_and_deletions_too(server: Mattermost, scene: Scene) -> None:
    """It compares update_at, and deleted posts come with delete_at."""
    posts = await say(scene.ada, scene.channel_id, 3)
    await scene.ada.api.put(f"/posts/{posts[0]['id']}/patch", {"message": "edited"})
    await scene.ada.api.delete(f"/posts/{posts[1]['id']}")
    path = f"/channels/{scene.channel_id}/posts?since={posts[2]['create_at'] - 1}"
    found = (await scene.bot.api.get(path))["posts"]
    assert {posts[0]["id"], posts[1]["id"], posts[2]["id"]} <= set(found)
    assert found[posts[1]["id"]]["delete_at"] > 0
    assert found[posts[0]["id"]]["message"] == "edited"


async def test_cursors_name_the_neighbours(server: Mattermost, scene: Scene) -> None:
    """next_post_id is newer, prev_post_id is older; both empty at the ends."""
    posts = await say(scene.ada, scene.channel_id, 5)
    path = f"/channels/{scene.channel_id}/posts?per_page=2"
    newest = await scene.bot.api.get(path)
    assert (newest["next_post_id"], newest["prev_post_id"]) == ("", posts[2]["id"])
    after = await scene.bot.api.get(f"{path}&after={posts[0]['id']}")
    assert (after["next_post_id"], after["prev_post_id"]) == (posts[3]["id"], posts[0]["id"])


async def test_bad_positions_are_400(server: Mattermost, scene: Scene) -> None:
    """An anchor that is no id, or a time that is no number."""
    for query in ("after=x", "before=x", "since=x"):
        answer = await scene.bot.api.call("GET", f"/channels/{scene.channel_id}/posts?{query}")
        assert answer.status == 400, query


async def test_my_channels_tell_when_something_was_posted(server: Mattermost, scene: Scene) -> None:
    """/users/me/channels lists all channels, direct ones included, with last_post_at."""
    server.needs(7)
    direct = await scene.ada.api.post("/channels/direct", [scene.ada.id, scene.bot.id])
    *_, last = await say(scene.ada, scene.channel_id, 2)
    mine = {channel["id"]: channel for channel in await scene.bot.api.get("/users/me/channels")}
    assert mine[scene.channel_id]["last_post_at"] == last["create_at"]
    assert mine[scene.channel_id]["team_id"] == scene.team_id
    assert (mine[direct["id"]]["type"], mine[direct["id"]]["team_id"]) == ("D", "")


async def test_my_channels_leave_out_the_archived(server: Mattermost, scene: Scene) -> None:
    """An archived channel is not listed."""
    server.needs(7)
    channel = await server.channel(scene.team_id, scene.bot)
    await server.admin.delete(f"/channels/{channel['id']}")
    mine = {each["id"] for each in await scene.bot.api.get("/users/me/channels")}
    assert scene.channel_id in mine
    assert channel["id"] not in mine


async def test_my_channels_may_hold_those_of_an_archived_team(server: Mattermost, scene: Scene) -> None:
    """Until 11 the channels of an archived team go on being listed."""
    server.needs(7)
    team = await server.team(scene.bot)
    town = await server.admin.get(f"/teams/{team['id']}/channels/name/town-square")
    await server.admin.delete(f"/teams/{team['id']}")
    mine = {each["id"] for each in await scene.bot.api.get("/users/me/channels")}
    assert (town["id"] in mine) == (server.version < (11,))


async def test_nobody_without_a_channel_gets_json(server: Mattermost) -> None:
    """The list is streamed: for a user with no channel `[` is written before the error."""
    server.needs(7)
    account = await server.account()
    answer = await account.api.call("GET", "/users/me/channels")
    assert answer.status == 404
    assert isinstance(answer.body, str)
    assert answer.body.startswith("[{")


async def test_administrators_read_any_channel(server: Mattermost, scene: Scene) -> None:
    """A system administrator needs no membership."""
    channel = await scene.ada.api.post(
        "/channels", {"team_id": scene.team_id, "name": server.name("c"), "display_name": "x", "type": "P"}
    )
    await say(scene.ada, channel["id"], 1)
    assert (await server.admin.call("GET", f"/channels/{channel['id']}/posts")).status == 200
    assert (await scene.bob.api.call("GET", f"/channels/{channel['id']}/posts")).status == 403


async def test_a_reply_bumps_its_root(server: Mattermost, scene: Scene) -> None:
    """The root's update_at and reply_count change; its edit_at does not."""
    server.needs(7)
    root, *_ = await say(scene.ada, scene.channel_id, 1)
    fields = {"channel_id": scene.channel_id, "message": "r", "root_id": root["id"]}
    reply = await scene.bob.api.post("/posts", fields)
    now = await scene.ada.api.get(f"/posts/{root['id']}")
    assert now["update_at"] >= reply["create_at"]
    assert (now["reply_count"], now["edit_at"]) == (1, 0)
