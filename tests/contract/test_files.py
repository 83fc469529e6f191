"""Files: how they are uploaded, attached to a post, described and read."""

from typing import Any
from urllib.parse import urlencode

import pytest

from tests.contract.client import post_of
from tests.contract.server import Account, Mattermost, Scene

TABLE = b"holder,shares\nAda,100\n"


def path_of(channel_id: str, name: str) -> str:
    return f"/files?{urlencode({'channel_id': channel_id, 'filename': name})}"


async def uploaded(account: Account, channel_id: str, name: str = "table.csv", data: bytes = TABLE) -> str:
    """Upload a file as a bare body, and return its id."""
    answer = await account.api.post(path_of(channel_id, name), data)
    (info,) = answer["file_infos"]
    return str(info["id"])


async def posted(account: Account, channel_id: str, *file_ids: str, **fields: Any) -> dict[str, Any]:
    draft = {"channel_id": channel_id, "message": "see", "file_ids": list(file_ids), **fields}
    post: dict[str, Any] = await account.api.post("/posts", draft)
    return post


async def test_a_bare_body_is_a_file(server: Mattermost, scene: Scene) -> None:
    """Its channel and its name are in the query; of a path only the end is kept."""
    answer = await scene.ada.api.call("POST", path_of(scene.channel_id, "a/ü b.csv"), TABLE)
    (info,) = answer.body["file_infos"]
    assert answer.status == 201
    assert (info["name"], info["extension"], info["size"]) == ("ü b.csv", "csv", len(TABLE))
    assert info["mime_type"].startswith("text/csv")
    assert (info["user_id"], info["channel_id"], info.get("post_id", "")) == (
        scene.ada.id,
        scene.channel_id,
        "",
    )


async def test_an_uploaded_file_is_attached_by_its_id(server: Mattermost, scene: Scene) -> None:
    """The post, its event, its thread and a list of its files all describe it."""
    file_id = await uploaded(scene.ada, scene.channel_id)
    async with server.greeted(scene.bot) as socket:
        post = await posted(scene.ada, scene.channel_id, file_id)
        frame = await socket.posted("see")
    assert frame["data"]["otherFile"] == "true"
    thread = await scene.bot.api.get(f"/posts/{post['id']}/thread")
    for shown in (post, post_of(frame), thread["posts"][post["id"]]):
        assert shown["file_ids"] == [file_id]
        (info,) = shown["metadata"]["files"]
        assert (info["id"], info["name"], info["size"]) == (file_id, "table.csv", len(TABLE))
        assert (info["post_id"], info["channel_id"]) == (post["id"], scene.channel_id)
    (listed,) = await scene.bot.api.get(f"/posts/{post['id']}/files/info")
    assert (listed["id"], listed["post_id"], listed["size"]) == (file_id, post["id"], len(TABLE))
    plain = await scene.ada.api.post("/posts", {"channel_id": scene.channel_id, "message": "none"})
    assert not plain.get("file_ids")
    assert await scene.bot.api.get(f"/posts/{plain['id']}/files/info") == []


async def test_a_file_is_read_by_members_of_its_channel(server: Mattermost, scene: Scene) -> None:
    """And by nobody else, whoever knows its id."""
    channel = await server.channel(scene.team_id, scene.ada, scene.bot, kind="P")
    file_id = await uploaded(scene.ada, channel["id"])
    await posted(scene.ada, channel["id"], file_id)
    for path in (f"/files/{file_id}", f"/files/{file_id}/info"):
        assert (await scene.bot.api.call("GET", path)).status == 200
        assert (await scene.bob.api.call("GET", path)).error == "api.context.permissions.app_error"
    answer = await scene.bot.api.call("GET", f"/files/{file_id}")
    assert (answer.body, answer.headers["Content-Length"]) == (TABLE.decode(), str(len(TABLE)))


async def test_a_file_goes_with_its_post(server: Mattermost, scene: Scene) -> None:
    """What was deleted can be read by nobody."""
    file_id = await uploaded(scene.ada, scene.channel_id)
    post = await posted(scene.ada, scene.channel_id, file_id)
    await scene.ada.api.delete(f"/posts/{post['id']}")
    gone = await scene.bot.api.call("GET", f"/files/{file_id}")
    assert (gone.status, gone.error) == (404, "app.file_info.get.app_error")
    listed = await scene.bot.api.call("GET", f"/posts/{post['id']}/files/info")
    assert (listed.status, listed.error) == (404, "app.post.get.app_error")


async def test_a_file_belongs_to_one_post_of_its_author(server: Mattermost, scene: Scene) -> None:
    """Any other id is dropped without a word, and the post is made all the same, even an empty one."""
    mine, yours = [await uploaded(each, scene.channel_id) for each in (scene.ada, scene.bob)]
    await posted(scene.ada, scene.channel_id, mine)
    for file_ids in ([mine], [yours], ["a" * 26]):
        post = await posted(scene.ada, scene.channel_id, *file_ids, message="")
        assert post.get("file_ids") is None


async def test_a_post_has_ten_files_at_most(server: Mattermost, scene: Scene) -> None:
    """Eleven are 400."""
    draft = {"channel_id": scene.channel_id, "message": "x", "file_ids": [f"{n:026d}" for n in range(11)]}
    answer = await scene.ada.api.call("POST", "/posts", draft)
    assert (answer.status, answer.error) == (400, "model.post.is_valid.file_ids.app_error")


async def test_a_file_may_be_too_large_or_not_allowed(server: Mattermost, scene: Scene) -> None:
    """413 for more bytes than MaxFileSize, 403 where files are switched off or the channel is foreign."""
    config = (await server.admin.get("/config"))["FileSettings"]
    try:
        await server.admin.put("/config/patch", {"FileSettings": {"MaxFileSize": 1000}})
        large = await scene.ada.api.call("POST", path_of(scene.channel_id, "large"), b"x" * 1001)
        assert (await scene.ada.api.get("/config/client?format=old"))["MaxFileSize"] == "1000"
        await server.admin.put("/config/patch", {"FileSettings": {"EnableFileAttachments": False}})
        off = await scene.ada.api.call("POST", path_of(scene.channel_id, "off"), TABLE)
    finally:
        kept = {name: config[name] for name in ("MaxFileSize", "EnableFileAttachments")}
        await server.admin.put("/config/patch", {"FileSettings": kept})
    assert (large.status, large.error) == (413, "api.file.upload_file.too_large_detailed.app_error")
    assert (off.status, off.error) == (403, "api.file.attachments.disabled.app_error")
    stranger = await server.account()
    foreign = await stranger.api.call("POST", path_of(scene.channel_id, "foreign"), TABLE)
    assert (foreign.status, foreign.error) == (403, "api.context.permissions.app_error")


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("filename=x", "api.context.invalid_url_param.app_error"),
        ("channel_id={}", "api.context.invalid_url_param.app_error"),
        ("channel_id={}&filename=" + "x" * 300, "api.file.write_file.app_error"),
    ],
)
async def test_an_upload_names_its_channel_and_a_short_name(
    server: Mattermost, scene: Scene, query: str, error: str
) -> None:
    """A name of more than 255 bytes is a fault of the server's own."""
    answer = await scene.ada.api.call("POST", f"/files?{query.format(scene.channel_id)}", TABLE)
    assert answer.error == error
