"""Teams, tokens and marks."""

from collections.abc import Callable

import pytest

from bridge.errors import MattermostUnavailable
from bridge.mattermost.rest.objects import (
    is_current_member,
    parse_named_channel,
    parse_team,
    parse_token,
    parse_user_with_mark,
)
from bridge.models.chat import AccessToken, Team, TeamId, TokenId

ID = "a" * 26
TEAM = {"id": ID, "name": "acme", "display_name": "Acme", "delete_at": 0, "company_name": "m4rk"}
TOKEN = {"id": ID, "description": "equabot-bridge", "user_id": "b" * 26, "is_active": True}


def test_a_team_is_read_with_its_mark() -> None:
    """A team without one has an empty mark."""
    assert parse_team(TEAM) == Team(TeamId(ID), "acme", "Acme", 0, "m4rk")
    assert parse_team({**TEAM, "company_name": None}).mark == ""


def test_a_token_is_read_with_its_secret_if_there_is_one() -> None:
    """Lists come without."""
    assert parse_token(TOKEN) == AccessToken(TokenId(ID), "equabot-bridge", "")
    assert parse_token({**TOKEN, "token": "s3cret"}).secret == "s3cret"


def test_a_user_is_read_with_the_mark_among_their_props() -> None:
    """Most have no props at all."""
    user = {"id": ID, "username": "ada"}

    assert parse_user_with_mark(user).mark == ""
    assert parse_user_with_mark({**user, "props": None}).mark == ""
    assert parse_user_with_mark({**user, "props": {"equabot_bridge": "m4rk"}}).mark == "m4rk"


def test_a_channel_is_read_with_its_title() -> None:
    """Beside the name that stands in addresses."""
    channel = {"id": ID, "team_id": ID, "name": "cap-table", "type": "O", "display_name": "Cap table"}

    assert parse_named_channel(channel).display_name == "Cap table"


def test_a_membership_that_has_ended_is_none() -> None:
    """Mattermost keeps it, with the moment of its end."""
    assert is_current_member({"delete_at": 0})
    assert not is_current_member({"delete_at": 1700000000000})


@pytest.mark.parametrize(
    ("parse", "obj"),
    [
        (parse_team, None),
        (parse_team, []),
        (parse_team, {}),
        (parse_team, {**TEAM, "id": "short"}),
        (parse_team, {**TEAM, "name": ""}),
        (parse_team, {**TEAM, "name": 7}),
        (parse_team, {**TEAM, "delete_at": "never"}),
        (parse_token, "token"),
        (parse_token, {**TOKEN, "description": None}),
        (parse_token, {**TOKEN, "id": None}),
        (is_current_member, None),
        (is_current_member, {}),
        (is_current_member, {"delete_at": None}),
        (parse_user_with_mark, []),
        (parse_named_channel, {"id": ID}),
    ],
)
def test_what_cannot_be_read_is_no_answer(parse: Callable[[object], object], obj: object) -> None:
    """It is never taken for something else."""
    with pytest.raises(MattermostUnavailable):
        parse(obj)
