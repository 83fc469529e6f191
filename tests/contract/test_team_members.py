"""Who is in a team: one by one, in batches, and out again."""

from typing import Any

from tests.contract.server import Account, Mattermost


def rows(team: dict[str, Any], *accounts: Account) -> list[dict[str, str]]:
    return [{"team_id": team["id"], "user_id": each.id} for each in accounts]


async def test_adding_is_201_and_may_be_repeated(server: Mattermost) -> None:
    """The second time the same membership is answered."""
    account, team = await server.account(), await server.team()
    for _ in range(2):
        answer = await server.admin.call("POST", f"/teams/{team['id']}/members", rows(team, account)[0])
        assert answer.status == 201
        assert (answer.body["user_id"], answer.body["delete_at"]) == (account.id, 0)


async def test_a_batch_adds_many(server: Mattermost) -> None:
    """Members already there count as added."""
    one, two = await server.account(), await server.account()
    team = await server.team(one)
    members = await server.admin.post(f"/teams/{team['id']}/members/batch", rows(team, one, two))
    assert [each["user_id"] for each in members] == [one.id, two.id]


async def test_a_batch_has_at_most_256_rows(server: Mattermost) -> None:
    """257 are 400, none too."""
    team = await server.team()
    many = [{"team_id": team["id"], "user_id": f"{number:026d}"} for number in range(257)]
    for batch in (many, []):
        answer = await server.admin.call("POST", f"/teams/{team['id']}/members/batch", batch)
        assert answer.status == 400


async def test_a_batch_of_256_reaches_the_users(server: Mattermost) -> None:
    """256 rows pass the limit; an unknown user among them makes it 404."""
    team = await server.team()
    many = [{"team_id": team["id"], "user_id": f"{number:026d}"} for number in range(256)]
    answer = await server.admin.call("POST", f"/teams/{team['id']}/members/batch", many)
    assert answer.status == 404


async def test_a_graceful_batch_has_a_verdict_for_each(server: Mattermost) -> None:
    """Whoever cannot be added has an error in his row, and the others are added."""
    server.needs(10)
    one, two = await server.account(), await server.account()
    team = await server.team()
    unknown = {"team_id": team["id"], "user_id": "a" * 26}
    batch = [*rows(team, one), unknown, *rows(team, two)]
    answer = await server.admin.call("POST", f"/teams/{team['id']}/members/batch?graceful=true", batch)
    assert answer.status == 201
    assert [row["user_id"] for row in answer.body] == [one.id, "a" * 26, two.id]
    assert answer.body[1]["error"]["id"] == "app.user.missing_account.const"
    assert [bool(row["error"]) for row in answer.body] == [False, True, False]
    assert [bool(row["member"]) for row in answer.body] == [True, False, True]


async def test_the_limit_of_a_team_counts_everybody(server: Mattermost) -> None:
    """MaxUsersPerTeam is an error in the batch and for one; bots and the creator count."""
    server.needs(10)
    one, two, bot = await server.account(), await server.account(), await server.bot()
    async with server.configured(TeamSettings={"MaxUsersPerTeam": 3}):
        team = await server.team(one, bot)
        path = f"/teams/{team['id']}/members"
        alone = await server.admin.call("POST", path, rows(team, two)[0])
        batch = await server.admin.call("POST", f"{path}/batch?graceful=true", rows(team, two))
    expected = "app.team.join_user_to_team.save_member.max_accounts.app_error"
    assert (alone.status, alone.error) == (400, expected)
    assert (batch.status, batch.body[0]["error"]["id"]) == (201, expected)


async def test_coming_back_into_a_full_team_is_another_error(server: Mattermost) -> None:
    """Somebody who was a member before gets max_accounts without save_member."""
    server.needs(10)
    one = await server.account()
    team = await server.team(one)
    await server.admin.delete(f"/teams/{team['id']}/members/{one.id}")
    async with server.configured(TeamSettings={"MaxUsersPerTeam": 1}):
        answer = await server.admin.call("POST", f"/teams/{team['id']}/members", rows(team, one)[0])
    assert (answer.status, answer.error) == (400, "app.team.join_user_to_team.max_accounts.app_error")


async def test_removing_takes_out_of_all_channels(server: Mattermost) -> None:
    """The membership stays with delete_at, the channels go; coming back starts with the default ones."""
    account = await server.account()
    team = await server.team(account)
    channel = await server.channel(team["id"], account)
    await server.admin.delete(f"/teams/{team['id']}/members/{account.id}")
    member = await server.admin.get(f"/teams/{team['id']}/members/{account.id}")
    assert member["delete_at"] > 0
    assert await account.api.get("/users/me/teams") == []
    gone = await server.admin.call("GET", f"/channels/{channel['id']}/members/{account.id}")
    assert gone.status == 404
    await server.admin.post(f"/teams/{team['id']}/members", rows(team, account)[0])
    mine = await account.api.get(f"/users/me/teams/{team['id']}/channels")
    assert {each["name"] for each in mine if each["team_id"]} == {"town-square", "off-topic"}


async def test_removing_may_be_repeated(server: Mattermost) -> None:
    """A former member is removed again without an error, and town-square is told again; a stranger is 400."""
    account, stranger = await server.account(), await server.account()
    team = await server.team(account)
    for _ in range(2):
        await server.admin.delete(f"/teams/{team['id']}/members/{account.id}")
    town = await server.admin.get(f"/teams/{team['id']}/channels/name/town-square")
    shown = await server.admin.get(f"/channels/{town['id']}/posts")
    kinds = [post["type"] for post in shown["posts"].values()]
    assert kinds.count("system_remove_from_team") == 2
    answer = await server.admin.call("DELETE", f"/teams/{team['id']}/members/{stranger.id}")
    assert (answer.status, answer.error) == (400, "api.team.remove_user_from_team.missing.app_error")


async def test_a_deactivated_account_can_be_put_into_a_team(server: Mattermost) -> None:
    """Nothing stops it, in a batch or alone."""
    account = await server.account()
    await server.admin.delete(f"/users/{account.id}")
    team = await server.team()
    (row,) = rows(team, account)
    batch = await server.admin.call("POST", f"/teams/{team['id']}/members/batch", [row])
    other = await server.team()
    (row,) = rows(other, account)
    alone = await server.admin.call("POST", f"/teams/{other['id']}/members", row)
    assert (batch.status, alone.status) == (201, 201)


async def test_members_can_be_listed_and_looked_up(server: Mattermost) -> None:
    """The list has the present members only; so has the look-up of many."""
    one, two, out = await server.account(), await server.account(), await server.account()
    team = await server.team(one, two, out)
    await server.admin.delete(f"/teams/{team['id']}/members/{out.id}")
    listed = {each["user_id"] for each in await server.admin.get(f"/teams/{team['id']}/members?per_page=200")}
    assert {one.id, two.id} <= listed
    assert out.id not in listed
    ids = [one.id, out.id, "a" * 26]
    found = await server.admin.post(f"/teams/{team['id']}/members/ids", ids)
    assert [each["user_id"] for each in found] == [one.id]


async def test_pages_of_members_do_not_overlap(server: Mattermost) -> None:
    """Paging to the end gives everybody once."""
    accounts = [await server.account() for _ in range(3)]
    team = await server.team(*accounts)
    seen: list[str] = []
    for page in range(5):
        path = f"/teams/{team['id']}/members?per_page=1&page={page}"
        seen += [each["user_id"] for each in await server.admin.get(path)]
    assert len(seen) == len(set(seen)) == 4


async def test_memberships_of_a_user_include_ended_ones(server: Mattermost) -> None:
    """GET /users/{id}/teams/members has delete_at for teams that were left."""
    account = await server.account()
    team, left = await server.team(account), await server.team(account)
    await server.admin.delete(f"/teams/{left['id']}/members/{account.id}")
    found = {each["team_id"]: each for each in await account.api.get("/users/me/teams/members")}
    assert found[team["id"]]["delete_at"] == 0
    assert left["id"] not in found or found[left["id"]]["delete_at"] > 0


async def test_an_unknown_user_is_404(server: Mattermost) -> None:
    """One at a time and in a batch that is not graceful."""
    team = await server.team()
    row = {"team_id": team["id"], "user_id": "a" * 26}
    one = await server.admin.call("POST", f"/teams/{team['id']}/members", row)
    many = await server.admin.call("POST", f"/teams/{team['id']}/members/batch", [row])
    assert (one.status, many.status) == (404, 404)


async def test_a_member_can_be_made_team_admin(server: Mattermost) -> None:
    """schemeRoles sets it."""
    account = await server.account()
    team = await server.team(account)
    path = f"/teams/{team['id']}/members/{account.id}"
    await server.admin.put(f"{path}/schemeRoles", {"scheme_user": True, "scheme_admin": True})
    assert (await server.admin.get(path))["scheme_admin"] is True
