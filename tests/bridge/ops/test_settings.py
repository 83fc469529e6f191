"""The wanted settings, the deviations, and the patch that corrects them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.ops.settings import Deviation, Setting, Site, deviations, patch, shown

SITE = Site("http://mm:8065", None, ("https://app.example.com",), ("announcements", "agent"))

NUMBER = Setting("TeamSettings", "MaxUsersPerTeam", 100, "why", must=True, rule="at_least")
WORDS = Setting("TeamSettings", "ExperimentalDefaultChannels", ("a", "b"), "why", rule="includes")
EXACT = Setting("ServiceSettings", "SiteURL", "https://chat.example.com", "why")

found = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text("abc ", max_size=3))


@pytest.mark.parametrize(
    ("setting", "value", "fits"),
    [
        (NUMBER, 100, True),
        (NUMBER, 101, True),
        (NUMBER, 99, False),
        (NUMBER, None, False),
        (WORDS, ["b", "x", "a"], True),
        (WORDS, "a b", True),
        (WORDS, ["a"], False),
        (WORDS, None, False),
        (EXACT, "https://chat.example.com/", True),
        (EXACT, "http://chat.example.com", False),
        (EXACT, None, False),
    ],
)
def test_what_fits(setting: Setting, value: object, *, fits: bool) -> None:
    """A limit may be higher, a list longer, an address may end with a slash."""
    assert setting.fits(value) is fits


@given(found, st.sampled_from(SITE.settings()))
def test_the_target_always_fits(value: object, setting: Setting) -> None:
    """Whatever a server has, what setup sets in its place is what doctor wants."""
    assert setting.fits(setting.target(value))


def test_what_a_list_has_already_stays() -> None:
    """Of the type that the server has: a list, or words separated by spaces."""
    assert WORDS.target(["x", "b"]) == ["x", "b", "a"]
    assert WORDS.target("x") == "x a b"


def test_a_setting_that_the_version_lacks_is_no_deviation() -> None:
    """Unless the bridge cannot do without it."""
    missing = deviations({"TeamSettings": {}}, [NUMBER, WORDS])

    assert [each.setting for each in missing] == [NUMBER]


def test_the_patch_names_only_what_deviates() -> None:
    """By section, as PUT /config/patch takes it."""
    config = {"TeamSettings": {"MaxUsersPerTeam": 50, "ExperimentalDefaultChannels": ["b", "a"]}}

    assert patch(deviations(config, [NUMBER, WORDS])) == {"TeamSettings": {"MaxUsersPerTeam": 100}}


@pytest.mark.parametrize(
    ("deviation", "line"),
    [
        (Deviation(NUMBER, 50), "MM_TEAMSETTINGS_MAXUSERSPERTEAM=100"),
        (Deviation(WORDS, ["x"]), "MM_TEAMSETTINGS_EXPERIMENTALDEFAULTCHANNELS=x a b"),
        (Deviation(Setting("A", "B", True, ""), False), "MM_A_B=true"),
        (Deviation(Setting("A", "B", "", ""), "x"), "MM_A_B="),
    ],
)
def test_the_line_for_the_environment(deviation: Deviation, line: str) -> None:
    """As Mattermost reads it: lists separated by spaces."""
    assert deviation.variable == line


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "(none)"), ("", "(none)"), ([], "(none)"), (False, "false"), (["a", "b"], "a b")],
)
def test_values_are_shown_to_people(value: object, text: str) -> None:
    """Nothing is shown too."""
    assert shown(value) == text


@pytest.mark.parametrize(
    ("said", "own", "wanted"),
    [
        (None, "", "http://mm:8065"),
        (None, "https://chat.example.com", "https://chat.example.com"),
        ("https://new.example.com", "https://chat.example.com", "https://new.example.com"),
    ],
)
def test_the_public_address(said: str | None, own: str, wanted: str) -> None:
    """What was said wins, then what the server has, then where the bridge reaches it."""
    site = Site("http://mm:8065", said, (), ()).with_public_url({"ServiceSettings": {"SiteURL": own}})

    assert [each.value for each in site.settings() if each.name == "SiteURL"] == [wanted]


def test_without_embedding_pages_frame_ancestors_do_not_matter() -> None:
    """The setting is wanted only where WEB_ORIGINS says who embeds."""
    names = [each.name for each in Site("http://mm", None, (), ()).settings()]

    assert "FrameAncestors" in [each.name for each in SITE.settings()]
    assert "FrameAncestors" not in names
