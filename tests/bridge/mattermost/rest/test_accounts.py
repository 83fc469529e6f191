"""What accounts are created with."""

import pytest

from bridge.errors import MattermostUnavailable
from bridge.mattermost.rest.accounts import account_body, parse_notify_props
from bridge.models.chat import NewUser


def test_no_account_is_created_with_a_password() -> None:
    """Another service than Mattermost knows its person, by its mark."""
    body = account_body(NewUser("ada", "ada@example.com", "Ada", "Moreno", "m4rk"))

    assert "password" not in body
    assert (body["auth_service"], body["auth_data"]) == ("equa", "m4rk")
    assert body["props"] == {"equabot_bridge": "m4rk"}
    assert "notify_props" not in body


def test_a_quiet_account_only_gets_no_mail() -> None:
    """All other notifications have to be named, because Mattermost adds none."""
    body = account_body(NewUser("ada", "ada@example.com", "Ada", "Moreno", "m4rk", email_notifications=False))

    props = body["notify_props"]
    assert (props["email"], props["desktop"], props["push"], len(props)) == (
        "false",
        "mention",
        "mention",
        12,
    )


def test_the_wishes_for_notifications_are_read() -> None:
    """As they are, to be given back as a whole."""
    assert parse_notify_props({"notify_props": {"email": "true"}}) == {"email": "true"}


@pytest.mark.parametrize("obj", [None, {}, {"notify_props": None}, {"notify_props": "email"}])
def test_without_them_nothing_is_made_up(obj: object) -> None:
    """It is never taken for an account that wants none."""
    with pytest.raises(MattermostUnavailable):
        parse_notify_props(obj)
