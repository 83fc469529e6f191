"""A roster is whole and every line of it accounted for, or it is an error."""

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given, settings

from bridge.equa.roster import roster
from bridge.errors import EquaUnavailable
from bridge.models.equa import Member, PersonId, Roster
from tests.support.equa import json_of

ID = "5d0c1e7a-93b4-4f02-8a61-000000000001"
OTHER = "5d0c1e7a-93b4-4f02-8a61-000000000002"
ROW = "b8e94f36-2c17-4d5b-9e03-000000000001"
LINE = {"id": ROW, "fullName": "Ada Moreno", "email": "ada@example.com", "user": ID, "isIndividual": True}
ADA = Member(PersonId(UUID(ID)), "ada@example.com", "Ada Moreno", is_individual=True)
OWN = replace(ADA, email_of_account=True)
ACCOUNT = {"id": ID, "email": "ada@example.com", "firstName": "Ada", "lastName": "Moreno"}


@pytest.mark.parametrize(
    "payload",
    [
        [LINE],
        {"members": [LINE]},
        {"data": {"members": [LINE], "total": 1}},
        [{**LINE, "user": None, "userId": ID}],
        [{**LINE, "userId": ID.upper()}],
        [{key: value for key, value in LINE.items() if key != "isIndividual"}],
    ],
)
def test_a_person_is_read_in_every_shape(payload: object) -> None:
    """The account is a field or another field."""
    assert roster(payload, {}) == Roster((ADA,))


@pytest.mark.parametrize(
    ("line", "member"),
    [
        ({**LINE, "user": ACCOUNT}, OWN),
        ({"user": ACCOUNT, "isIndividual": True}, OWN),
        ({**LINE, "user": {**ACCOUNT, "emailVerified": True}}, OWN),
        ({**LINE, "email": "typed@example.com", "user": ACCOUNT}, OWN),
        ({**LINE, "user": {**ACCOUNT, "emailVerified": False}}, ADA),
        ({**LINE, "user": {**ACCOUNT, "email": None}}, ADA),
    ],
)
def test_an_embedded_account_tells_its_own_address(line: object, member: Member) -> None:
    """It counts for more than what stands in the line, which an administrator has typed."""
    assert roster([line], {}) == Roster((member,))


@pytest.mark.parametrize("account", [{"user": None}, {"user": ""}, {"user": {}}, {"user": {"id": None}}, {}])
def test_who_has_no_account_is_a_member_all_the_same(account: dict[str, object]) -> None:
    """The invited and companies stand in the roster without a person."""
    invited = {"fullName": "Grace", "email": "grace@example.com", "isIndividual": True, **account}
    company = {"fullName": "Northwind", "email": None, "isIndividual": False, **account}

    assert roster([LINE, invited, company], {}).members == (
        ADA,
        Member(None, "grace@example.com", "Grace", is_individual=True),
        Member(None, "", "Northwind", is_individual=False),
    )


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (None, "Member no. 2 is not an object."),
        ("ada", "Member no. 2 is not an object."),
        ({**LINE, "user": 7}, f"Member {ROW} names an account by something that is no UUID."),
        ({**LINE, "user": "ada"}, f"Member {ROW} names an account by something that is no UUID."),
        ({**LINE, "user": {"email": "a@b"}}, f"Member {ROW} names an account by something that is no UUID."),
        ({**LINE, "userId": OTHER}, f"Member {ROW} names two accounts."),
        ({**LINE, "isIndividual": "yes"}, f"Member {ROW} says neither yes nor no to isIndividual."),
        ({"user": [], "email": "x@y"}, "Member no. 2 names an account by something that is no UUID."),
    ],
)
def test_a_line_that_cannot_be_read_is_a_problem(line: object, problem: str) -> None:
    """It is neither dropped nor guessed at, and the sentence holds no name or address."""
    assert roster([LINE, line], {}) == Roster((ADA,), (problem,))


@pytest.mark.parametrize(
    "payload",
    [
        None,
        {},
        "[]",
        {"members": None},
        {"error": "Server Error", "members": []},
        {"members": [LINE], "hasMore": True},
        {"members": [LINE], "total": 2},
        {"data": [LINE], "pagination": {"page": 1, "pages": 2}},
        {"data": [LINE], "links": {"next": "https://app.equa.cc/api/v1/…"}},
        [None],
        [{"account": ID, "email": "ada@example.com"}],
    ],
)
def test_what_is_not_surely_the_whole_roster_is_an_error(payload: object) -> None:
    """Pages, unknown shapes and errors are never a short or empty roster."""
    with pytest.raises(EquaUnavailable):
        roster(payload, {})


@pytest.mark.parametrize(
    "headers",
    [
        {"Link": '<https://app.equa.cc/x?page=2>; rel="next"'},
        {"Link": "<x>; rel=next"},
        {"X-Total-Count": "2"},
    ],
)
def test_headers_may_say_that_there_is_more(headers: dict[str, str]) -> None:
    """A bare list can be a page too."""
    with pytest.raises(EquaUnavailable):
        roster([LINE], headers)


def test_an_empty_list_is_an_empty_roster() -> None:
    """Nothing is wrong with a list that is there and has nothing in it."""
    assert roster([], {"X-Total-Count": "0", "Link": '<x>; rel="first"'}) == Roster(())


@settings(deadline=None)
@given(json_of(["members", "data", "user", "userId", "id", "email", "fullName", "isIndividual", "total"], ID))
def test_every_line_of_any_json_is_a_member_or_a_problem(payload: object) -> None:
    """Nothing is dropped silently, and no other error than ours comes out."""
    try:
        read = roster(payload, {})
    except EquaUnavailable:
        return
    if isinstance(payload, list):
        assert len(read.members) + len(read.problems) == len(payload)
