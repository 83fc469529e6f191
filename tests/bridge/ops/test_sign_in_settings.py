"""Mattermost's GitLab sign-in: whose it is, and the settings that make it the bridge's."""

import pytest

from bridge.ops.settings import Config, deviations, patch
from bridge.ops.sign_in_settings import (
    RECOMMENDED,
    Provider,
    bridge_url,
    endpoints,
    has_secret,
    may_have,
    provider,
)
from handlers.http.oauth import CLIENT_ID

MASK = "*" * 32
OURS = {"Id": CLIENT_ID, "TokenEndpoint": "http://bridge:8090/login/equa/token"}


def gitlab(**values: object) -> Config:
    return {"GitLabSettings": values}


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, "none"),
        (gitlab(Enable=False, Id=CLIENT_ID), "none"),
        (gitlab(Enable=True, Id=CLIENT_ID), "bridge"),
        (gitlab(Enable=True, Id="0123abc"), "other"),
        (gitlab(Enable=True), "other"),
    ],
)
def test_whom_it_asks(config: Config, expected: Provider) -> None:
    """The client's id tells a bridge from a real GitLab."""
    assert provider(config) == expected


@pytest.mark.parametrize(
    ("config", "address"),
    [
        (gitlab(**OURS), "http://bridge:8090"),
        (gitlab(**OURS | {"Id": "0123abc"}), ""),
        (gitlab(Id=CLIENT_ID, TokenEndpoint="https://gitlab.com/oauth/token"), ""),
        (gitlab(Id=CLIENT_ID), ""),
        ({}, ""),
    ],
)
def test_where_it_reaches_the_bridge(config: Config, address: str) -> None:
    """The address is in the settings once setup has run."""
    assert bridge_url(config) == address


@pytest.mark.parametrize(
    ("config", "has", "may"),
    [
        (gitlab(Id=CLIENT_ID, Secret=MASK), True, True),
        (gitlab(Id=CLIENT_ID, Secret="the secret"), True, True),
        (gitlab(Id=CLIENT_ID, Secret="another"), True, False),
        (gitlab(Id=CLIENT_ID, Secret=""), False, False),
        (gitlab(Id="0123abc", Secret=MASK), False, False),
    ],
)
def test_a_secret_is_masked(config: Config, *, has: bool, may: bool) -> None:
    """Only local mode shows it; a real GitLab's is none of ours."""
    assert (has_secret(config), may_have(config, "the secret")) == (has, may)


def test_the_addresses() -> None:
    """Browsers go to the chat's host, Mattermost itself to the bridge."""
    wanted = endpoints("https://chat.example.com", "http://bridge:8090")

    (section,) = patch(deviations({"GitLabSettings": {each.name: None for each in wanted}}, wanted)).values()

    assert section == {
        "Enable": True,
        "Id": CLIENT_ID,
        "Scope": "",
        "AuthEndpoint": "https://chat.example.com/login/equa/authorize",
        "TokenEndpoint": "http://bridge:8090/login/equa/token",
        "UserAPIEndpoint": "http://bridge:8090/login/equa/user",
    }


@pytest.mark.parametrize(
    ("hours", "minutes", "wrong"),
    [
        (168, 60, []),
        (24, 0, []),
        (720, 43_200, ["SessionLengthSSOInHours"]),
        (168, 5, ["SessionIdleTimeoutInMinutes"]),
    ],
)
def test_sessions_end_neither_too_late_nor_too_early(hours: int, minutes: int, wrong: list[str]) -> None:
    """An idle time-out may be off; a shorter session may be somebody's rule."""
    config = {"ServiceSettings": {"SessionLengthSSOInHours": hours, "SessionIdleTimeoutInMinutes": minutes}}

    assert [each.setting.name for each in deviations(config, RECOMMENDED)] == wrong
