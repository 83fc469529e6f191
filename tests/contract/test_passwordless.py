"""Accounts that another service is to know: nobody signs in to them with a password, or gets one by mail."""

from secrets import randbelow
from typing import Any

import pytest

from tests.contract.client import Answer
from tests.contract.server import PASSWORD, Account, Mattermost

QUIET = {
    "email": "false",
    "push": "mention",
    "desktop": "mention",
    "desktop_sound": "true",
    "mention_keys": "",
    "channel": "true",
    "push_status": "online",
    "comments": "never",
    "first_name": "false",
    "desktop_threads": "all",
    "email_threads": "all",
    "push_threads": "all",
}


def fields_of(server: Mattermost, **changed: Any) -> dict[str, Any]:
    name = server.name("u")
    return {
        "username": name,
        "email": f"{name}@example.test",
        "password": "",
        "email_verified": True,
        "auth_service": "equa",
        "auth_data": server.name("mark"),
        **changed,
    }


async def person_of(server: Mattermost, **changed: Any) -> tuple[dict[str, Any], Account]:
    """Return somebody with such an account, as it was created and with a token."""
    fields = fields_of(server, **changed)
    return fields, await server.account(**fields)


async def patched(server: Mattermost, account: Account, **changed: Any) -> Answer:
    return await server.admin.call("PUT", f"/users/{account.id}/patch", changed)


async def test_an_administrator_creates_them_without_a_password(server: Mattermost) -> None:
    """They are found like all others, and only administrators see which service it is."""
    fields, account = await person_of(server)
    other = await server.account()
    for path in (
        f"/users/{account.id}",
        f"/users/username/{account.name}",
        f"/users/email/{fields['email']}",
    ):
        found = await server.admin.get(path)
        assert (found["id"], found["auth_service"]) == (account.id, "equa")
        seen = await other.api.get(path)
        assert not seen["auth_service"]
        assert not seen["auth_data"]


async def test_a_password_and_another_service_exclude_each_other(server: Mattermost) -> None:
    """400 with an id of its own; without a service a password is needed."""
    both = await server.admin.call("POST", "/users", fields_of(server, password=PASSWORD))
    assert (both.status, both.error) == (400, "model.user.is_valid.auth_data_pwd.app_error")
    neither = await server.admin.call("POST", "/users", fields_of(server, auth_service=""))
    assert neither.status == 400


async def test_of_what_is_taken_the_name_is_told_first(server: Mattermost) -> None:
    """A taken auth_data is a 500 that tells nothing, before the address is looked at."""
    fields, _ = await person_of(server)
    fresh = fields_of(server)
    email = {key: fresh[key] for key in ("username", "auth_data")}
    answers = [
        await server.admin.call("POST", "/users", {**fields, **changed})
        for changed in ({}, {"email": fresh["email"]}, {"username": fresh["username"]}, email)
    ]
    assert [(answer.status, answer.error) for answer in answers] == [
        (400, "app.user.save.username_exists.app_error"),
        (400, "app.user.save.username_exists.app_error"),
        (500, "app.user.save.app_error"),
        (400, "app.user.save.email_exists.app_error"),
    ]


@pytest.mark.parametrize("password", ["x", PASSWORD])
async def test_no_password_signs_in(server: Mattermost, password: str) -> None:
    """It looks as if it were wrong; an empty one is refused for everybody."""
    fields, account = await person_of(server)
    for name in (account.name, fields["email"]):
        body = {"login_id": name, "password": password}
        answer = await server.nobody.call("POST", "/users/login", body)
        assert (answer.status, answer.error) == (401, "api.user.login.invalid_credentials_email_username")
    blank = await server.nobody.call("POST", "/users/login", {"login_id": account.name, "password": ""})
    assert blank.status == 400


async def test_no_link_to_reset_a_password_is_sent(server: Mattermost) -> None:
    """Whoever reads the mail of the address gets nothing by it."""
    fields, _ = await person_of(server)
    answer = await server.nobody.call("POST", "/users/password/reset/send", {"email": fields["email"]})
    assert (answer.status, answer.error) == (400, "api.user.send_password_reset.sso.app_error")
    unknown = await server.nobody.call("POST", "/users/password/reset/send", {"email": "no@example.test"})
    assert unknown.status == 200


async def test_the_person_sets_no_password_and_no_address(server: Mattermost) -> None:
    """Both would need the password that there is not."""
    _, account = await person_of(server)
    body = {"current_password": PASSWORD, "new_password": PASSWORD + "!"}
    answer = await account.api.call("PUT", f"/users/{account.id}/password", body)
    assert (answer.status, answer.error) == (400, "api.user.update_password.oauth.app_error")
    email = f"{server.name('u')}@example.test"
    answer = await account.api.call("PUT", "/users/me/patch", {"email": email})
    assert (answer.status, answer.error) == (400, "api.context.invalid_body_param.app_error")
    for password in ("", PASSWORD):
        body = {"email": email, "password": password}
        answer = await account.api.call("PUT", "/users/me/patch", body)
        assert (answer.status, answer.error) == (401, "api.user.check_user_password.invalid.app_error")


async def test_nobody_else_makes_it_one_with_a_password(server: Mattermost) -> None:
    """Whatever they know of it."""
    fields, account = await person_of(server)
    other = await server.account()
    switch = {
        "current_service": "gitlab",
        "new_service": "email",
        "email": fields["email"],
        "new_password": PASSWORD,
    }
    answers = [
        await server.nobody.call("POST", "/users/login/switch", switch),
        await other.api.call("POST", "/users/login/switch", switch),
        await other.api.call("PUT", f"/users/{account.id}/auth", {"auth_service": "x", "auth_data": "y"}),
        await account.api.call("PUT", f"/users/{account.id}/auth", {"auth_service": "x", "auth_data": "y"}),
        await other.api.call("POST", f"/users/{account.id}/email/verify/member"),
        await account.api.call("POST", f"/users/{account.id}/email/verify/member"),
    ]
    assert [answer.status for answer in answers] == [401, 403, 403, 403, 403, 403]
    reverse = {"current_service": "email", "new_service": "gitlab", "email": fields["email"], "password": ""}
    assert (await server.nobody.call("POST", "/users/login/switch", reverse)).status == 401
    assert (await server.admin.get(f"/users/{account.id}"))["auth_service"] == "equa"


async def test_without_sign_up_nor_does_the_person(server: Mattermost) -> None:
    """EnableSignUpWithEmail=false closes it in 10.4; 11.x does so anyway, 5.37 never."""
    server.needs(10)
    fields, account = await person_of(server)
    switch = {
        "current_service": "gitlab",
        "new_service": "email",
        "email": fields["email"],
        "new_password": PASSWORD,
    }
    async with server.configured(EmailSettings={"EnableSignUpWithEmail": False}):
        answer = await account.api.call("POST", "/users/login/switch", switch)
        await server.user(**fields_of(server))
    assert answer.error == "api.user.auth_switch.not_available.email_signup_disabled.app_error"


async def test_tokens_work_as_for_everybody(server: Mattermost) -> None:
    """In the header and as a cookie, and again after a deactivation."""
    _, account = await person_of(server)
    headers = {"Cookie": f"MMAUTHTOKEN={account.token}; MMUSERID={account.id}"}
    answer = await server.nobody.call("GET", "/users/me", headers=headers)
    assert answer.body["id"] == account.id
    answer = await server.nobody.call("PUT", "/users/me/patch", {"nickname": "Countess"}, headers=headers)
    assert answer.status == 200
    await server.admin.put(f"/users/{account.id}/active", {"active": False})
    assert (await account.api.call("GET", "/users/me")).status == 401
    await server.admin.put(f"/users/{account.id}/active", {"active": True})
    assert (await account.api.get("/users/me"))["id"] == account.id


async def test_the_name_stays(server: Mattermost) -> None:
    """Not even an administrator changes it: the service is to say it."""
    _, account = await person_of(server)
    for api in (server.admin, account.api):
        answer = await api.call("PUT", f"/users/{account.id}/patch", {"username": server.name("u")})
        expected = (409, "api.user.patch_user.login_provider_attribute_set.app_error")
        assert (answer.status, answer.error) == expected


async def test_names_of_who_signs_in_by_gitlab_stay(server: Mattermost) -> None:
    """Only a sign-in changes them; whatever else somebody shows can be changed."""
    _, account = await person_of(server)
    number = str(randbelow(2**62) + 1)
    await server.admin.put(f"/users/{account.id}/auth", {"auth_service": "gitlab", "auth_data": number})

    for field in ("first_name", "last_name"):
        answer = await server.admin.call("PUT", f"/users/{account.id}/patch", {field: "Augusta"})
        expected = (409, "api.user.patch_user.login_provider_attribute_set.app_error")
        assert (answer.status, answer.error) == expected

    changed = await server.admin.put(f"/users/{account.id}/patch", {"nickname": "Countess"})
    assert changed["nickname"] == "Countess"


async def test_notifications_can_be_off_from_the_beginning(server: Mattermost) -> None:
    """What is given is kept as it is, and nothing is added to it."""
    _, whole = await person_of(server, notify_props=QUIET)
    _, part = await person_of(server, notify_props={"email": "false"})
    _, none = await person_of(server)
    props = [(await each.api.get("/users/me"))["notify_props"] for each in (whole, part, none)]
    assert props[:2] == [QUIET, {"email": "false"}]
    assert props[2]["email"] == "true"
    assert props[2].keys() <= QUIET.keys()


async def test_an_administrator_gives_another_address(server: Mattermost) -> None:
    """The answer has the notify_props, which are replaced as a whole; before 11.x it has to be verified."""
    _, account = await person_of(server, notify_props=QUIET)
    email = f"{server.name('u')}@example.test"
    answer = await patched(server, account, email=email)
    assert (answer.body["email"], answer.body["notify_props"]) == (email, QUIET)
    verified = (await account.api.get("/users/me")).get("email_verified", False)
    assert verified == (server.version >= (11,))
    await server.admin.post(f"/users/{account.id}/email/verify/member")
    await patched(server, account, notify_props={**QUIET, "email": "true"})
    me = await account.api.get("/users/me")
    assert (me["email"], me["email_verified"]) == (email, True)
    assert me["notify_props"] == {**QUIET, "email": "true"}
    assert me["auth_service"] == "equa"


async def test_an_address_that_is_taken_or_none_is_refused(server: Mattermost) -> None:
    """By the ids that a creation has too."""
    _, account = await person_of(server)
    other = await server.user()
    taken = await patched(server, account, email=other["email"].upper())
    assert (taken.status, taken.error) == (400, "app.user.save.email_exists.app_error")
    none = await patched(server, account, email="nobody")
    assert (none.status, none.error) == (400, "model.user.is_valid.email.app_error")
    async with server.configured(TeamSettings={"RestrictCreationToDomains": "elsewhere.example"}):
        outside = await patched(server, account, email=f"{server.name('u')}@example.test")
    assert (outside.status, outside.error) == (400, "api.user.update_user.accepted_domain.app_error")


async def test_where_addresses_are_verified_the_old_one_stays_until_then(server: Mattermost) -> None:
    """RequireEmailVerification counts for administrators too, and the token stays good."""
    fields, account = await person_of(server)
    other = await server.user()
    async with server.configured(EmailSettings={"RequireEmailVerification": True}):
        answer = await patched(server, account, email=f"{server.name('u')}@example.test")
        taken = await patched(server, account, email=other["email"])
        me = await account.api.get("/users/me")
    assert (answer.status, answer.body["email"]) == (200, fields["email"])
    assert (taken.status, taken.error) == (400, "app.user.save.email_exists.app_error")
    assert me["email"] == fields["email"]
