"""Creating the same post twice: pending_post_id makes it one, for 30 seconds and in one server's memory."""

import asyncio

from tests.contract.server import Mattermost, Scene


async def test_the_same_pending_id_gives_the_same_post(server: Mattermost, scene: Scene) -> None:
    """A second create within 30 s is answered 201 with the first post, whatever else it says."""
    fields = {"channel_id": scene.channel_id, "message": "once", "pending_post_id": server.name("p")}
    first = await scene.bot.api.call("POST", "/posts", fields)
    second = await scene.bot.api.call("POST", "/posts", {**fields, "message": "twice"})
    assert (first.status, second.status) == (201, 201)
    assert second.body["id"] == first.body["id"]
    assert second.body["message"] == "once"


async def test_without_a_pending_id_there_are_two(server: Mattermost, scene: Scene) -> None:
    """An empty id is no id."""
    fields = {"channel_id": scene.channel_id, "message": "twice", "pending_post_id": ""}
    ids = {(await scene.bot.api.post("/posts", fields))["id"] for _ in range(2)}
    assert len(ids) == 2


async def test_the_id_is_told_once_and_not_stored(server: Mattermost, scene: Scene) -> None:
    """The answer to the create has it, a later read has not."""
    pending = server.name("p")
    fields = {"channel_id": scene.channel_id, "message": "x", "pending_post_id": pending}
    post = await scene.bot.api.post("/posts", fields)
    assert post["pending_post_id"] == pending
    assert (await scene.bot.api.get(f"/posts/{post['id']}"))["pending_post_id"] == ""


async def test_a_failure_frees_the_id(server: Mattermost, scene: Scene) -> None:
    """A create that was refused does not use up its id."""
    pending = server.name("p")
    fields = {"channel_id": scene.channel_id, "message": "x" * 16_384, "pending_post_id": pending}
    assert (await scene.bot.api.call("POST", "/posts", fields)).status == 400
    assert (await scene.bot.api.call("POST", "/posts", {**fields, "message": "x"})).status == 201


async def test_many_at_once_make_one_post(server: Mattermost, scene: Scene) -> None:
    """While the first is running the others get 500 pending or, after it, the same post."""
    pending = server.name("p")
    fields = {"channel_id": scene.channel_id, "message": "raced", "pending_post_id": pending}
    answers = await asyncio.gather(*(scene.bot.api.call("POST", "/posts", fields) for _ in range(10)))
    created = {answer.body["id"] for answer in answers if answer.status == 201}
    errors = {answer.error for answer in answers if answer.status != 201}
    assert len(created) == 1
    assert errors <= {"api.post.deduplicate_create_post.pending"}
    assert {answer.status for answer in answers} <= {201, 500}
    shown = await scene.bot.api.get(f"/channels/{scene.channel_id}/posts")
    assert [post["message"] for post in shown["posts"].values()].count("raced") == 1
