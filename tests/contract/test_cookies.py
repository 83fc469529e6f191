"""Signing in with a password, cookies, and the CSRF rule."""

from collections.abc import Mapping

from tests.contract.client import Answer
from tests.contract.server import PASSWORD, Mattermost, Scene

XHR = {"X-Requested-With": "XMLHttpRequest"}


async def login(
    server: Mattermost, name: str, password: str = PASSWORD, headers: Mapping[str, str] = XHR
) -> Answer:
    return await server.nobody.call(
        "POST", "/users/login", {"login_id": name, "password": password}, headers=headers
    )


def cookie(**values: str) -> dict[str, str]:
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in values.items())}


async def test_login_sets_three_cookies(server: Mattermost) -> None:
    """MMAUTHTOKEN is HttpOnly, MMUSERID and MMCSRF can be read by scripts; none is Secure over http."""
    user = await server.user()
    answer = await login(server, user["username"])
    assert answer.body["id"] == user["id"]
    assert set(answer.cookies) == {"MMAUTHTOKEN", "MMUSERID", "MMCSRF"}
    assert answer.cookies["MMAUTHTOKEN"].value == answer.headers["Token"]
    assert answer.cookies["MMUSERID"].value == user["id"]
    assert [bool(answer.cookies[name]["httponly"]) for name in ("MMAUTHTOKEN", "MMUSERID", "MMCSRF")] == [
        True,
        False,
        False,
    ]
    for each in answer.cookies.values():
        assert each["path"] == "/"
        assert not each["secure"]
        assert not each["samesite"]
        assert int(each["max-age"]) > 0


async def test_login_without_x_requested_with_sets_none(server: Mattermost) -> None:
    """Other clients get the token in the header `Token` only."""
    user = await server.user()
    answer = await login(server, user["username"], headers={})
    assert not answer.cookies
    me = await server.nobody.as_(answer.headers["Token"]).get("/users/me")
    assert me["id"] == user["id"]


async def test_login_works_by_email_and_by_id(server: Mattermost) -> None:
    """login_id is a name or an e-mail; id is the id."""
    user = await server.user()
    assert (await login(server, user["email"])).status == 200
    by_id = {"id": user["id"], "password": PASSWORD}
    assert (await server.nobody.call("POST", "/users/login", by_id)).status == 200


async def test_cookies_are_secure_behind_https(server: Mattermost) -> None:
    """X-Forwarded-Proto: https makes them Secure; SameSite still is absent."""
    user = await server.user()
    answer = await login(server, user["username"], headers={**XHR, "X-Forwarded-Proto": "https"})
    assert all(each["secure"] for each in answer.cookies.values())
    assert not any(each["samesite"] for each in answer.cookies.values())


async def test_embedded_cookies_are_samesite_none(server: Mattermost) -> None:
    """A login over https that carries MMEMBED=1 gets SameSite=None."""
    server.needs(10)
    user = await server.user()
    headers = {**XHR, "X-Forwarded-Proto": "https", **cookie(MMEMBED="1")}
    answer = await login(server, user["username"], headers=headers)
    assert {each["samesite"] for each in answer.cookies.values()} == {"None"}


async def test_a_wrong_password_and_an_unknown_name_look_the_same(server: Mattermost) -> None:
    """Both are 401 with one id."""
    user = await server.user()
    wrong = await login(server, user["username"], "Wrong-Password-1")
    unknown = await login(server, server.name("nobody"))
    expected = (401, "api.user.login.invalid_credentials_email_username")
    assert (wrong.status, wrong.error) == (unknown.status, unknown.error) == expected


async def test_a_bot_cannot_log_in(server: Mattermost) -> None:
    """Bots have no password."""
    bot = await server.bot()
    answer = await login(server, bot.name)
    assert (answer.status, answer.error) == (401, "api.user.login.bot_login_forbidden.app_error")


async def test_a_deactivated_person_cannot_log_in(server: Mattermost) -> None:
    """Deactivation closes the door for passwords too."""
    user = await server.user()
    await server.admin.delete(f"/users/{user['id']}")
    answer = await login(server, user["username"])
    assert (answer.status, answer.error) == (401, "api.user.login.inactive.app_error")


async def test_logout_ends_the_session(server: Mattermost) -> None:
    """The token of a login is no longer good afterwards."""
    user = await server.user()
    session = server.nobody.as_((await login(server, user["username"])).headers["Token"])
    await session.post("/users/logout")
    assert (await session.call("GET", "/users/me")).status == 401


async def test_logout_does_not_end_a_personal_access_token(server: Mattermost) -> None:
    """It ends the session, and the next use starts another."""
    account = await server.account()
    await account.api.post("/users/logout")
    assert (await account.api.get("/users/me"))["id"] == account.id


async def test_the_cookie_beats_the_header(server: Mattermost) -> None:
    """With both, the account of the cookie is who asks."""
    one, other = await server.account(), await server.account()
    answer = await one.api.call("GET", "/users/me", headers=cookie(MMAUTHTOKEN=other.token))
    assert answer.body["id"] == other.id


async def post_with(server: Mattermost, scene: Scene, headers: Mapping[str, str]) -> Answer:
    fields = {"channel_id": scene.channel_id, "message": "by cookie"}
    return await server.nobody.call("POST", "/posts", fields, headers=headers)


async def test_a_session_cookie_alone_may_read_but_not_write(server: Mattermost, scene: Scene) -> None:
    """Without a CSRF header a request that changes something is 401."""
    session = (await login(server, scene.ada.name)).cookies
    headers = cookie(MMAUTHTOKEN=session["MMAUTHTOKEN"].value)
    assert (await server.nobody.call("GET", "/users/me", headers=headers)).status == 200
    answer = await post_with(server, scene, headers)
    assert (answer.status, answer.error) == (401, "api.context.session_expired.app_error")


async def test_a_session_cookie_with_its_csrf_token_may_write(server: Mattermost, scene: Scene) -> None:
    """X-CSRF-Token must be the value of MMCSRF."""
    session = (await login(server, scene.ada.name)).cookies
    headers = cookie(MMAUTHTOKEN=session["MMAUTHTOKEN"].value)
    good = {**headers, "X-CSRF-Token": session["MMCSRF"].value}
    assert (await post_with(server, scene, good)).status == 201
    bad = {**headers, "X-CSRF-Token": "a" * 26}
    assert (await post_with(server, scene, bad)).status == 401


async def test_a_session_cookie_with_x_requested_with_may_write(server: Mattermost, scene: Scene) -> None:
    """XMLHttpRequest passes instead, unless the strict setting is on."""
    session = (await login(server, scene.ada.name)).cookies
    headers = {**cookie(MMAUTHTOKEN=session["MMAUTHTOKEN"].value), **XHR}
    assert (await post_with(server, scene, headers)).status == 201


async def test_an_access_token_as_a_cookie_has_no_csrf_protection(server: Mattermost, scene: Scene) -> None:
    """Its session has no CSRF token, so a write without any header passes; a wrong token does not."""
    headers = cookie(MMAUTHTOKEN=scene.ada.token)
    assert (await post_with(server, scene, headers)).status == 201
    wrong = {**headers, "X-CSRF-Token": "a" * 26}
    assert (await post_with(server, scene, wrong)).status == 401
