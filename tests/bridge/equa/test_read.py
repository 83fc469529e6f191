"""Who is signed in and what they belong to; nobody is let in by a strange answer."""

from contextlib import suppress
from uuid import UUID

import pytest
from hypothesis import given, settings

from bridge.equa.read import membership, organization_name, person
from bridge.errors import EquaUnavailable
from bridge.models.equa import Organization, OrganizationId, Person, PersonId
from tests.support.equa import json_of

ID = "5d0c1e7a-93b4-4f02-8a61-000000000001"
ORG = "0f3b6a52-7d18-4c9e-b1a4-6e2d90c5f713"
OTHER = "c41d8e07-a5f9-4b36-92d0-38b7e16f4ac8"
ACME = OrganizationId(UUID(ORG))

ADA = {
    "id": ID,
    "email": "ada@example.com",
    "username": "ada",
    "firstName": "Ada",
    "lastName": "Moreno",
    "emailVerified": True,
    "twoFactorEnabled": False,
}


@pytest.mark.parametrize("payload", [ADA, {"user": ADA}, {**ADA, "id": ID.upper()}])
def test_a_user_is_read_bare_or_wrapped(payload: object) -> None:
    """Every field that the bridge uses comes out."""
    expected = Person(
        PersonId(UUID(ID)), "ada@example.com", email_verified=True, username="ada", name="Ada Moreno"
    )

    assert person(payload) == expected


def test_what_equa_does_not_tell_is_empty_and_unverified() -> None:
    """Only `id` is relied on; an e-mail is verified by true alone."""
    expected = Person(PersonId(UUID(ID)), "", email_verified=False, username="", name="")

    assert person({"id": ID, "email": None, "emailVerified": "true", "lastName": 7}) == expected


@pytest.mark.parametrize(
    "payload",
    [
        None,
        {},
        {"user": None},
        {"id": None},
        {"id": ""},
        {"id": 0},
        {"id": "null"},
        {"user": {}},
        {"user": {"id": None}},
        {"id": ID, "user": None},
        [],
        [ADA],
        "anonymous",
        ID,
        True,
        {"error": "no"},
        {"id": "00000000-0000-0000-0000-000000000000"},
        {**ADA, "enabled": False},
        {"id": [ID]},
    ],
)
def test_anything_else_is_nobody(payload: object) -> None:
    """Equa answers strangers with 200 and a null user of some kind."""
    assert person(payload) is None


@settings(deadline=None)
@given(json_of(["user", "data", "email", "current", "userId"], ID))
def test_junk_is_nobody(payload: object) -> None:
    """An id that stands anywhere but in `id` signs nobody in."""
    assert person(payload) is None


@pytest.mark.parametrize(
    ("payload", "name"),
    [
        ([{"id": OTHER, "name": "Borealis"}, {"id": ORG, "name": "Acme Corp"}], "Acme Corp"),
        ([{"id": ORG.upper()}], ""),
        ({"organizations": [{"id": ORG, "name": " Acme Corp "}]}, "Acme Corp"),
        ({"data": [{"id": ORG, "name": None}]}, ""),
        ({"results": [{"id": ID, "organization": {"id": ORG, "name": "Acme"}}], "total": 900}, "Acme"),
        ([None, 3, {"id": ORG, "name": "Acme"}], "Acme"),
    ],
)
def test_a_member_finds_the_organization_in_the_list(payload: object, name: str) -> None:
    """Whatever else the list holds, the item with the id counts."""
    assert membership(payload, ACME) == Organization(ACME, name)


@pytest.mark.parametrize(
    "payload",
    [
        [],
        {"organizations": []},
        [{"id": OTHER, "creator": ORG, "parent": {"id": ORG}}],
        [{"id": ORG, "organization": {"id": OTHER}}],
    ],
)
def test_an_organization_that_is_not_listed_is_not_ones_own(payload: object) -> None:
    """An id counts only where an item has its own."""
    assert membership(payload, ACME) is None


@pytest.mark.parametrize(
    "payload",
    [
        None,
        {},
        7,
        {"invitations": [{"id": ORG}]},
        [{"id": OTHER}, None],
        [{"organizationId": ORG}],
        [ORG],
        {"organizations": [{"id": OTHER}], "hasMore": True},
        {"data": [], "total": 3},
        {"error": "x", "data": []},
        [{"id": ID, "organization": ORG}],
        {ORG: {"id": ORG}},
    ],
)
def test_a_list_that_may_have_hidden_it_says_neither_yes_nor_no(payload: object) -> None:
    """Nobody is told that they are no member because an answer could not be read."""
    with pytest.raises(EquaUnavailable):
        membership(payload, ACME)


@settings(deadline=None)
@given(json_of(["organizations", "data", "items", "organization", "name", "parent", "creator", "total"], ORG))
def test_junk_makes_no_member(payload: object) -> None:
    """The organization's id is no membership unless it is the `id` of an item."""
    with suppress(EquaUnavailable):
        assert membership(payload, ACME) is None


@pytest.mark.parametrize(
    "payload",
    [
        {"name": "Acme Corp"},
        {"organization": {"name": " Acme Corp"}},
        {"data": {"id": ORG, "name": "Acme Corp"}},
    ],
)
def test_the_name_is_read_bare_or_wrapped(payload: object) -> None:
    """Only `name` is relied on."""
    assert organization_name(payload) == "Acme Corp"


@pytest.mark.parametrize("payload", [None, [], {}, {"name": ""}, {"name": " \n"}, {"name": 5}, "Acme"])
def test_an_organization_without_a_name_is_unreadable(payload: object) -> None:
    """A team cannot be named after nothing."""
    with pytest.raises(EquaUnavailable):
        organization_name(payload)
