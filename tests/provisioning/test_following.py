"""What Mattermost shows of Equa, and what of it the bridge may still change."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from bridge.models.chat import User, UserId
from bridge.models.equa import Member, PersonId
from bridge.models.followed import Followed
from provisioning.following import (
    Change,
    address_digest,
    change,
    encoded,
    is_outdated,
    may_change_address,
    name_at_sign_in,
    names_of,
    still_shown,
)

ADA = {"first_name": "Ada", "last_name": "Moreno", "nickname": ""}
ADDRESS = address_digest("ada@example.com")
MARRIED = {"first_name": "Ada", "last_name": "Lind", "nickname": ""}


def account(**fields: Any) -> User:
    shown: dict[str, Any] = {**ADA, **fields}
    return replace(User(UserId("u" * 26), "ada", email="ada@example.com"), **shown)


def line(name: str = "Ada Moreno", email: str = "ada@example.com", *, own: bool = False) -> Member:
    person = PersonId(UUID(int=1))
    return Member(person, email, name, is_individual=True, email_of_account=own)


@pytest.mark.parametrize(
    ("name", "nickname", "expected"),
    [
        ("Ada  Moreno", "", ADA),
        ("Ada", "Addie", {"first_name": "Ada", "last_name": "", "nickname": "Addie"}),
        ("", "Addie", {"nickname": "Addie"}),
        ("", "", {}),
        ("\u3164", "\u2800", {}),
        ("\u200b\ufe0f\U000e0041", "", {}),
    ],
)
def test_a_name_becomes_fields(name: str, nickname: str, expected: dict[str, str]) -> None:
    """None where nothing can be seen, so that nothing that is shown is taken away."""
    assert names_of(name, nickname) == expected


def test_what_the_bridge_has_set_follows() -> None:
    """Only what is different is written."""
    assert change(account(), encoded(ADA), MARRIED) == Change({"last_name": "Lind"}, encoded(MARRIED))


def test_what_somebody_has_changed_stays() -> None:
    """Each field for itself: the last name goes on to follow."""
    found = change(account(first_name="Adelheid"), encoded(ADA), MARRIED)

    assert found == Change({"last_name": "Lind"}, encoded({"last_name": "Lind", "nickname": ""}))


def test_a_nickname_of_ones_own_stays() -> None:
    """Equa has none to offer."""
    found = change(account(nickname="Addie"), encoded(ADA), MARRIED)

    assert found.patch == {"last_name": "Lind"}
    assert found.shown == encoded({"first_name": "Ada", "last_name": "Lind"})


def test_of_an_account_of_before_what_fits_is_taken_for_set() -> None:
    """The rest may be somebody's choice."""
    found = change(account(first_name="Adelheid"), None, ADA)

    assert found == Change({}, encoded({"last_name": "Moreno", "nickname": ""}))


def test_after_a_crash_between_both_writes_nothing_is_lost() -> None:
    """Mattermost shows the new name, the database has the old one."""
    assert change(account(last_name="Lind"), encoded(ADA), MARRIED) == Change({}, encoded(MARRIED))


def test_names_of_who_signs_in_with_equa_come_with_the_next_sign_in() -> None:
    """Mattermost takes them from nobody else; a nickname it takes."""
    signs_in, wanted = account(auth_service="gitlab"), {**MARRIED, "nickname": "Addie"}

    found = change(signs_in, encoded(ADA), wanted)

    assert found == Change({"nickname": "Addie"}, encoded(wanted))
    assert name_at_sign_in(signs_in, found.shown) == "Ada Lind"
    assert change(signs_in, found.shown, ADA).shown == encoded(ADA)


def test_a_name_of_ones_own_stays_at_sign_ins() -> None:
    """Somebody has changed it while that was possible."""
    own = account(first_name="Adelheid")
    shown = still_shown(own, encoded(ADA))
    signs_in = replace(own, auth_service="gitlab")

    found = change(signs_in, shown, {**MARRIED, "first_name": "Ade"})

    assert name_at_sign_in(own, encoded(MARRIED)) == "Adelheid Moreno"
    assert name_at_sign_in(signs_in, found.shown) == "Adelheid Lind"


@pytest.mark.parametrize(
    ("followed", "own", "expected"),
    [
        (Followed(unconfirmed=True, shown_email=address_digest("ada@example.com")), False, True),
        (
            Followed(unconfirmed=True, shown_email=address_digest("ada@example.com"), visited=True),
            True,
            False,
        ),
        (Followed(unconfirmed=True, shown_email=address_digest("somebody@example.com")), False, False),
        (Followed(unconfirmed=True), False, False),
        (Followed(shown_email=address_digest("ada@example.com")), False, False),
        (Followed(shown_email=address_digest("ada@example.com")), True, True),
    ],
)
def test_when_an_address_of_a_roster_is_taken_over(followed: Followed, *, own: bool, expected: bool) -> None:
    """Never after a visit or a change by hand, and never a typed one where mail is sent."""
    assert may_change_address(followed, account(), "ada@new.example", own=own) is expected


@pytest.mark.parametrize("address", ["", "no address", "taro..x@example.com", "ada@example.com"])
def test_an_address_that_is_none_or_the_same_changes_nothing(address: str) -> None:
    """Mattermost keeps the one that it has."""
    followed = Followed(unconfirmed=True, shown_email=address_digest("ada@example.com"))

    assert not may_change_address(followed, account(), address, own=False)


def test_what_is_recorded_is_not_outdated() -> None:
    """Otherwise every sync did it again."""
    followed = Followed(
        unconfirmed=True, roster_name=encoded(ADA), shown_email=address_digest("ada@example.com")
    )

    assert not is_outdated(followed, account(), line())
    assert is_outdated(followed, account(), line("Ada Lind"))
    assert is_outdated(followed, account(), line(email="ada@new.example"))
    assert not is_outdated(followed, account(), line("\u3164"))
    assert not is_outdated(replace(followed, provisioned=False), account(), line("Ada Lind"))
    assert not is_outdated(replace(followed, elsewhere=True), account(), line("Ada Lind"))
