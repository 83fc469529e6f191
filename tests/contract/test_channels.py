"""Channels: names, archive, lists."""

from typing import Any

import pytest

from tests.contract.client import Answer
from tests.contract.server import Mattermost, Scene


async def create(server: Mattermost, team_id: str, name: str, **fields: Any) -> Answer:
    given = {"team_id": team_id, "name": name, "display_name": "A channel", "type": "O", **fields}
    return await server.admin.call("POST", "/channels", given)


async def test_a_channel_is_created_with_201(server: Mattermost, scene: Scene) -> None:
    """Its creator is its first member and admin."""
    name = server.name("c")
    answer = await create(server, scene.team_id, name, header="h", purpose="p")
    channel = answer.body
    assert answer.status == 201
    assert (channel["name"], channel["display_name"], channel["type"]) == (name, "A channel", "O")
    assert (channel["header"], channel["purpose"], channel["team_id"]) == ("h", "p", scene.team_id)
    assert (channel["delete_at"], channel["last_post_at"]) == (0, channel["last_post_at"])
    me = await server.admin.get("/users/me")
    member = await server.admin.get(f"/channels/{channel['id']}/members/{me['id']}")
    assert member["scheme_admin"] is True


async def test_the_name_of_an_archived_channel_stays_taken(server: Mattermost, scene: Scene) -> None:
    """A taken name is 400; include_deleted finds the archived channel by it."""
    channel = await server.channel(scene.team_id)
    again = await create(server, scene.team_id, channel["name"])
    assert (again.status, again.error) == (400, "store.sql_channel.save_channel.exists.app_error")
    await server.admin.delete(f"/channels/{channel['id']}")
    assert (await create(server, scene.team_id, channel["name"])).status == 400
    path = f"/teams/{scene.team_id}/channels/name/{channel['name']}"
    missing = await server.admin.call("GET", path)
    assert (missing.status, missing.error) == (404, "app.channel.get_by_name.missing.app_error")
    found = await server.admin.get(path + "?include_deleted=true")
    assert found["id"] == channel["id"]
    assert found["delete_at"] > 0


async def test_the_same_name_may_stand_in_two_teams(server: Mattermost, scene: Scene) -> None:
    """Names are unique in a team."""
    other = await server.team()
    name = server.name("c")
    assert (await create(server, scene.team_id, name)).status == 201
    assert (await create(server, other["id"], name)).status == 201


@pytest.mark.parametrize("name", ["", "-a", "_a", "A b", "ümlaut", "a.b", "a!"])
async def test_other_characters_are_refused(server: Mattermost, scene: Scene, name: str) -> None:
    """Lower-case letters, digits, dashes and underscores, beginning with one of the former two."""
    answer = await create(server, scene.team_id, name)
    assert answer.status == 400


async def test_names_shaped_like_direct_channels_are_refused(server: Mattermost, scene: Scene) -> None:
    """Two ids with __ between them, or 40 hexadecimal digits."""
    server.needs(10)
    for name in (f"{scene.ada.id}__{scene.bob.id}", "a" * 40):
        answer = await create(server, scene.team_id, name)
        assert answer.status == 400, name


async def test_lengths_are_limited(server: Mattermost, scene: Scene) -> None:
    """64 characters for display_name, 1024 for header, 250 for purpose."""
    for field, longest in (("display_name", 64), ("header", 1024), ("purpose", 250)):
        fits = await create(server, scene.team_id, server.name("c"), **{field: "x" * longest})
        exceeds = await create(server, scene.team_id, server.name("c"), **{field: "x" * (longest + 1)})
        assert (fits.status, exceeds.status) == (201, 400), field
        assert exceeds.error == f"model.channel.is_valid.{field}.app_error"


async def test_a_display_name_and_a_team_are_needed(server: Mattermost, scene: Scene) -> None:
    """Both missing are 400."""
    server.needs(10)
    assert (await create(server, scene.team_id, server.name("c"), display_name="")).status == 400
    assert (await create(server, "", server.name("c"))).status == 400


async def test_a_channel_can_be_patched(server: Mattermost, scene: Scene) -> None:
    """Also its name; only what is given changes."""
    channel = await server.channel(scene.team_id)
    name = server.name("c")
    patched = await server.admin.put(f"/channels/{channel['id']}/patch", {"name": name, "header": "new"})
    assert (patched["name"], patched["header"]) == (name, "new")
    assert patched["display_name"] == channel["display_name"]
    assert (await server.admin.get(f"/teams/{scene.team_id}/channels/name/{name}"))["id"] == channel["id"]


async def test_an_archived_channel_can_be_restored(server: Mattermost, scene: Scene) -> None:
    """Its members and posts were there all the time."""
    channel = await server.channel(scene.team_id, scene.ada)
    await server.admin.delete(f"/channels/{channel['id']}")
    assert (await server.admin.get(f"/channels/{channel['id']}"))["delete_at"] > 0
    await server.admin.post(f"/channels/{channel['id']}/restore")
    assert (await server.admin.get(f"/channels/{channel['id']}"))["delete_at"] == 0
    fields = {"channel_id": channel["id"], "message": "back"}
    assert (await scene.ada.api.call("POST", "/posts", fields)).status == 201


async def test_the_channels_of_a_team_are_its_open_ones(server: Mattermost, scene: Scene) -> None:
    """Private and archived ones are not in the list."""
    private = await server.channel(scene.team_id, kind="P")
    archived = await server.channel(scene.team_id)
    await server.admin.delete(f"/channels/{archived['id']}")
    listed = {each["id"] for each in await scene.ada.api.get(f"/teams/{scene.team_id}/channels?per_page=200")}
    assert scene.channel_id in listed
    assert not {private["id"], archived["id"]} & listed
    deleted = await server.admin.get(f"/teams/{scene.team_id}/channels/deleted")
    assert archived["id"] in {each["id"] for each in deleted}


async def test_a_channel_is_found_by_the_names_of_team_and_channel(server: Mattermost, scene: Scene) -> None:
    """/teams/name/{team}/channels/name/{channel}."""
    path = f"/teams/name/{scene.team_name}/channels/name/town-square"
    assert (await scene.ada.api.get(path))["team_id"] == scene.team_id


async def test_a_private_channel_does_not_exist_for_others(server: Mattermost, scene: Scene) -> None:
    """By name it is 404, by id 403."""
    private = await server.channel(scene.team_id, scene.ada, kind="P")
    by_name = await scene.bob.api.call("GET", f"/teams/{scene.team_id}/channels/name/{private['name']}")
    by_id = await scene.bob.api.call("GET", f"/channels/{private['id']}")
    assert (by_name.status, by_id.status) == (404, 403)


async def test_a_direct_channel_is_made_once(server: Mattermost, scene: Scene) -> None:
    """The same two people get the same channel; its name has both ids in order."""
    first = await scene.ada.api.post("/channels/direct", [scene.ada.id, scene.bob.id])
    second = await scene.bob.api.post("/channels/direct", [scene.bob.id, scene.ada.id])
    assert first["id"] == second["id"]
    assert first["name"] == "__".join(sorted((scene.ada.id, scene.bob.id)))
    assert (first["type"], first["team_id"]) == ("D", "")


async def test_an_unknown_channel_is_404(server: Mattermost, scene: Scene) -> None:
    """By id and by name."""
    by_id = await server.admin.call("GET", "/channels/" + "a" * 26)
    by_name = await server.admin.call("GET", f"/teams/{scene.team_id}/channels/name/no-such-channel")
    assert (by_id.status, by_name.status) == (404, 404)


async def test_a_change_of_how_it_is_shown_is_posted(server: Mattermost, scene: Scene) -> None:
    """Display name and purpose each in the editor's name; its deletion leaves nothing of it."""
    channel = await server.channel(scene.team_id)
    path = f"/channels/{channel['id']}"
    await server.admin.put(f"{path}/patch", {"display_name": "Cap Table", "purpose": "Shares"})
    posts = (await server.admin.get(f"{path}/posts"))["posts"].values()
    reported = {post["type"]: post for post in posts if post["type"].endswith("_change")}
    assert set(reported) == {"system_displayname_change", "system_purpose_change"}
    assert reported["system_displayname_change"]["props"]["new_displayname"] == "Cap Table"
    assert reported["system_purpose_change"]["props"]["new_purpose"] == "Shares"
    for post in reported.values():
        await server.admin.delete(f"/posts/{post['id']}")
    left = (await server.admin.get(f"{path}/posts"))["posts"].values()
    assert not [post for post in left if post["type"].endswith("_change")]


async def test_an_archived_channel_cannot_be_renamed(server: Mattermost, scene: Scene) -> None:
    """It has to be restored first."""
    channel = await server.channel(scene.team_id)
    await server.admin.delete(f"/channels/{channel['id']}")
    path = f"/channels/{channel['id']}/patch"
    refused = await server.admin.call("PUT", path, {"name": server.name("c")})
    assert (refused.status, refused.error) == (400, "app.channel.update.bad_id")


async def test_the_creator_of_a_channel_need_not_be_in_its_team(server: Mattermost) -> None:
    """An administrator who is in no team becomes a member of the channel alone, and can leave it."""
    team = await server.team()
    me = await server.admin.get("/users/me")
    await server.admin.delete(f"/teams/{team['id']}/members/{me['id']}")
    channel = await server.channel(team["id"])
    listed = await server.admin.get(f"/users/{me['id']}/teams/{team['id']}/channels")
    assert channel["id"] in {each["id"] for each in listed}
    await server.admin.delete(f"/channels/{channel['id']}/members/{me['id']}")
    after = await server.admin.call("GET", f"/users/{me['id']}/teams/{team['id']}/channels")
    assert after.status == 404 or channel["id"] not in {each["id"] for each in after.body}
    again = await server.admin.call("DELETE", f"/channels/{channel['id']}/members/{me['id']}")
    assert (again.status, again.error) == (404, "app.channel.get_member.missing.app_error")
