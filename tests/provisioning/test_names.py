"""Names that Mattermost accepts."""

import re
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.models.equa import Organization, OrganizationId, Person, PersonId
from provisioning.names import (
    display_name,
    email_address,
    first_and_last,
    team_name,
    team_names,
    usernames,
)

ID = UUID("8f3c1a2b-5d4e-4f60-9a1b-2c3d4e5f6071")

TEAM = re.compile(r"[a-z0-9]+([a-z\-0-9]+|(__)?)[a-z0-9]+")
"""server/public/model/team.go."""

USERNAME = re.compile(r"[a-z][a-z0-9._-]*[a-z0-9]|[a-z]")

RESERVED = (
    *("signup", "login", "admin", "channel", "post", "api", "oauth", "error", "help", "plugins"),
    *("playbooks", "boards", "claim", "files", "landing", "mfa", "plug"),
)

anything = st.text(max_size=300) | st.text("aA1-_. é/@", max_size=300) | st.sampled_from([*RESERVED, "all"])


def person(username: str = "", name: str = "", email: str = "") -> Person:
    return Person(PersonId(ID), email, email_verified=True, username=username, name=name)


def organization(name: str) -> Organization:
    return Organization(OrganizationId(ID), name)


@given(anything)
def test_every_organization_gets_team_names_that_mattermost_accepts(name: str) -> None:
    """Two to 64 characters of its alphabet, none that begins like one of its own addresses."""
    for each in team_names(organization(name)):
        assert TEAM.fullmatch(each)
        assert 2 <= len(each.encode()) <= 64
        assert not each.startswith(RESERVED)


@given(anything, anything, anything)
def test_every_person_gets_usernames_that_mattermost_accepts(username: str, name: str, email: str) -> None:
    """A letter first, no punctuation last, nothing that notifies a whole channel when it is mentioned."""
    for each in usernames(person(username, name, email)):
        assert USERNAME.fullmatch(each)
        assert len(each) <= 64
        assert re.split("[._-]", each)[0] not in {"all", "channel", "here", "matterbot", "system"}


@given(anything)
def test_the_last_names_are_made_of_the_id_alone(name: str) -> None:
    """So that two organizations or people never wait for each other's."""
    assert list(team_names(organization(name)))[-1].startswith(f"team-{ID.hex}")
    assert list(usernames(person(name)))[-1] == f"user-{ID.hex}"


@given(anything)
def test_no_name_is_tried_twice(name: str) -> None:
    """All candidates differ."""
    for candidates in (list(team_names(organization(name))), list(usernames(person(name)))):
        assert all(one != other for one, other in pairwise(sorted(candidates)))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Acme Corp", "acme-corp"),
        ("  O'Brien\u2019s Pub & Grill, Inc. ", "obriens-pub-grill-inc"),
        ("Straße Łódź Ærø", "strasse-lodz-aero"),
        ("ﬁne \u2013 Ünïcörn", "fine-unicorn"),
        ("X", "team-x"),
        ("Postal Service", "team-postal-service"),
        ("Static", "team-static"),
        ("株式会社 7", "team-7"),
        ("🚀", ""),
        ("a" * 200, "a" * 48),
    ],
)
def test_a_team_is_named_after_its_organization(name: str, expected: str) -> None:
    """Accents go, other scripts leave nothing, what Mattermost reserves gets a word in front."""
    assert team_name(name) == expected


@pytest.mark.parametrize(
    ("given_person", "expected"),
    [
        (person("JDoe"), "jdoe"),
        (person("", "José Ñandú"), "jose.nandu"),
        (person("42", "", "ben+news@example.com"), "ben.news"),
        (person("all", "Channel", "here@example.com"), "user-8f3c1a2b"),
        (person("system.admin", "Root"), "root"),
        (person("_x_"), "x"),
        (person("王", "王"), "user-8f3c1a2b"),
        (person("a-very-long-name-indeed-it-is"), "a-very-long-name-indee"),
    ],
)
def test_a_username_comes_from_the_first_name_that_gives_one(given_person: Person, expected: str) -> None:
    """Equa's username, else the name, else the e-mail address before its @, else the id."""
    assert next(usernames(given_person)) == expected


@given(anything)
def test_a_display_name_is_one_printable_line_of_64_characters(name: str) -> None:
    """Line ends, control characters and what turns the writing direction are gone."""
    shown = display_name(name, "Somebody")

    assert 1 <= len(shown) <= 64
    assert not re.search("[\x00-\x1f\u202a-\u202e\ud800-\udfff]", shown)


def test_a_name_is_split_at_its_first_space() -> None:
    """Of one word there is no last name."""
    assert first_and_last("Jan  van der Berg") == ("Jan", "van der Berg")
    assert first_and_last("Prince") == ("Prince", "")
    assert first_and_last("") == ("", "")


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (" Ada@Example.COM ", "ada@example.com"),
        ("ada+news@example.com", "ada+news@example.com"),
        ("", ""),
        ("ada", ""),
        ("a/../b@example.com", ""),
        ("a b@example.com", ""),
        (f"{'a' * 120}@example.com", ""),
    ],
)
def test_an_address_is_kept_as_mattermost_keeps_it(address: str, expected: str) -> None:
    """In lower case; one that it could not keep or that cannot be looked up is none."""
    assert email_address(address) == expected
