"""The service account asks with a session of its own and does not hammer the login."""

import asyncio
from collections import Counter
from dataclasses import replace
from uuid import UUID

import pytest
from aiohttp import ClientSession
from structlog.testing import capture_logs

from bridge.equa import ServiceAccount
from bridge.equa.service import AWAY_SECONDS, REFUSED_SECONDS
from bridge.errors import EquaUnavailable, NotAMember
from bridge.models.equa import OrganizationId
from bridge.ports import EquaDirectory
from bridge.sandbox import demo_data
from bridge.sandbox.equa import Fault, Server, away, page
from tests.support.agent import Wire
from tests.support.equa import COOKIES, Clock, answer

ACME, BOREALIS = demo_data.ACME.id, demo_data.BOREALIS.id
LOGIN, NAME = "POST /user/login", "GET /organization/{organization}"
MEMBERS = "GET /organization/{organization}/member"


async def test_it_reads_names_and_rosters_with_one_login(service: ServiceAccount, equa: Server) -> None:
    """The session is kept from question to question."""
    directory: EquaDirectory = service

    assert await directory.organization_name(ACME) == "Acme Corp"
    assert len((await directory.roster(ACME)).members) == len(demo_data.ACME.members)
    assert len((await directory.roster(BOREALIS)).members) == len(demo_data.BOREALIS.members)
    assert equa.controls.calls == {LOGIN: 1, NAME: 1, MEMBERS: 2}


async def test_a_session_that_has_ended_is_renewed_once(service: ServiceAccount, equa: Server) -> None:
    """Twenty questions that find it ended make one login."""
    await service.sign_in()
    equa.store.expire_sessions()
    async with asyncio.TaskGroup() as group:
        for _ in range(20):
            group.create_task(service.roster(ACME))

    assert equa.controls.calls[LOGIN] == 2


async def test_the_first_questions_share_one_login(service: ServiceAccount, equa: Server) -> None:
    """Nobody logs in while somebody does."""
    equa.controls.fail(Fault(delay=0.05, route=LOGIN))
    async with asyncio.TaskGroup() as group:
        for _ in range(20):
            group.create_task(service.organization_name(ACME))

    assert equa.controls.calls == {LOGIN: 1, NAME: 20}


async def test_one_who_is_cancelled_at_the_login_does_not_stop_the_others(
    service: ServiceAccount, equa: Server
) -> None:
    """The next one in line logs in."""
    slow = equa.controls.fail(Fault(delay=30, route=LOGIN))
    first, second = (asyncio.create_task(service.organization_name(ACME)) for _ in range(2))
    async with asyncio.timeout(60):
        while not equa.controls.calls[LOGIN]:
            await asyncio.sleep(0.005)
        slow.times = 0
        first.cancel()

        assert await second == "Acme Corp"


async def test_refused_credentials_are_a_state(session: ClientSession, equa: Server, clock: Clock) -> None:
    """However often it is asked, it tries again only after a quarter of an hour: accounts get locked."""
    service = ServiceAccount(
        session,
        url=equa.api_url,
        cookies=COOKIES,
        email=demo_data.SERVICE.email,
        password="wrong",
        clock=clock,
    )
    for _ in range(5):
        with pytest.raises(EquaUnavailable, match="refused EQUA_SERVICE_EMAIL") as caught:
            await service.roster(ACME)
        clock.now += 100
    assert caught.value.retry_after == REFUSED_SECONDS - 400
    assert equa.controls.calls == {LOGIN: 1}

    equa.store.users[demo_data.SERVICE.id].password = "wrong"
    clock.now += REFUSED_SECONDS
    assert await service.organization_name(ACME) == "Acme Corp"


async def test_a_crowd_with_wrong_credentials_tries_once(session: ClientSession, equa: Server) -> None:
    """Those who waited for the login hear its result."""
    service = ServiceAccount(
        session, url=equa.api_url, cookies=COOKIES, email="nobody@example.com", password="x"
    )
    tasks = [asyncio.create_task(service.roster(ACME)) for _ in range(20)]
    results = await asyncio.gather(*tasks, return_exceptions=True)

    assert {type(result) for result in results} == {EquaUnavailable}
    assert equa.controls.calls == {LOGIN: 1}


@pytest.mark.parametrize(
    ("fault", "seconds"),
    [
        (away(503), AWAY_SECONDS),
        (away(429, retry_after="60"), 60),
        (page(404), AWAY_SECONDS),
        (away(404), REFUSED_SECONDS),
        (Fault(200, "null"), REFUSED_SECONDS),
        (Fault(200, '{"twoFactorRequired":true}'), REFUSED_SECONDS),
        (Fault(200, f'{{"id":"{demo_data.SERVICE.id}"}}'), REFUSED_SECONDS),
        (Fault(200, "{]"), AWAY_SECONDS),
    ],
)
async def test_no_login_is_tried_again_at_once(
    service: ServiceAccount, equa: Server, clock: Clock, fault: Fault, seconds: float
) -> None:
    """Short while Equa is away, long where only the operator can help; then it works by itself."""
    equa.controls.fail(replace(fault, route=LOGIN))
    for _ in range(2):
        with pytest.raises(EquaUnavailable) as caught:
            await service.roster(ACME)
        assert caught.value.retry_after == seconds
    assert equa.controls.calls == {LOGIN: 1}

    equa.controls.clear()
    clock.now += seconds
    await service.roster(ACME)


async def test_a_session_that_is_refused_at_once_does_not_make_a_loop(
    service: ServiceAccount, equa: Server
) -> None:
    """One renewal, then the long wait."""
    equa.controls.fail(Fault(401, "{}", route=MEMBERS))
    for _ in range(3):
        with pytest.raises(EquaUnavailable):
            await service.roster(ACME)

    assert equa.controls.calls == Counter({LOGIN: 2, MEMBERS: 2})


async def test_an_organization_that_the_account_may_not_see_is_no_reason_to_log_in_again(
    service: ServiceAccount, equa: Server
) -> None:
    """403 and 404 are answers."""
    equa.store.users[demo_data.SERVICE.id].site_permissions = frozenset()
    for place in (ACME, OrganizationId(UUID("11111111-1111-4111-8111-111111111111"))):
        with pytest.raises(NotAMember):
            await service.roster(place)

    assert equa.controls.calls[LOGIN] == 1


async def test_equa_away_behind_the_login_keeps_the_session(service: ServiceAccount, equa: Server) -> None:
    """An outage is no reason to log in again."""
    await service.sign_in()
    equa.controls.fail(away(503, route=MEMBERS))
    with pytest.raises(EquaUnavailable):
        await service.roster(ACME)
    equa.controls.clear()
    await service.roster(ACME)

    assert equa.controls.calls[LOGIN] == 1


async def test_the_session_rolls_with_every_answer(session: ClientSession) -> None:
    """The newest value is sent, exactly as it was set; other cookies are not kept."""
    user = {"id": str(demo_data.SERVICE.id)}
    wire = Wire(
        answer(200, user, "Set-Cookie: connect.sid=s%3Aone; Path=/; HttpOnly", "Set-Cookie: lang=en"),
        answer(200, {"name": "Acme"}, "Set-Cookie: connect.sid=s%3Atwo; Path=/"),
        answer(200, {"name": "Acme"}),
    )
    async with wire.served() as url:
        service = ServiceAccount(session, url=url, cookies=COOKIES, email="a@example.com", password="p")
        await service.organization_name(ACME)
        await service.organization_name(ACME)

    sent = [line for head in wire.requests for line in head.split(b"\r\n") if line.startswith(b"Cookie")]
    assert sent == [b"Cookie: connect.sid=s%3Aone", b"Cookie: connect.sid=s%3Atwo"]


async def test_neither_password_nor_cookie_is_logged(session: ClientSession, equa: Server) -> None:
    """Not even when the login fails."""
    service = ServiceAccount(
        session, url=equa.api_url, cookies=COOKIES, email=demo_data.SERVICE.email, password="a-secret-word"
    )
    with capture_logs() as logs, pytest.raises(EquaUnavailable) as caught:
        await service.sign_in()

    assert logs
    assert "a-secret-word" not in f"{logs}{caught.value!r}"


async def test_it_knows_who_administers_an_organization(service: ServiceAccount) -> None:
    """By the permissions that Equa shows; where it shows none, nobody does."""
    assert await service.is_admin(ACME, demo_data.ADA.id)
    assert not await service.is_admin(BOREALIS, demo_data.ADA.id)
    assert not await service.is_admin(OrganizationId(UUID(int=7)), demo_data.ADA.id)
