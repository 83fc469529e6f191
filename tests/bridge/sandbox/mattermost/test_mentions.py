"""Who is mentioned by a message."""

import pytest

from bridge.sandbox.mattermost.mentions import mentioned_names


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ("@equabot hello", "equabot"),
        ("hello @EquaBot", "equabot"),
        ("thanks @equabot.", "equabot"),
        ("(@equabot)", "equabot"),
        ("@equabot: look", "equabot"),
        ("@equabot2 look", "equabot2"),
        ("@all", "all"),
        ("a @first.last b", "first.last"),
    ],
)
def test_names_after_an_at_sign_are_mentioned(message: str, name: str) -> None:
    """Whatever their case and the punctuation around them."""
    assert name in mentioned_names(message)


@pytest.mark.parametrize(
    "message",
    ["", "equabot", "me@equabot.com", "`@equabot`", "```\n@equabot\n```", "```@equabot never closed"],
)
def test_nobody_is_mentioned_without_one_or_in_code(message: str) -> None:
    """Nor in an address."""
    assert "equabot" not in mentioned_names(message)


def test_a_longer_name_is_another_name() -> None:
    """@equabot2 is not @equabot."""
    assert "equabot" not in mentioned_names("@equabot2")
