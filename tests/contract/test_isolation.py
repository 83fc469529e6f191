"""Everybody sees everybody until the roles are changed."""

from tests.contract.server import Account, Mattermost

SYSTEM_USER = ["create_direct_channel", "create_group_channel"]


async def two_teams(server: Mattermost) -> tuple[Account, Account, Account]:
    """Return two people of one team and one of another."""
    ada, bob, eve = await server.account(), await server.account(), await server.account()
    await server.team(ada, bob)
    await server.team(eve)
    return ada, bob, eve


async def test_people_see_each_other_by_default(server: Mattermost) -> None:
    """system_user has view_members: a person finds, and can write to, somebody of another team."""
    ada, _, eve = await two_teams(server)
    assert (await ada.api.get(f"/users/{eve.id}"))["id"] == eve.id
    assert (await ada.api.call("POST", "/channels/direct", [ada.id, eve.id])).status == 201


async def test_without_view_members_people_see_their_teams_only(server: Mattermost) -> None:
    """Taken from system_user and given to team_user, it hides everybody outside one's teams."""
    server.needs(10)
    ada, bob, eve = await two_teams(server)
    team_user = (await server.admin.get("/roles/name/team_user"))["permissions"]
    async with (
        server.permitted("system_user", SYSTEM_USER),
        server.permitted("team_user", [*team_user, "view_members"]),
    ):
        assert (await ada.api.call("GET", f"/users/{bob.id}")).status == 200
        assert (await ada.api.call("GET", f"/users/username/{bob.name}")).status == 200
        for path in (f"/users/{eve.id}", f"/users/username/{eve.name}", "/users/username/nobody-at-all"):
            answer = await ada.api.call("GET", path)
            assert (answer.status, answer.error) == (403, "api.context.permissions.app_error"), path
        found = await ada.api.post("/users/ids", [bob.id, eve.id])
        assert [each["id"] for each in found] == [bob.id]
        listed = {each["id"] for each in await ada.api.get("/users?per_page=200")}
        assert bob.id in listed
        assert eve.id not in listed
        assert (await ada.api.call("POST", "/channels/direct", [ada.id, eve.id])).status == 403
        assert (await ada.api.call("POST", "/channels/direct", [ada.id, bob.id])).status == 201


async def test_without_their_permissions_people_neither_list_nor_create_teams(server: Mattermost) -> None:
    """list_public_teams, join_public_teams and create_team can be taken away."""
    server.needs(10)
    ada, *_ = await two_teams(server)
    name = server.name()
    fields = {"name": name, "display_name": name, "type": "O"}
    async with server.permitted("system_user", SYSTEM_USER):
        create = await ada.api.call("POST", "/teams", fields)
        listed = await ada.api.call("GET", "/teams")
    assert (create.status, create.error) == (403, "api.team.is_team_creation_allowed.disabled.app_error")
    assert listed.status == 403


async def test_a_closed_team_cannot_be_looked_at_from_outside(server: Mattermost) -> None:
    """Neither the team nor its members nor its channels."""
    ada, *_ = await two_teams(server)
    other = await server.team()
    for path in ("", "/members", "/channels"):
        assert (await ada.api.call("GET", f"/teams/{other['id']}{path}")).status == 403, path
    assert (await ada.api.call("GET", f"/teams/name/{other['name']}")).status == 403


async def test_a_closed_team_cannot_be_joined(server: Mattermost) -> None:
    """A person cannot add himself to a team that is not open."""
    ada, *_ = await two_teams(server)
    other = await server.team()
    row = {"team_id": other["id"], "user_id": ada.id}
    assert (await ada.api.call("POST", f"/teams/{other['id']}/members", row)).status == 403
