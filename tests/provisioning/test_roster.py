"""Who stands on a roster, on however many lines."""

from dataclasses import replace
from uuid import uuid4

import pytest

from bridge.models.equa import Member, PersonId, Roster
from provisioning.roster import Listed, doubt, listed

ADA = Member(PersonId(uuid4()), "ada@example.com", "Ada Moreno", is_individual=True)
BEN = Member(PersonId(uuid4()), "ben@example.com", "Ben Okafor", is_individual=True)
COMPANY = Member(None, "deals@example.com", "Northwind", is_individual=False)


def test_individuals_with_an_account_are_listed() -> None:
    """No companies, nobody who has not registered, no company's account."""
    unregistered = replace(BEN, person_id=None)
    odd = replace(BEN, is_individual=False)

    assert listed(Roster((ADA, COMPANY, unregistered, odd))) == {ADA.person_id: Listed(ADA, 1, 1)}


@pytest.mark.parametrize(
    ("addresses", "email", "count"),
    [
        ([" Ada@Example.com"], "ada@example.com", 1),
        (["", "ada@example.com", "ADA@example.com "], "ada@example.com", 1),
        (["ada@example.com", "other@example.com"], "", 2),
        (["", " "], "", 0),
    ],
)
def test_an_address_counts_if_there_is_one_only(addresses: list[str], email: str, count: int) -> None:
    """Of several it cannot be known which is theirs."""
    lines = tuple(replace(ADA, email=address) for address in addresses)

    (one,) = listed(Roster(lines)).values()

    assert (one.member.email, one.addresses, one.lines) == (email, count, len(lines))


def test_the_accounts_own_address_counts_for_more_than_what_lines_say() -> None:
    """Whoever has typed those."""
    own = replace(ADA, email="Moreno@example.com", email_of_account=True)

    (one,) = listed(Roster((ADA, own, replace(own, email="")))).values()

    assert one == Listed(replace(own, email="moreno@example.com"), 1, 3)


@pytest.mark.parametrize(
    ("roster", "doubtful"),
    [
        (Roster((ADA, BEN)), False),
        (Roster((ADA, BEN, COMPANY)), False),
        (Roster((ADA, BEN), ("Member no. 3 is odd.",)), True),
        (Roster((ADA, COMPANY)), True),
        (Roster((ADA, ADA)), True),
        (Roster((COMPANY,)), True),
        (Roster(()), True),
    ],
)
def test_who_is_missing_has_left_only_if_the_roster_is_surely_whole(roster: Roster, doubtful: bool) -> None:  # noqa: FBT001 - a table
    """One person alone may be all that whoever asked may see."""
    assert bool(doubt(roster)) is doubtful
