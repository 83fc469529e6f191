"""Mattermost's side of "Sign in with Equa": its GitLab sign-in, with the bridge as provider.

Pure: no I/O is imported here. Browsers are sent to `AuthEndpoint`; the other two are asked by Mattermost
itself, which may reach a private address there (server/channels/app/oauth.go).
"""

from collections.abc import Sequence
from typing import Any, Literal

from bridge.ops.settings import Config, Setting
from handlers.http.oauth import CLIENT_ID

SUBJECT = "sign-in with Equa"
VARIABLE = "SIGN_IN_SECRET"

AUTHORIZE, TOKEN, USER = "/login/equa/authorize", "/login/equa/token", "/login/equa/user"

_GITLAB = "GitLabSettings"

_MASK = "*" * 32
"""What the API shows in place of a secret (`FakeSetting` in server/public/model/config.go)."""

_LONGEST = 168
"""Hours that a browser stays signed in after it was last used: a week."""

_SHORTEST_PAUSE = 60
"""Minutes that people may be idle. Personal access tokens knew no such limit, sessions do."""

Provider = Literal["none", "bridge", "other"]
"""Whom Mattermost's GitLab sign-in asks."""


def provider(config: Config) -> Provider:
    if not _value(config, "Enable"):
        return "none"
    return "bridge" if _is_for_bridge(config) else "other"


def endpoint(config: Config, name: str) -> str:
    return str(_value(config, name) or "")


def bridge_url(config: Config) -> str:
    """Return the address at which Mattermost asks the bridge; empty if it does not."""
    address = endpoint(config, "TokenEndpoint")
    return address.removesuffix(TOKEN) if _is_for_bridge(config) and address.endswith(TOKEN) else ""


def has_secret(config: Config) -> bool:
    """Return whether Mattermost has a secret for the bridge."""
    return _is_for_bridge(config) and bool(_value(config, "Secret"))


def may_have(config: Config, secret: str) -> bool:
    """Return whether Mattermost may have this secret already; its API masks it, its local mode does not."""
    return _is_for_bridge(config) and _value(config, "Secret") in (_MASK, secret)


def secret_patch(secret: str) -> dict[str, dict[str, Any]]:
    return {_GITLAB: {"Secret": secret}}


def endpoints(public_url: str, inner_url: str) -> tuple[Setting, ...]:
    """Return the settings without which nobody gets in; at `inner_url` Mattermost reaches the bridge."""
    browsers, inside = "browsers do not reach the bridge", "Mattermost does not reach the bridge"
    return (
        Setting(_GITLAB, "Id", CLIENT_ID, "the bridge does not know Mattermost"),
        Setting(_GITLAB, "Scope", "", "the bridge knows no scopes"),
        Setting(_GITLAB, "AuthEndpoint", public_url + AUTHORIZE, browsers),
        Setting(_GITLAB, "TokenEndpoint", inner_url + TOKEN, inside),
        Setting(_GITLAB, "UserAPIEndpoint", inner_url + USER, inside),
        Setting(_GITLAB, "Enable", True, "nobody can be signed in from Equa"),
    )


RECOMMENDED: Sequence[Setting] = (
    Setting(_GITLAB, "ButtonText", "Sign in with Equa", "the button says GitLab"),
    Setting(
        "ServiceSettings",
        "SessionLengthSSOInHours",
        _LONGEST,
        "a browser that nobody uses any more stays signed in for long",
        rule="at_most",
    ),
    Setting(
        "ServiceSettings",
        "SessionIdleTimeoutInMinutes",
        _SHORTEST_PAUSE,
        "people are signed out after a short pause",
        rule="at_least_or_none",
    ),
)

NO_PASSWORDS: Sequence[Setting] = tuple(
    Setting("EmailSettings", name, False, "people see a password form, and have no password")
    for name in ("EnableSignInWithEmail", "EnableSignInWithUsername")
)


def _is_for_bridge(config: Config) -> bool:
    return bool(_value(config, "Id") == CLIENT_ID)


def _value(config: Config, name: str) -> Any:
    return config.get(_GITLAB, {}).get(name)
