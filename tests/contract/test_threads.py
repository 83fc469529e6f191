"""Reading threads, whole and in pages."""

from typing import Any

from tests.contract.server import Mattermost, Scene, next_millisecond


async def thread_of(scene: Scene, replies: int) -> list[dict[str, Any]]:
    """Create a thread; the root comes first."""
    root = await scene.ada.api.post("/posts", {"channel_id": scene.channel_id, "message": "root"})
    posts = [root]
    for number in range(replies):
        await next_millisecond()
        fields = {"channel_id": scene.channel_id, "root_id": root["id"], "message": str(number)}
        posts.append(await scene.bob.api.post("/posts", fields))
    return posts


async def test_a_thread_has_its_root_and_all_replies(server: Mattermost, scene: Scene) -> None:
    """Any post of a thread names it."""
    posts = await thread_of(scene, 3)
    for post in posts:
        found = await scene.bot.api.get(f"/posts/{post['id']}/thread")
        assert set(found["posts"]) == {each["id"] for each in posts}
        assert set(found["order"]) == {each["id"] for each in posts}


async def test_deleted_replies_are_left_out(server: Mattermost, scene: Scene) -> None:
    """A thread shows what is there now."""
    root, first, second = await thread_of(scene, 2)
    await scene.bob.api.delete(f"/posts/{first['id']}")
    found = await scene.bot.api.get(f"/posts/{root['id']}/thread")
    assert set(found["posts"]) == {root["id"], second["id"]}


async def test_a_thread_can_be_read_in_pages_downwards(server: Mattermost, scene: Scene) -> None:
    """direction=down with perPage, fromCreateAt and fromPost goes from old to new; has_next tells of more."""
    server.needs(7)
    root, *replies = await thread_of(scene, 5)
    path = f"/posts/{root['id']}/thread?perPage=2&direction=down"
    seen: list[str] = []
    position = ""
    for _ in range(4):
        found = await scene.bot.api.get(path + position)
        page = sorted(
            (post for post in found["posts"].values() if post["root_id"]),
            key=lambda post: (post["create_at"], post["id"]),
        )
        seen += [post["message"] for post in page]
        if not found["has_next"]:
            break
        position = f"&fromCreateAt={page[-1]['create_at']}&fromPost={page[-1]['id']}"
    assert seen == [post["message"] for post in replies]


async def test_the_root_comes_with_every_page(server: Mattermost, scene: Scene) -> None:
    """A page of a thread holds the root beside its replies."""
    server.needs(7)
    root, first, *_ = await thread_of(scene, 3)
    position = f"&fromCreateAt={first['create_at']}&fromPost={first['id']}"
    found = await scene.bot.api.get(f"/posts/{root['id']}/thread?perPage=1&direction=down{position}")
    assert root["id"] in found["posts"]


async def test_impossible_pages_are_400(server: Mattermost, scene: Scene) -> None:
    """fromPost needs fromCreateAt; a direction is up or down; perPage is at most 200."""
    server.needs(7)
    root, *_ = await thread_of(scene, 1)
    for query in (f"fromPost={root['id']}", "direction=left", "perPage=201"):
        answer = await scene.bot.api.call("GET", f"/posts/{root['id']}/thread?{query}")
        assert answer.status == 400, query


async def test_an_unknown_thread_is_404(server: Mattermost, scene: Scene) -> None:
    """So is that of a deleted post."""
    (root,) = await thread_of(scene, 0)
    await scene.ada.api.delete(f"/posts/{root['id']}")
    for post_id in ("a" * 26, root["id"]):
        assert (await scene.bot.api.call("GET", f"/posts/{post_id}/thread")).status == 404
