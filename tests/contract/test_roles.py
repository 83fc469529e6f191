"""Roles, the configuration and the limits, as administrators see them."""

from tests.contract.server import Mattermost

ISOLATION = {
    "system_user": {
        "list_public_teams",
        "join_public_teams",
        "view_members",
        "create_team",
        "create_direct_channel",
    },
    "team_user": {"view_team", "join_public_channels", "read_public_channel", "add_user_to_team"},
    "channel_user": {"create_post", "read_channel", "edit_post"},
    "system_post_all": {"create_post"},
    "system_user_access_token": {"create_user_access_token", "revoke_user_access_token"},
}


async def test_default_permissions(server: Mattermost) -> None:
    """What the roles hold that setup changes or relies on."""
    roles = {each["name"]: each for each in await server.admin.post("/roles/names", list(ISOLATION))}
    assert set(roles) == set(ISOLATION)
    for name, permissions in ISOLATION.items():
        assert permissions <= set(roles[name]["permissions"]), name
    assert "view_members" not in roles["team_user"]["permissions"]


async def test_unknown_roles_are_left_out(server: Mattermost) -> None:
    """POST /roles/names answers with those that exist."""
    found = await server.admin.post("/roles/names", ["system_user", "no_such_role"])
    assert [each["name"] for each in found] == ["system_user"]


async def test_a_role_is_found_by_name_and_by_id(server: Mattermost) -> None:
    """Both give the same role; an unknown one is 404."""
    by_name = await server.admin.get("/roles/name/team_user")
    assert (await server.admin.get(f"/roles/{by_name['id']}"))["name"] == "team_user"
    assert (await server.admin.call("GET", "/roles/name/no_such_role")).status in (404, 500)


async def test_a_patch_replaces_the_permissions(server: Mattermost) -> None:
    """The list given is the list afterwards."""
    server.needs(10)
    role = await server.admin.get("/roles/name/team_user")
    wanted = [*role["permissions"], "view_members"]
    async with server.permitted("team_user", wanted):
        now = await server.admin.get("/roles/name/team_user")
    assert set(now["permissions"]) == set(wanted)
    assert set((await server.admin.get("/roles/name/team_user"))["permissions"]) == set(role["permissions"])


async def test_people_change_neither_roles_nor_settings(server: Mattermost) -> None:
    """Both are 403, and the configuration cannot even be read."""
    person = await server.account()
    role = await server.admin.get("/roles/name/team_user")
    patch = {"permissions": role["permissions"]}
    answers = [
        await person.api.call("PUT", f"/roles/{role['id']}/patch", patch),
        await person.api.call("GET", "/config"),
        await person.api.call("PUT", "/config/patch", {"TeamSettings": {"MaxUsersPerTeam": 1}}),
    ]
    assert [answer.status for answer in answers] == [403, 403, 403]


async def test_settings_can_be_read_and_patched(server: Mattermost) -> None:
    """A patch changes what it names and ignores names that do not exist."""
    before = (await server.admin.get("/config"))["TeamSettings"]["MaxUsersPerTeam"]
    async with server.configured(TeamSettings={"MaxUsersPerTeam": before + 1}):
        changed = await server.admin.get("/config")
        assert changed["TeamSettings"]["MaxUsersPerTeam"] == before + 1
        await server.admin.put("/config/patch", {"TeamSettings": {"NoSuchSetting": True}})
    after = await server.admin.get("/config")
    assert after["TeamSettings"]["MaxUsersPerTeam"] == before
    assert "NoSuchSetting" not in after["TeamSettings"]


async def test_limits_are_told_to_administrators(server: Mattermost) -> None:
    """How many people are active and how many may be; others see zeros, before 11 a 403."""
    server.needs(10)
    person = await server.account()
    limits = await server.admin.get("/limits/server")
    assert limits["activeUserCount"] >= 1
    assert limits["maxUsersLimit"] > 0
    answer = await person.api.call("GET", "/limits/server")
    if server.version < (11,):
        assert answer.status == 403
    else:
        assert (answer.body["activeUserCount"], answer.body["maxUsersLimit"]) == (0, 0)


async def test_bots_and_the_deactivated_do_not_count(server: Mattermost) -> None:
    """The limit is for active people."""
    server.needs(10)
    before = (await server.admin.get("/limits/server"))["activeUserCount"]
    await server.bot()
    user = await server.user()
    with_person = (await server.admin.get("/limits/server"))["activeUserCount"]
    await server.admin.delete(f"/users/{user['id']}")
    after = (await server.admin.get("/limits/server"))["activeUserCount"]
    assert (with_person, after) == (before + 1, before)
