"""A permission is held only where the answer says that it is."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.equa.permissions import holds_any
from bridge.errors import EquaUnavailable
from tests.support.equa import ADMIN_PERMISSIONS, json_of

KEYS = ["permissions", "roles", "data", "name", "permission", "user", "member", "id", "granted"]

ADMINS: list[object] = [
    ["viewSelf", "editMembers"],
    ["editOrganizationDetails"],
    {"permissions": ["editMembers"]},
    {"data": {"permissions": ["editMembers"]}},
    [{"id": "1", "name": "viewSelf"}, {"id": "2", "name": "editMembers"}],
    [{"permission": "editMembers"}],
    [{"role": "1", "permission": {"id": "2", "name": "editMembers"}}],
    [{"name": "editMembers", "granted": True}],
    {"editMembers": True, "viewSelf": False},
    {"permissions": {"editMembers": True}},
    {"roles": [{"name": "Admin", "permissions": [{"name": "editMembers"}]}]},
    [{"name": "Admin", "permissions": ["editMembers"]}],
    {"member": {"roles": [{"permissions": ["editMembers"]}]}},
]

OTHERS: list[object] = [
    None,
    [],
    {},
    ["viewSelf", "editmembers", "editMembers ", "canEditMembers"],
    {"editMembers": False},
    {"editMembers": "false"},
    {"editMembers": 1},
    {"editMembers": None},
    {"permissions": {"editMembers": False, "viewSelf": True}},
    [{"name": "editMembers", "granted": False}],
    [{"name": "editMembers", "value": None}],
    [{"permission": "editMembers", "revoked": True}],
    {"roles": ["editMembers"]},
    {"roles": {"editMembers": True}},
    {"roles": [{"name": "editMembers", "permissions": ["viewSelf"]}]},
    [{"name": "editMembers", "permissions": []}],
    {"roles": [{"name": "Admin", "active": False, "permissions": ["editMembers"]}]},
    {"name": "editMembers"},
    {"user": {"name": "editMembers"}, "organization": {"name": "editMembers"}, "permissions": []},
    {"missing": ["editMembers"], "available": ["editMembers"]},
    {"permissions": "editMembers"},
    {"role": "Admin", "isAdmin": True},
    [["editMembers"]],
]


@pytest.mark.parametrize("payload", ADMINS)
def test_an_administrator_is_known_in_every_shape(payload: object) -> None:
    """Names, objects, maps and roles all tell of a permission that is held."""
    assert holds_any(payload, ADMIN_PERMISSIONS)


@pytest.mark.parametrize("payload", OTHERS)
def test_the_name_of_a_permission_alone_makes_no_administrator(payload: object) -> None:
    """Refused ones, and roles, people and organizations of that name, are no permission."""
    assert not holds_any(payload, ADMIN_PERMISSIONS)


@pytest.mark.parametrize("payload", ["editMembers", 5, True, {"error": "no", "permissions": ["editMembers"]}])
def test_what_is_no_answer_says_neither_yes_nor_no(payload: object) -> None:
    """A text, a number and an error are unreadable."""
    with pytest.raises(EquaUnavailable):
        holds_any(payload, ADMIN_PERMISSIONS)


@settings(deadline=None)
@given(json_of(KEYS))
def test_junk_without_the_name_makes_no_administrator(payload: object) -> None:
    """No shape holds a permission that it does not name, and none raises another error than ours."""
    with suppress(EquaUnavailable):
        assert not holds_any(payload, ADMIN_PERMISSIONS)


@settings(deadline=None)
@given(
    json_of(["editMembers", "permissions", "data", "user"], "viewSelf").filter(
        lambda value: True not in _leaves(value)
    )
)
def test_a_key_without_true_makes_no_administrator(payload: object) -> None:
    """Whatever stands behind the name of a permission, only true holds it."""
    with suppress(EquaUnavailable):
        assert not holds_any(payload, ADMIN_PERMISSIONS)


@settings(deadline=None)
@given(st.lists(st.sampled_from(["viewSelf", "editMembers"])), st.booleans())
def test_no_permission_is_enough_when_none_is_configured(names: list[str], wrapped: bool) -> None:  # noqa: FBT001 - drawn
    """Without EQUA_ADMIN_PERMISSIONS there are no administrators."""
    assert not holds_any({"permissions": names} if wrapped else names, ())


def _leaves(value: object) -> list[object]:
    """Return the scalars; True equals 1, so numbers count by their type."""
    if isinstance(value, dict):
        return [leaf for inner in value.values() for leaf in _leaves(inner)]
    if isinstance(value, list):
        return [leaf for inner in value for leaf in _leaves(inner)]
    return [value] if isinstance(value, bool) else []
