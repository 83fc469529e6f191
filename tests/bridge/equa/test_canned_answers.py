"""What Equa's answers mean, each canned: status, body and headers are all that counts."""

from typing import Any
from uuid import UUID

import pytest
from aiohttp import ClientConnectionError, ClientSession, ServerTimeoutError

from bridge.equa import EquaClient
from bridge.errors import BridgeError, EquaUnavailable, NotAMember, NotSignedIn
from bridge.models.equa import OrganizationId
from tests.support.canned import canned_answers, sent
from tests.support.equa import ADMIN_PERMISSIONS

URL = "https://app.equa.test/api/v1"
COOKIE = "connect.sid=s%3Aabc"
ADA = "5d0c1e7a-93b4-4f02-8a61-000000000001"
ACME = OrganizationId(UUID("0f3b6a52-7d18-4c9e-b1a4-6e2d90c5f713"))
ADA_JSON = {"id": ADA, "email": "ada@example.com", "emailVerified": True, "username": "ada"}


@pytest.fixture
def client(session: ClientSession) -> EquaClient:
    return EquaClient(session, url=URL, admin_permissions=ADMIN_PERMISSIONS)


@pytest.mark.parametrize(
    ("body", "name", "nickname"),
    [
        ({**ADA_JSON, "firstName": "Ada", "lastName": "Moreno"}, "Ada Moreno", ""),
        ({**ADA_JSON, "fullName": "Ada M.", "firstName": "Ada"}, "Ada M.", ""),
        ({"user": {**ADA_JSON, "name": "Ada", "nickname": " Addie "}}, "Ada", "Addie"),
        ({**ADA_JSON, "nickname": None}, "", ""),
    ],
)
async def test_a_person_is_read_in_every_shape(
    client: EquaClient, body: dict[str, Any], name: str, nickname: str
) -> None:
    """Bare or wrapped, with one field of the name or two."""
    with canned_answers() as canned:
        canned.get(f"{URL}/user/current", payload=body)
        person = await client.person(COOKIE)

    assert (str(person.id), person.email, person.email_verified) == (ADA, "ada@example.com", True)
    assert (person.name, person.nickname) == (name, nickname)


async def test_the_session_is_all_that_is_sent(client: EquaClient) -> None:
    """No token, and no cookie of another question."""
    with canned_answers() as canned:
        canned.get(f"{URL}/user/current", payload=ADA_JSON, headers={"Set-Cookie": "connect.sid=other"})
        await client.person(COOKIE)

    ((method, url, request),) = sent(canned)
    assert (method, url) == ("GET", f"{URL}/user/current")
    assert request["headers"]["Cookie"] == COOKIE


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"status": 401}, NotSignedIn),
        ({"status": 200, "body": ""}, NotSignedIn),
        ({"status": 200, "payload": {}}, NotSignedIn),
        ({"status": 200, "body": "<!doctype html>"}, EquaUnavailable),
        ({"status": 302, "headers": {"Location": "/login"}}, EquaUnavailable),
        ({"status": 429, "headers": {"Retry-After": "7"}}, EquaUnavailable),
        ({"status": 503}, EquaUnavailable),
        ({"exception": ClientConnectionError("refused")}, EquaUnavailable),
        ({"exception": ServerTimeoutError()}, EquaUnavailable),
    ],
)
async def test_an_answer_that_is_no_person(
    client: EquaClient, answer: dict[str, Any], error: type[BridgeError]
) -> None:
    """Nobody's session, or nothing to rely on; never the one for the other."""
    with canned_answers() as canned:
        canned.get(f"{URL}/user/current", repeat=True, **answer)
        with pytest.raises(error):
            await client.person(COOKIE)


@pytest.mark.parametrize("body", [[], {"data": []}, {"organizations": []}])
async def test_an_empty_list_of_organizations_is_a_clear_no(client: EquaClient, body: object) -> None:
    """In every shape that a list comes in."""
    with canned_answers() as canned:
        canned.get(f"{URL}/user/current", payload=ADA_JSON, repeat=True)
        canned.get(f"{URL}/organization", payload=body, repeat=True)
        with pytest.raises(NotAMember):
            await client.member(COOKIE, ACME)


@pytest.mark.parametrize("body", [{}, {"error": "no"}, {"data": [], "hasMore": True}, "none"])
async def test_a_list_that_may_not_be_whole_is_no_answer(client: EquaClient, body: object) -> None:
    """Somebody could be on another page."""
    with canned_answers() as canned:
        canned.get(f"{URL}/user/current", payload=ADA_JSON, repeat=True)
        canned.get(f"{URL}/organization", payload=body, repeat=True)
        with pytest.raises(EquaUnavailable):
            await client.member(COOKIE, ACME)
