"""Who is in a channel."""

from tests.contract.server import Mattermost, Scene


async def test_one_is_added_with_201(server: Mattermost, scene: Scene) -> None:
    """user_id answers with the membership, a repeat too."""
    channel = await server.channel(scene.team_id)
    for _ in range(2):
        answer = await server.admin.call(
            "POST", f"/channels/{channel['id']}/members", {"user_id": scene.ada.id}
        )
        assert (answer.status, answer.body["user_id"]) == (201, scene.ada.id)


async def test_many_are_added_at_once(server: Mattermost, scene: Scene) -> None:
    """user_ids answers with a list; who is there already is in it, who cannot be added is not."""
    server.needs(10)
    outsider = await server.account()
    channel = await server.channel(scene.team_id, scene.ada)
    ids = [scene.ada.id, outsider.id, scene.bob.id]
    answer = await server.admin.call("POST", f"/channels/{channel['id']}/members", {"user_ids": ids})
    assert answer.status == 201
    assert [each["user_id"] for each in answer.body] == [scene.ada.id, scene.bob.id]


async def test_it_is_an_error_if_nobody_was_added(server: Mattermost, scene: Scene) -> None:
    """One outsider alone is refused: a member of a channel is a member of its team."""
    server.needs(10)
    outsider = await server.account()
    channel = await server.channel(scene.team_id)
    answer = await server.admin.call(
        "POST", f"/channels/{channel['id']}/members", {"user_ids": [outsider.id]}
    )
    assert (answer.status, answer.error) == (404, "app.team.get_member.missing.app_error")


async def test_at_most_1000_at_once(server: Mattermost, scene: Scene) -> None:
    """1001 ids are 400."""
    server.needs(10)
    ids = [f"{number:026d}" for number in range(1001)]
    path = f"/channels/{scene.channel_id}/members"
    assert (await server.admin.call("POST", path, {"user_ids": ids})).status == 400


async def test_a_deactivated_user_cannot_be_added(server: Mattermost, scene: Scene) -> None:
    """He is refused although he is in the team."""
    server.needs(10)
    channel = await server.channel(scene.team_id)
    await server.admin.delete(f"/users/{scene.ada.id}")
    answer = await server.admin.call("POST", f"/channels/{channel['id']}/members", {"user_id": scene.ada.id})
    assert answer.status in (400, 403)


async def test_removing_is_told_by_the_list(server: Mattermost, scene: Scene) -> None:
    """A removed member is not listed, and removing again is 404."""
    path = f"/channels/{scene.channel_id}/members"
    await server.admin.delete(f"{path}/{scene.ada.id}")
    listed = {each["user_id"] for each in await server.admin.get(f"{path}?per_page=200")}
    assert scene.ada.id not in listed
    assert {scene.bob.id, scene.bot.id} <= listed
    assert (await server.admin.call("GET", f"{path}/{scene.ada.id}")).status == 404


async def test_members_can_be_looked_up_at_once(server: Mattermost, scene: Scene) -> None:
    """POST …/members/ids gives those who are in the channel."""
    found = await server.admin.post(
        f"/channels/{scene.channel_id}/members/ids", [scene.ada.id, scene.bot.id, "a" * 26]
    )
    assert {each["user_id"] for each in found} == {scene.ada.id, scene.bot.id}


async def test_team_members_may_join_an_open_channel(server: Mattermost, scene: Scene) -> None:
    """A person adds himself to an open channel of his team, not to a private one."""
    open_one = await server.channel(scene.team_id)
    private = await server.channel(scene.team_id, kind="P")
    mine = {"user_id": scene.ada.id}
    assert (await scene.ada.api.call("POST", f"/channels/{open_one['id']}/members", mine)).status == 201
    assert (await scene.ada.api.call("POST", f"/channels/{private['id']}/members", mine)).status == 403


async def test_the_channels_of_a_user_in_a_team_can_be_listed(server: Mattermost, scene: Scene) -> None:
    """GET /users/{id}/teams/{team}/channels holds the default ones and those that he was added to."""
    found = await scene.bot.api.get(f"/users/me/teams/{scene.team_id}/channels")
    in_team = {each["name"] for each in found if each["team_id"] == scene.team_id}
    assert {"town-square", "off-topic"} < in_team
    assert scene.channel_id in {each["id"] for each in found}
