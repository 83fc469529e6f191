"""Which permissions are given and taken."""

from hypothesis import given
from hypothesis import strategies as st

from bridge.ops.isolation import CHANNEL_CONTROL, WANTED, RoleChange, remaining

PERMISSIONS = sorted(
    {name for each in WANTED for name in each.give | each.take} | {"view_team", "create_post"}
)

roles = st.fixed_dictionaries({each.role: st.sets(st.sampled_from(PERMISSIONS)) for each in WANTED})


@given(roles)
def test_applied_changes_leave_nothing_to_change(found: dict[str, set[str]]) -> None:
    """Whatever the roles held before; a second run has nothing to do."""
    after = {**found, **{each.role: set(each.applied(found[each.role])) for each in remaining(found)}}

    assert remaining(after) == []


@given(roles)
def test_everything_else_stays(found: dict[str, set[str]]) -> None:
    """Permissions that have nothing to do with it are neither given nor taken."""
    touched = {name for each in WANTED for name in each.give | each.take}
    for each in remaining(found):
        assert set(each.applied(found[each.role])) - touched == found[each.role] - touched


def test_people_may_still_write_to_each_other() -> None:
    """Direct messages stay, because only members of one's teams are seen."""
    taken = {name for each in WANTED for name in each.take}

    assert "create_direct_channel" not in taken
    assert "create_group_channel" in taken


def test_members_of_a_team_are_shown_before_all_others_are_hidden() -> None:
    """Else nobody saw anybody in between."""
    assert [each.role for each in WANTED] == ["team_user", "system_user", "channel_admin", "channel_user"]


def test_creators_of_channels_keep_what_members_lose() -> None:
    """Whoever creates a channel can still rename, archive and fill it."""
    taken = {each.role: each.take for each in WANTED}
    given_to = {each.role: each.give for each in WANTED}

    assert taken["channel_user"] == given_to["channel_admin"] == CHANNEL_CONTROL


def test_a_change_tells_what_it_does() -> None:
    """In words for a report."""
    change = RoleChange("team_user", give=frozenset({"b", "a"}), take=frozenset({"c"}))

    assert str(change) == "gives a b, takes c"
