"""Mattermost's two calls: a code becomes a token, a token a person, each once."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import encode_basic_auth

from bridge.sandbox import demo_data
from bridge.sandbox.mattermost import RestFault
from bridge.sandbox.mattermost.sessions import log_in
from tests.support.api import Lines
from tests.support.front import BOREALIS, served
from tests.support.sign_in import COMPLETION, SECRET, SignIn, signing_in


@pytest.fixture
async def equa(dsn: str) -> AsyncIterator[SignIn]:
    async with signing_in(dsn) as built:
        yield built


async def code(equa: SignIn, account: demo_data.Account = demo_data.ADA) -> str:
    """Bring a browser to where it would go to Mattermost with its code."""
    hops = await equa.browser().enter(await equa.ticket(account), until="/signup/gitlab/complete")
    return hops[-1].location.query["code"]


async def token(equa: SignIn, account: demo_data.Account = demo_data.ADA) -> str:
    response = await equa.exchange(await code(equa, account))
    body = await response.json()
    assert response.status == 200, body
    return str(body["access_token"])


async def test_a_code_becomes_a_token_and_a_token_a_person(equa: SignIn) -> None:
    """With the account's own name and address, which Mattermost then leaves as they are."""
    exchanged = await equa.exchange(await code(equa))
    body = await exchanged.json()
    shown = await equa.user(body["access_token"])

    assert (exchanged.status, body["token_type"]) == (200, "bearer")
    assert exchanged.headers["Cache-Control"] == shown.headers["Cache-Control"] == "no-store"
    (ada,) = equa.front.chat.people()
    assert await shown.json() == {
        "id": int(ada.auth_data),
        "username": ada.username,
        "name": f"{ada.first_name} {ada.last_name}",
        "email": ada.email,
    }
    assert 0 < int(ada.auth_data) < 2**63


async def test_everything_is_good_once(equa: SignIn) -> None:
    """Of many that bring the same one gets something."""
    one = await code(equa)
    exchanged = await asyncio.gather(*(equa.exchange(one) for _ in range(6)))
    good = [await each.json() for each in exchanged if each.status == 200]
    assert [len(good), len(exchanged)] == [1, 6]
    shown = await asyncio.gather(*(equa.user(good[0]["access_token"]) for _ in range(6)))

    assert sorted(each.status for each in shown) == [200, *[401] * 5]


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"client_secret": "x" * 24}, 401, "invalid_client"),
        ({"client_secret": ""}, 401, "invalid_client"),
        ({"client_id": "somebody-else"}, 401, "invalid_client"),
        ({"client_secret": f"{SECRET}ä"}, 401, "invalid_client"),
        ({"grant_type": ""}, 400, "invalid_request"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": "refresh_token"}, 400, "unsupported_grant_type"),
        ({"redirect_uri": ""}, 400, "invalid_request"),
        ({"code": ""}, 400, "invalid_request"),
    ],
)
async def test_what_is_wrong_uses_no_code_up(
    equa: SignIn, changes: dict[str, str], status: int, error: str
) -> None:
    """The errors are those of RFC 6749 section 5.2."""
    one = await code(equa)

    response = await equa.exchange(**{"code": one, **changes})
    body = await response.json()

    assert (response.status, body["error"]) == (status, error)
    assert body["error_description"] == body["message"]
    assert response.headers["Cache-Control"] == "no-store"
    assert ("WWW-Authenticate" in response.headers) == (status == 401)
    assert (await equa.exchange(one)).status == 200


async def test_a_field_that_is_there_twice_is_refused(equa: SignIn) -> None:
    """Which one would count?"""
    form = [("code", "a"), ("code", "b"), ("client_id", "equabot-bridge"), ("client_secret", SECRET)]

    response = await equa.front.client.post("/login/equa/token", data=form)

    assert (response.status, (await response.json())["error"]) == (400, "invalid_request")


async def test_a_client_may_show_itself_by_header(equa: SignIn) -> None:
    form = {"grant_type": "authorization_code", "code": await code(equa), "redirect_uri": COMPLETION}

    header = {"Authorization": encode_basic_auth("equabot-bridge", SECRET)}
    response = await equa.front.client.post("/login/equa/token", data=form, headers=header)

    assert response.status == 200


async def test_a_code_that_is_brought_from_elsewhere_is_spoilt(equa: SignIn) -> None:
    """It was stolen; whoever should have it begins again."""
    one = await code(equa)

    stolen = await equa.exchange(one, redirect_uri="https://evil.example/signup/gitlab/complete")
    late = await equa.exchange(one)

    assert [(each.status, (await each.json())["error"]) for each in (stolen, late)] == [
        (400, "invalid_grant")
    ] * 2


async def test_nothing_is_good_for_another_purpose(equa: SignIn) -> None:
    """Neither a ticket, nor what the browser keeps, nor a code as a token, nor a token as a code."""
    ticket, browser = await equa.ticket(), equa.browser()
    await browser.enter(await equa.ticket(), until="/oauth/gitlab/login")
    (kept,) = browser.cookies["chat.example.com"].values()
    first, second = await code(equa), await token(equa)

    for each in (ticket, kept, second):
        assert (await equa.exchange(each)).status == 400
    for each in (ticket, kept, first):
        assert (await equa.user(each)).status == 401
    assert (await equa.exchange(first)).status == 200
    assert (await equa.user(second)).status == 200


@pytest.mark.parametrize("given", ["", "x", "ä", "a" * 5000])
async def test_nobody_without_a_token_learns_who_it_is(equa: SignIn, given: str) -> None:
    response = await equa.user(given)

    assert (response.status, response.headers["WWW-Authenticate"]) == (401, "Bearer")


async def test_after_a_minute_nothing_is_good(equa: SignIn) -> None:
    first, second = await code(equa), await token(equa)
    await equa.front.pool.execute("update sign_ins set expires = expires - interval '61 seconds'")

    assert (await equa.exchange(first)).status == 400
    assert (await equa.user(second)).status == 401
    await equa.front.built.periodic_tasks.purge()
    assert await equa.front.pool.fetchval("select count(*) from sign_ins") == 0


async def test_both_are_for_the_inside_alone(equa: SignIn) -> None:
    """A proxy that passes them on by mistake says for whom it asks."""
    from_outside = {"X-Forwarded-For": "1.1.1.1"}

    post = await equa.front.client.post("/login/equa/token", headers=from_outside)
    get = await equa.front.client.get("/login/equa/user", headers=from_outside)

    assert (post.status, get.status) == (404, 404)


async def test_two_processes_share_the_work(equa: SignIn, dsn: str) -> None:
    """One has issued the ticket, the other is asked by Mattermost."""
    front = equa.front
    async with served(
        front.chat, front.equa, front.pool, dsn, SIGN_IN_SECRET=SECRET, TOKEN_KEYS=front.environ["TOKEN_KEYS"]
    ) as other:
        ticket, browser = await equa.ticket(), equa.browser()
        await browser.enter(ticket, until="/login/equa/authorize")
        browser.front = other
        equa.connect(other)
        hops = await browser.press_button()

        assert hops[-1].status == 200
        assert await browser.me() == "ada"


async def test_who_has_left_the_last_organization_does_not_get_in(equa: SignIn) -> None:
    """At whichever step they are."""
    provisioner = equa.front.built.services.provisioner
    assert provisioner
    ada, ben = await code(equa), await token(equa, demo_data.BEN)
    browser = equa.browser()
    await browser.enter(await equa.ticket(demo_data.DMITRI), until="/oauth/gitlab/login")
    for account in (demo_data.ADA, demo_data.BEN, demo_data.DMITRI):
        for company in demo_data.COMPANIES:
            await provisioner.leave(account.id, company.id)

    assert (await equa.user((await (await equa.exchange(ada)).json()).get("access_token", ""))).status == 401
    assert (await equa.user(ben)).status == 401
    hops = await browser.press_button(until="/messaging/sign-in")
    assert hops[-1].location.path == "/messaging/sign-in"


async def test_who_leaves_one_of_several_stays_signed_in(equa: SignIn) -> None:
    """And who leaves the last is signed out everywhere at once."""
    provisioner = equa.front.built.services.provisioner
    assert provisioner
    await equa.ticket(demo_data.DMITRI)
    laptop, phone = equa.browser(), equa.browser()
    for browser in (laptop, phone):
        await browser.enter(await equa.ticket(demo_data.DMITRI, BOREALIS.id))

    await provisioner.leave(demo_data.DMITRI.id, BOREALIS.id)
    assert [await laptop.me(), await phone.me()] == ["dmitri", "dmitri"]
    await provisioner.leave(demo_data.DMITRI.id, demo_data.ACME.id)
    assert [await laptop.me(), await phone.me()] == [None, None]


async def test_a_session_that_was_made_too_late_is_ended(equa: SignIn) -> None:
    """Mattermost had its answer, and was slow; others keep theirs."""
    services, one = equa.front.built.services, await token(equa)
    assert services.provisioner
    assert services.sign_in_provider
    ben = equa.browser()
    await ben.enter(await equa.ticket(demo_data.BEN))
    assert (await equa.user(one)).status == 200
    await services.provisioner.leave(demo_data.ADA.id, demo_data.ACME.id)
    (ada,) = [user for user in equa.front.chat.people() if user.username == "ada"]
    late = log_in(equa.front.chat.store, ada)

    await services.sign_in_provider.end_late_sessions()

    assert late.id not in equa.front.chat.store.sessions
    assert await ben.me() == "ben"


async def test_one_that_cannot_be_ended_keeps_no_other_open(equa: SignIn) -> None:
    """Mattermost refuses the first: somebody has deleted the account there, say."""
    services, store = equa.front.built.services, equa.front.chat.store
    assert services.provisioner
    assert services.sign_in_provider
    for person in (demo_data.ADA, demo_data.BEN):
        assert (await equa.user(await token(equa, person))).status == 200
        await services.provisioner.leave(person.id, demo_data.ACME.id)
    late = {log_in(store, user).id for user in equa.front.chat.people()}
    gone = RestFault(
        status=404, error_id="app.user.missing_account.const", path="/sessions/revoke/all", times=1
    )
    equa.front.chat.server.faults.rest(gone)

    await services.sign_in_provider.end_late_sessions()

    assert len(late & store.sessions.keys()) == 1


async def test_whoever_comes_back_within_the_minute_keeps_their_session(equa: SignIn) -> None:
    """They are a member again."""
    services, one = equa.front.built.services, await token(equa)
    assert services.provisioner
    assert services.sign_in_provider
    assert (await equa.user(one)).status == 200
    await services.provisioner.leave(demo_data.ADA.id, demo_data.ACME.id)
    await equa.front.pool.execute("update memberships set modified = modified - interval '1 hour'")
    browser = equa.browser()
    await browser.enter(await equa.ticket())

    await services.sign_in_provider.end_late_sessions()

    assert await browser.me() == "ada"


async def test_a_renewed_token_signs_nobody_out(equa: SignIn) -> None:
    """It is the bridge's own."""
    device = equa.browser()
    await device.enter(await equa.ticket())
    (before,) = equa.front.tokens()
    await equa.front.pool.execute(
        "update mattermost_user_mappings set token_created = now() - interval '40 days'"
    )

    await equa.ticket()

    assert equa.front.tokens() != [before]
    assert await device.me() == "ada"


@pytest.mark.parametrize("what", ["deactivated", "an administrator", "gone"])
async def test_accounts_that_must_not_come_in_are_refused(equa: SignIn, what: str) -> None:
    """Mattermost would activate one, and make another."""
    one, chat = await token(equa), equa.front.chat
    (ada,) = chat.people()
    if what == "deactivated":
        ada.delete_at = 1
    elif what == "an administrator":
        ada.roles = "system_user system_admin"
    else:
        chat.forget_user(ada)

    assert (await equa.user(one)).status == 401


@pytest.mark.parametrize("name", ["help", "-ada-"])
async def test_an_account_keeps_a_name_that_mattermost_would_change(equa: SignIn, name: str) -> None:
    """An adopted one may have any."""
    equa.front.chat.store.create_user(name, email=demo_data.ADA.email)
    browser = equa.browser()

    await browser.enter(await equa.ticket())

    assert await browser.me() == name


async def test_an_account_that_was_given_a_password_is_switched_back(equa: SignIn) -> None:
    """Mattermost would not find it by its number, and refuse the person for ever."""
    one, (ada,) = await token(equa), equa.front.chat.people()
    number = ada.auth_data
    del equa.front.chat.store.user_by_auth_data[number]
    ada.auth_service, ada.auth_data, ada.password = "", "", "Password-1"

    shown = await (await equa.user(one)).json()

    assert (str(shown["id"]), ada.auth_service, ada.auth_data, ada.password) == (number, "gitlab", number, "")


async def test_nothing_secret_is_logged(lines: Lines, dsn: str) -> None:
    """Neither what is issued nor the secret of both sides."""
    async with signing_in(dsn) as equa:
        one = await code(equa)
        two = str((await (await equa.exchange(one)).json())["access_token"])
        await equa.user(two)
        text = lines.stream.getvalue()

    assert not any(secret in text for secret in (one, two, SECRET))
