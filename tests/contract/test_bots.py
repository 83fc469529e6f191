"""Bot accounts."""

from tests.contract.server import Mattermost, Scene


async def test_a_bot_is_created_with_201(server: Mattermost) -> None:
    """It belongs to its creator and is a user with role system_user and an address of its own."""
    name = server.name("b")
    fields = {"username": name, "display_name": "Equabot", "description": "answers"}
    answer = await server.admin.call("POST", "/bots", fields)
    bot = answer.body
    me = await server.admin.get("/users/me")
    assert answer.status == 201
    assert (bot["username"], bot["display_name"], bot["description"]) == (name, "Equabot", "answers")
    assert (bot["owner_id"], bot["delete_at"]) == (me["id"], 0)
    user = await server.admin.get(f"/users/{bot['user_id']}")
    assert (user["email"], user["roles"], user["is_bot"]) == (f"{name}@localhost", "system_user", True)


async def test_a_taken_name_is_refused(server: Mattermost) -> None:
    """Names of people and bots are one space."""
    user = await server.user()
    answer = await server.admin.call("POST", "/bots", {"username": user["username"]})
    assert (answer.status, answer.error) == (400, "app.user.save.username_exists.app_error")


async def test_the_owner_hears_of_his_bot(server: Mattermost) -> None:
    """The new bot writes to its creator directly."""
    bot = await server.bot()
    me = await server.admin.get("/users/me")
    channel = await server.admin.post("/channels/direct", [me["id"], bot.id])
    shown = await server.admin.get(f"/channels/{channel['id']}/posts")
    assert {post["user_id"] for post in shown["posts"].values()} == {bot.id}


async def test_neither_people_nor_bots_create_bots(server: Mattermost) -> None:
    """A person lacks the permission; a bot may not even as an administrator."""
    person, bot = await server.account(), await server.bot()
    await server.admin.put(f"/users/{bot.id}/roles", {"roles": "system_user system_admin"})
    for api in (person.api, bot.api):
        answer = await api.call("POST", "/bots", {"username": server.name("b")})
        assert answer.status == 403


async def test_bots_can_be_switched_off(server: Mattermost) -> None:
    """Without EnableBotAccountCreation creating one is 403."""
    async with server.configured(ServiceSettings={"EnableBotAccountCreation": False}):
        answer = await server.admin.call("POST", "/bots", {"username": server.name("b")})
    assert (answer.status, answer.error) == (403, "api.bot.create_disabled")


async def test_a_disabled_bot_is_deactivated(server: Mattermost) -> None:
    """Its token is 401 and delete_at is set on both halves; enabling undoes it."""
    bot = await server.bot()
    disabled = await server.admin.post(f"/bots/{bot.id}/disable")
    assert disabled["delete_at"] > 0
    assert (await server.admin.get(f"/users/{bot.id}"))["delete_at"] > 0
    assert (await bot.api.call("GET", "/users/me")).status == 401
    missing = await server.admin.call("GET", f"/bots/{bot.id}")
    assert missing.status == 404
    assert (await server.admin.get(f"/bots/{bot.id}?include_deleted=true"))["user_id"] == bot.id
    await server.admin.post(f"/bots/{bot.id}/enable")
    assert (await bot.api.call("GET", "/users/me")).status == 200


async def test_bots_can_be_listed(server: Mattermost) -> None:
    """All of them, in pages; disabled ones on demand."""
    bot, gone = await server.bot(), await server.bot()
    await server.admin.post(f"/bots/{gone.id}/disable")

    async def listed(query: str) -> set[str]:
        found: set[str] = set()
        for page in range(20):
            rows = await server.admin.get(f"/bots?per_page=200&page={page}{query}")
            found |= {each["user_id"] for each in rows}
            if len(rows) < 200:
                break
        return found

    assert bot.id in await listed("")
    assert gone.id not in await listed("")
    assert gone.id in await listed("&include_deleted=true")


async def test_a_bot_can_be_shown_under_another_name(server: Mattermost) -> None:
    """PUT /bots/{id} changes display name and description."""
    bot = await server.bot()
    changed = await server.admin.put(f"/bots/{bot.id}", {"display_name": "Equa Platform"})
    assert (changed["display_name"], changed["username"]) == ("Equa Platform", bot.name)


async def test_disabling_the_owner_disables_his_bots(server: Mattermost) -> None:
    """DisableBotsWhenOwnerIsDeactivated is on by default."""
    owner = await server.account()
    await server.admin.put(f"/users/{owner.id}/roles", {"roles": "system_user system_admin"})
    bot = await owner.api.post("/bots", {"username": server.name("b")})
    token = await owner.api.post(f"/users/{bot['user_id']}/tokens", {"description": "x"})
    await server.admin.delete(f"/users/{owner.id}")
    assert (await server.admin.get(f"/users/{bot['user_id']}"))["delete_at"] > 0
    assert (await server.nobody.as_(token["token"]).call("GET", "/users/me")).status == 401


async def test_bots_are_members_like_people(server: Mattermost, scene: Scene) -> None:
    """A bot is put into the default channels of a team and counts as a member."""
    mine = await scene.bot.api.get(f"/users/me/teams/{scene.team_id}/channels")
    assert {"town-square", "off-topic"} <= {each["name"] for each in mine}
