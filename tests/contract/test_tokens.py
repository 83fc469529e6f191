"""Personal access tokens: who may make them, how long they are good."""

from tests.contract.server import PASSWORD, Mattermost


async def test_an_administrator_makes_tokens_for_anybody(server: Mattermost) -> None:
    """The answer is the only one that shows the secret; the person needs no role."""
    user = await server.user()
    token = await server.admin.post(f"/users/{user['id']}/tokens", {"description": "for the bridge"})
    assert len(token["token"]) == 26
    assert (token["user_id"], token["description"], token["is_active"]) == (
        user["id"],
        "for the bridge",
        True,
    )
    me = await server.nobody.as_(token["token"]).get("/users/me")
    assert me["id"] == user["id"]


async def test_a_secret_is_shown_once(server: Mattermost) -> None:
    """Lists and look-ups have the id and the description only."""
    account = await server.account()
    (listed,) = await server.admin.get(f"/users/{account.id}/tokens")
    found = await server.admin.get(f"/users/tokens/{listed['id']}")
    for shown in (listed, found):
        assert not shown.get("token")
        assert shown["user_id"] == account.id


async def test_a_description_is_needed(server: Mattermost) -> None:
    """Without one, or with more than 255 characters, it is 400."""
    user = await server.user()
    for description in ("", "x" * 256):
        answer = await server.admin.call("POST", f"/users/{user['id']}/tokens", {"description": description})
        assert answer.status == 400


async def test_a_person_cannot_make_tokens(server: Mattermost) -> None:
    """Not even for himself, without the role system_user_access_token."""
    account, other = await server.account(), await server.user()
    body = {"description": "mine"}
    assert (await account.api.call("POST", f"/users/{account.id}/tokens", body)).status == 403
    await server.admin.put(f"/users/{account.id}/roles", {"roles": "system_user system_user_access_token"})
    assert (await account.api.call("POST", f"/users/{account.id}/tokens", body)).status == 200
    assert (await account.api.call("POST", f"/users/{other['id']}/tokens", body)).status == 403


async def test_a_bot_that_is_an_administrator_makes_tokens_for_people(server: Mattermost) -> None:
    """It is a matter of roles, not of being a bot."""
    bot, user = await server.bot(), await server.user()
    body = {"description": "by a bot"}
    assert (await bot.api.call("POST", f"/users/{user['id']}/tokens", body)).status == 403
    await server.admin.put(f"/users/{bot.id}/roles", {"roles": "system_user system_admin"})
    token = await bot.api.post(f"/users/{user['id']}/tokens", body)
    assert (await server.nobody.as_(token["token"]).get("/users/me"))["id"] == user["id"]


async def test_tokens_of_administrators_are_made_by_administrators(server: Mattermost) -> None:
    """Whoever cannot manage the system cannot make a token of somebody who can."""
    account = await server.account()
    me = await server.admin.get("/users/me")
    await server.admin.put(f"/users/{account.id}/roles", {"roles": "system_user system_user_access_token"})
    answer = await account.api.call("POST", f"/users/{me['id']}/tokens", {"description": "x"})
    assert answer.status == 403


async def test_a_revoked_token_is_refused_at_once(server: Mattermost) -> None:
    """Also one that has been used a moment ago; a second revoke finds nothing."""
    account = await server.account()
    assert (await account.api.call("GET", "/users/me")).status == 200
    (token,) = await server.admin.get(f"/users/{account.id}/tokens")
    await server.admin.post("/users/tokens/revoke", {"token_id": token["id"]})
    assert (await account.api.call("GET", "/users/me")).status == 401
    assert await server.admin.get(f"/users/{account.id}/tokens") == []
    again = await server.admin.call("POST", "/users/tokens/revoke", {"token_id": token["id"]})
    assert 400 <= again.status < 500


async def test_a_disabled_token_can_be_enabled_again(server: Mattermost) -> None:
    """While it is disabled it is 401."""
    account = await server.account()
    (token,) = await server.admin.get(f"/users/{account.id}/tokens")
    await server.admin.post("/users/tokens/disable", {"token_id": token["id"]})
    assert (await account.api.call("GET", "/users/me")).status == 401
    assert (await server.admin.get(f"/users/tokens/{token['id']}"))["is_active"] is False
    await server.admin.post("/users/tokens/enable", {"token_id": token["id"]})
    assert (await account.api.call("GET", "/users/me")).status == 200


async def test_a_deactivated_person_s_token_is_refused_until_he_is_back(server: Mattermost) -> None:
    """The token itself is kept: after reactivation it works again."""
    account = await server.account()
    await server.admin.delete(f"/users/{account.id}")
    assert (await account.api.call("GET", "/users/me")).status == 401
    await server.admin.put(f"/users/{account.id}/active", {"active": True})
    assert (await account.api.call("GET", "/users/me")).status == 200


async def test_an_open_websocket_keeps_a_deactivated_person_s_token_good(server: Mattermost) -> None:
    """In 10.4 the event about the deactivation brings the session back; not any more in 11.6."""
    server.needs(10)
    account = await server.account()
    async with server.greeted(account) as socket:
        await socket.events(quiet=0.3)
        await server.admin.delete(f"/users/{account.id}")
        await socket.events(quiet=0.3)
        status = (await account.api.call("GET", "/users/me")).status
    assert status == (200 if server.version < (11,) else 401)


async def test_revoking_the_token_ends_it_whatever_else_is_open(server: Mattermost) -> None:
    """Deactivated and revoked, nothing is left, websocket or not."""
    account = await server.account()
    async with server.greeted(account) as socket:
        (token,) = await server.admin.get(f"/users/{account.id}/tokens")
        await server.admin.delete(f"/users/{account.id}")
        await server.admin.post("/users/tokens/revoke", {"token_id": token["id"]})
        await socket.events(quiet=0.3)
        assert (await account.api.call("GET", "/users/me")).status == 401
        if server.version >= (10,):
            assert (await socket.ask("ping"))["status"] == "FAIL"


async def test_revoking_sessions_does_not_end_tokens(server: Mattermost) -> None:
    """The next use of the token starts a session again."""
    account = await server.account()
    assert (await account.api.call("GET", "/users/me")).status == 200
    await server.admin.post(f"/users/{account.id}/sessions/revoke/all")
    assert (await account.api.call("GET", "/users/me")).status == 200


async def test_there_is_no_limit_of_tokens(server: Mattermost) -> None:
    """A person may have several, all good; lists come in pages."""
    account = await server.account()
    for number in range(4):
        await server.admin.post(f"/users/{account.id}/tokens", {"description": str(number)})
    assert len(await server.admin.get(f"/users/{account.id}/tokens")) == 5
    assert len(await server.admin.get(f"/users/{account.id}/tokens?per_page=2&page=2")) == 1


async def test_tokens_of_people_can_be_switched_off(server: Mattermost) -> None:
    """Without EnableUserAccessTokens creation is 501 and use is 401; those of bots go on working."""
    admin = await server.user()
    await server.admin.put(f"/users/{admin['id']}/roles", {"roles": "system_user system_admin"})
    person, bot = await server.account(), await server.bot()
    login = await server.nobody.call(
        "POST", "/users/login", {"login_id": admin["username"], "password": PASSWORD}
    )
    session = server.nobody.as_(login.headers["Token"])
    async with server.configured_by(session, ServiceSettings={"EnableUserAccessTokens": False}):
        create = await session.call("POST", f"/users/{person.id}/tokens", {"description": "x"})
        uses = [(await each.api.call("GET", "/users/me")).status for each in (person, bot)]
    assert (create.status, create.error) == (501, "app.user_access_token.disabled")
    assert uses == [401, 200]
    assert (await person.api.call("GET", "/users/me")).status == 200
