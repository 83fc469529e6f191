"""Lists, ids and texts are read out of whatever JSON comes, or an error is raised."""

from contextlib import suppress
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.equa.values import decode, listing, text, uuid_of
from bridge.errors import EquaUnavailable
from tests.support.equa import json_of

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@settings(deadline=None)
@given(st.binary())
def test_any_body_is_json_or_unreadable(body: bytes) -> None:
    """No other error than ours comes out of a body."""
    with suppress(EquaUnavailable):
        decode(body, "user")


def test_a_body_nested_without_end_is_unreadable() -> None:
    """A body made to exhaust the stack is one more unreadable answer."""
    with pytest.raises(EquaUnavailable):
        decode(b"[" * 200_000, "user")


@pytest.mark.parametrize("body", [b"", b" \r\n", b"null"])
def test_no_body_is_null(body: bytes) -> None:
    """Express sends null as an empty body."""
    assert decode(body, "user") is None


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("0F3B6A52-7d18-4c9e-b1a4-6e2d90c5f713", UUID("0f3b6a52-7d18-4c9e-b1a4-6e2d90c5f713")),
        ("00000000-0000-0000-0000-000000000000", None),
        ("0f3b6a527d184c9eb1a46e2d90c5f713", None),
        ("{0f3b6a52-7d18-4c9e-b1a4-6e2d90c5f713}", None),
        ("0f3b6a52-7d18-4c9e-b1a4-6e2d90c5f713\n", None),
        ("", None),
        (7, None),
        (None, None),
    ],
)
def test_an_id_is_a_uuid_in_its_usual_form(value: object, found: UUID | None) -> None:
    """The nil UUID and looser spellings are nobody's id."""
    assert uuid_of(value) == found


def test_a_text_is_one_line_that_can_be_stored() -> None:
    """Neither NUL nor a lone surrogate, both legal in JSON, reaches the database."""
    assert text(None, "  ", " Acme\x00\n\ud800Corp ") == "Acme   Corp"


@pytest.mark.parametrize(
    ("payload", "items", "complete"),
    [
        ([1, 2], [1, 2], True),
        ({"members": [1]}, [1], True),
        ({"data": [1]}, [1], True),
        ({"items": [1], "members": [2]}, [2], True),
        ({"data": {"members": [1]}}, [1], True),
        ({"members": [1], "total": 1, "page": 1, "next": None, "hasMore": False}, [1], True),
        ({"members": [1], "total": 2}, [1], False),
        ({"members": [1], "totalCount": "2"}, [1], False),
        ({"members": [1], "hasMore": True}, [1], False),
        ({"members": [1], "next_cursor": "abc"}, [1], False),
        ({"data": {"members": [1]}, "meta": {"total_pages": 3}}, [1], False),
        ({"data": {"members": [1], "hasNextPage": True}}, [1], False),
        ({"items": [1], "links": {"next": "/v1/organization/x/member?page=2"}}, [1], False),
    ],
)
def test_a_list_is_found_bare_or_wrapped(payload: object, items: list[object], complete: bool) -> None:  # noqa: FBT001 - a column of the table
    """Whatever says that there is more than the list holds makes it incomplete."""
    found = listing(payload, "members")

    assert (found.items, found.complete) == (items, complete)


@pytest.mark.parametrize(
    "payload",
    [
        None,
        5,
        "members",
        {},
        {"members": None},
        {"invitations": [1]},
        {"members": {"a": 1}},
        {"error": "no", "members": []},
        {"success": False, "data": []},
        {"data": {"data": {"data": {"data": []}}}},
    ],
)
def test_what_is_no_list_is_unreadable(payload: object) -> None:
    """An unknown shape is never an empty list."""
    with pytest.raises(EquaUnavailable):
        listing(payload, "members")


@settings(deadline=None)
@given(json_of(["members", "data", "items", "total", "next", "meta"]))
def test_any_json_is_a_list_or_unreadable(payload: object) -> None:
    """No other error than ours comes out of a payload."""
    try:
        found = listing(payload, "members")
    except EquaUnavailable:
        return
    assert isinstance(found.items, list)
