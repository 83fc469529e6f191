"""Accounts of people: creating, finding, changing, deactivating."""

import pytest

from tests.contract.server import PASSWORD, Mattermost, Scene


async def test_an_administrator_creates_accounts(server: Mattermost) -> None:
    """The answer is 201 with role system_user, whatever roles were asked for, and no password."""
    name = server.name("u")
    fields = {
        "username": name.upper(),
        "email": f"{name}@example.test",
        "password": PASSWORD,
        "email_verified": True,
        "roles": "system_admin",
        "first_name": "Ada",
        "last_name": "Lovelace",
        "nickname": "Countess",
    }
    user = await server.user(**fields)
    assert user["username"] == name
    assert user["roles"] == "system_user"
    assert (user["first_name"], user["last_name"], user["nickname"]) == ("Ada", "Lovelace", "Countess")
    assert user["delete_at"] == 0
    assert not user.get("password")


async def test_nobody_else_creates_accounts_on_a_closed_server(server: Mattermost) -> None:
    """Without EnableOpenServer a stranger gets 403 and a person too."""
    person = await server.account()
    name = server.name("u")
    fields = {"username": name, "email": f"{name}@example.test", "password": PASSWORD}
    for api in (server.nobody, person.api):
        answer = await api.call("POST", "/users", fields)
        assert (answer.status, answer.error) == (403, "api.user.create_user.no_open_server")


async def test_names_and_addresses_are_unique(server: Mattermost) -> None:
    """A taken name or address is 400 with an id of its own, whatever its case."""
    user = await server.user()
    name = server.name("u")
    same_name = {
        "username": user["username"].upper(),
        "email": f"{name}@example.test",
        "password": PASSWORD,
    }
    same_email = {"username": name, "email": user["email"].upper(), "password": PASSWORD}
    answers = [await server.admin.call("POST", "/users", fields) for fields in (same_name, same_email)]
    assert [answer.status for answer in answers] == [400, 400]
    assert [answer.error for answer in answers] == [
        "app.user.save.username_exists.app_error",
        "app.user.save.email_exists.app_error",
    ]


async def test_a_deactivated_account_keeps_its_name(server: Mattermost) -> None:
    """It is found by name and address with delete_at, and its name stays taken."""
    user = await server.user()
    await server.admin.delete(f"/users/{user['id']}")
    by_name = await server.admin.get(f"/users/username/{user['username']}")
    by_email = await server.admin.get(f"/users/email/{user['email']}")
    assert by_name["id"] == by_email["id"] == user["id"]
    assert by_name["delete_at"] > 0
    name = server.name("u")
    fields = {"username": user["username"], "email": f"{name}@example.test", "password": PASSWORD}
    answer = await server.admin.call("POST", "/users", fields)
    assert answer.error == "app.user.save.username_exists.app_error"


@pytest.mark.parametrize("suffix", ["-", ".", "_", "0"])
async def test_names_have_letters_digits_dots_dashes_and_underscores(server: Mattermost, suffix: str) -> None:
    """They may stand anywhere in a name."""
    name = server.name("u") + suffix
    assert (await server.user(username=name))["username"] == name


@pytest.mark.parametrize(
    "name", ["all", "channel", "system", "matterbot", "with space", "ümlaut", "a" * 65, "a+b"]
)
async def test_other_names_are_refused(server: Mattermost, name: str) -> None:
    """Reserved names, other characters and more than 64 of them are 400."""
    email = f"{server.name('u')}@example.test"
    fields = {"username": name, "email": email, "password": PASSWORD}
    answer = await server.admin.call("POST", "/users", fields)
    assert (answer.status, answer.error) == (400, "model.user.is_valid.username.app_error")


async def test_an_address_is_needed(server: Mattermost) -> None:
    """It has an @ and at most 128 characters."""
    for email in ("", "nobody", f"{'a' * 120}@example.test"):
        fields = {"username": server.name("u"), "email": email, "password": PASSWORD}
        answer = await server.admin.call("POST", "/users", fields)
        assert (answer.status, answer.error) == (400, "model.user.is_valid.email.app_error"), email


async def test_a_password_is_needed_and_has_limits(server: Mattermost) -> None:
    """At least the configured length, at most 72 bytes."""
    for password, error in (("", "min"), ("a", "min"), ("Aa1!" * 19, "max")):
        name = server.name("u")
        fields = {"username": name, "email": f"{name}@example.test", "password": password}
        answer = await server.admin.call("POST", "/users", fields)
        assert answer.status == 400, password
        if server.version >= (10,):
            assert answer.error == f"model.user.is_valid.pwd_{error}_length.app_error"


async def test_names_of_people_have_64_characters(server: Mattermost) -> None:
    """first_name, last_name and nickname are 400 above that."""
    for field in ("first_name", "last_name", "nickname"):
        name = server.name("u")
        fields = {"username": name, "email": f"{name}@example.test", "password": PASSWORD, field: "x" * 65}
        answer = await server.admin.call("POST", "/users", fields)
        assert (answer.status, answer.error) == (400, f"model.user.is_valid.{field}.app_error")


async def test_many_users_are_found_at_once(server: Mattermost) -> None:
    """POST /users/ids and /users/usernames leave out what is unknown; an empty list is 400."""
    one, two = await server.user(), await server.user()
    by_id = await server.admin.post("/users/ids", [one["id"], two["id"], "a" * 26])
    by_name = await server.admin.post("/users/usernames", [one["username"], two["username"], "no-such-name"])
    for found in (by_id, by_name):
        assert {each["id"] for each in found} == {one["id"], two["id"]}
    assert (await server.admin.call("POST", "/users/ids", [])).status == 400


async def test_users_are_found_by_what_they_start_with(server: Mattermost) -> None:
    """POST /users/search finds active people by a prefix of the name."""
    user = await server.user()
    found = await server.admin.post("/users/search", {"term": user["username"][:10]})
    assert user["id"] in {each["id"] for each in found}
    await server.admin.delete(f"/users/{user['id']}")
    found = await server.admin.post("/users/search", {"term": user["username"]})
    assert not found
    found = await server.admin.post("/users/search", {"term": user["username"], "allow_inactive": True})
    assert [each["id"] for each in found] == [user["id"]]


async def test_people_can_be_listed(server: Mattermost, scene: Scene) -> None:
    """GET /users?in_team= lists the members of a team, bots included."""
    found = await server.admin.get(f"/users?in_team={scene.team_id}&per_page=200")
    assert {scene.ada.id, scene.bob.id, scene.bot.id} <= {each["id"] for each in found}
    bots = {each["id"] for each in found if each.get("is_bot")}
    assert bots == {scene.bot.id}


async def test_a_bot_is_told_from_a_person(server: Mattermost, scene: Scene) -> None:
    """is_bot is true for a bot and absent for a person."""
    assert (await scene.ada.api.get(f"/users/{scene.bot.id}"))["is_bot"] is True
    assert not (await scene.ada.api.get(f"/users/{scene.bob.id}")).get("is_bot")


async def test_an_account_can_be_patched(server: Mattermost) -> None:
    """Only what is given changes; a taken name is refused."""
    user, other = await server.user(), await server.user()
    name = server.name("u")
    patched = await server.admin.put(f"/users/{user['id']}/patch", {"username": name, "first_name": "New"})
    assert (patched["username"], patched["first_name"], patched["email"]) == (name, "New", user["email"])
    answer = await server.admin.call("PUT", f"/users/{user['id']}/patch", {"username": other["username"]})
    assert answer.status == 400
    assert (await server.admin.get(f"/users/username/{name}"))["id"] == user["id"]


async def test_people_cannot_change_others(server: Mattermost) -> None:
    """Patching, deactivating and giving roles is for administrators."""
    person, other = await server.account(), await server.user()
    path = f"/users/{other['id']}"
    answers = [
        await person.api.call("PUT", f"{path}/patch", {"first_name": "x"}),
        await person.api.call("DELETE", path),
        await person.api.call("PUT", f"{path}/active", {"active": False}),
        await person.api.call("PUT", f"{path}/roles", {"roles": "system_user"}),
    ]
    assert [answer.status for answer in answers] == [403] * 4


async def test_roles_can_be_given(server: Mattermost) -> None:
    """PUT /users/{id}/roles replaces them; an unknown role is 400."""
    user = await server.account()
    await server.admin.put(f"/users/{user.id}/roles", {"roles": "system_user system_post_all"})
    assert set((await user.api.get("/users/me"))["roles"].split()) == {"system_user", "system_post_all"}
    answer = await server.admin.call("PUT", f"/users/{user.id}/roles", {"roles": "no_such_role"})
    assert answer.status == 400


async def test_deactivation_can_be_undone(server: Mattermost) -> None:
    """Both ways exist; the account is the same afterwards, its memberships too."""
    account = await server.account()
    team = await server.team(account)
    await server.admin.put(f"/users/{account.id}/active", {"active": False})
    assert (await server.admin.get(f"/users/{account.id}"))["delete_at"] > 0
    await server.admin.put(f"/users/{account.id}/active", {"active": True})
    assert (await server.admin.get(f"/users/{account.id}"))["delete_at"] == 0
    assert [each["id"] for each in await account.api.get("/users/me/teams")] == [team["id"]]


async def test_an_unknown_user_is_404(server: Mattermost) -> None:
    """By id, name and address."""
    for path in ("/users/" + "a" * 26, "/users/username/no-such-name", "/users/email/no@example.test"):
        assert (await server.admin.call("GET", path)).status == 404, path


async def test_private_things_are_not_told(server: Mattermost) -> None:
    """Nobody sees notify_props of others, and no answer ever has a password."""
    one, other = await server.account(), await server.account()
    shown = await one.api.get(f"/users/{other.id}")
    assert not shown.get("notify_props")
    assert not shown.get("password")
    assert (await one.api.get("/users/me"))["notify_props"]


@pytest.mark.parametrize("address", ["a..b@x", "taro.@example.com", ".taro@example.com", "taro@example..com"])
async def test_an_address_that_is_none_is_refused(server: Mattermost, address: str) -> None:
    """It can neither be looked up nor given to an account."""
    found = await server.admin.call("GET", f"/users/email/{address}")
    assert (found.status, found.error) == (400, "api.context.invalid_url_param.app_error")
    fields = {"username": server.name("u"), "email": address, "password": "Sandbox-1234"}
    made = await server.admin.call("POST", "/users", fields)
    assert (made.status, made.error) == (400, "model.user.is_valid.email.app_error")
