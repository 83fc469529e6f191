"""What Mattermost's refusals mean to provisioning, by its ids of errors. Pure: no I/O is imported here.

Ids: server/channels/app/user.go, team.go, channel.go and session.go, server/public/model/user.go and team.go.
"""

import re
from collections.abc import Callable
from typing import Literal

from bridge.errors import (
    BridgeError,
    EmailNotAccepted,
    EmailTaken,
    MattermostFull,
    MattermostNotConfigured,
    MattermostRefused,
    NameTaken,
)

Limit = Literal["users", "teams", "team members", "channels", "tokens"]

_FULL = {
    "users": "Mattermost has reached its limit of active users: an operator has to deactivate accounts there"
    " or get a licence for more.",
    "team members": "This organization's team has reached its limit of members: an operator has to raise"
    " MM_TEAMSETTINGS_MAXUSERSPERTEAM.",
    "channels": "This organization's team has reached its limit of channels: an operator has to raise"
    " MM_TEAMSETTINGS_MAXCHANNELSPERTEAM.",
}

_NO_ROUTE = "api.context.404.app_error"
_ALREADY = re.compile(r"remove_user_from_team\.missing|(restore_channel\.restored|delete_channel\.deleted)")


def is_absence(error: MattermostRefused) -> bool:
    """Return whether the object is not there, or nothing is left to do.

    A 404 without Mattermost's id of an error comes from a proxy in between, and says nothing.
    """
    if error.http_status == 404:
        return error.error_id not in ("", _NO_ROUTE)
    return _ALREADY.search(error.error_id) is not None


def explained(error: MattermostRefused | MattermostFull, limit: Limit) -> BridgeError:
    """Return the error that says what was refused and what can be done; `limit` is what may be full."""
    if isinstance(error, MattermostFull):
        return MattermostFull(_FULL.get(limit, error.message))
    found = (meaning(error) for pattern, meaning in _MEANINGS if pattern.search(error.error_id))
    return next(found, error)


def _name_taken(error: MattermostRefused) -> BridgeError:
    return _as(NameTaken, error)


def _email_taken(error: MattermostRefused) -> BridgeError:
    return _as(EmailTaken, error)


def _as(kind: type[MattermostRefused], error: MattermostRefused) -> MattermostRefused:
    return kind(
        error.message, http_status=error.http_status, error_id=error.error_id, request_id=error.request_id
    )


def _channels_full(_: MattermostRefused) -> BridgeError:
    return MattermostFull(_FULL["channels"])


def _address_refused(_: MattermostRefused) -> BridgeError:
    return EmailNotAccepted("Mattermost does not accept an account with your e-mail address.")


def _tokens_disabled(_: MattermostRefused) -> BridgeError:
    return MattermostNotConfigured(
        "Mattermost issues no personal access tokens: an operator has to set"
        " MM_SERVICESETTINGS_ENABLEUSERACCESSTOKENS=true."
    )


_MEANINGS: tuple[tuple[re.Pattern[str], Callable[[MattermostRefused], BridgeError]], ...] = (
    (re.compile(r"max_channel_limit"), _channels_full),
    (re.compile(r"email_exists"), _email_taken),
    (re.compile(r"username_exists|model\.user\.is_valid\.username"), _name_taken),
    (re.compile(r"model\.team\.is_valid\.reserved|(save_team|team\.save)\.existing"), _name_taken),
    (re.compile(r"sql_channel\.(save_channel|update)\.(exists|previously)"), _name_taken),
    (re.compile(r"accepted_domain|model\.user\.is_valid\.email"), _address_refused),
    (re.compile(r"context\.invalid_url_param"), _address_refused),
    (re.compile(r"user_access_token\.disabled"), _tokens_disabled),
)
