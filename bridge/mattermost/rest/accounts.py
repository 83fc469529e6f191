"""The fields of an account that the bridge creates. Pure: no I/O is imported here."""

from collections.abc import Mapping
from typing import Any

from bridge.mattermost.json_text import MalformedError
from bridge.mattermost.rest.objects import USER_MARK
from bridge.models.chat import GITLAB, NewUser

_AUTH_SERVICE = "equa"
"""None that a server knows, so nobody signs in by it. But an account of any service has no password there: no
link to reset one is mailed, none is set (`SendPasswordReset`, `UpdatePasswordAsUser` in
server/channels/app/user.go). Its name cannot be changed (`CheckProviderAttributes`)."""

_NOTIFY_PROPS = {
    "email": "true",
    "push": "mention",
    "desktop": "mention",
    "desktop_sound": "true",
    "mention_keys": "",
    "channel": "true",
    "push_status": "online",
    "comments": "never",
    "first_name": "false",
    "desktop_threads": "all",
    "email_threads": "all",
    "push_threads": "all",
}
"""Mattermost's own (`SetDefaultNotifications` in server/public/model/user.go): it adds them to no others."""


def account_body(account: NewUser) -> dict[str, Any]:
    """Return the body of `POST /users`, in which only an administrator may name a service."""
    body: dict[str, Any] = {
        "username": account.username,
        "email": account.email,
        "first_name": account.first_name,
        "last_name": account.last_name,
        "nickname": account.nickname,
        # Unique in Mattermost: one attempt creates one account, whatever name it tries.
        **(auth_body(account.auth_data) if account.auth_data else _no_sign_in(account)),
        "email_verified": True,
        "disable_welcome_email": True,
        "props": {USER_MARK: account.mark},
    }
    if not account.email_notifications:
        body["notify_props"] = {**_NOTIFY_PROPS, "email": "false"}
    return body


def auth_body(auth_data: int) -> dict[str, Any]:
    """Return the fields by which Mattermost's GitLab sign-in finds the account."""
    return {"auth_service": GITLAB, "auth_data": str(auth_data)}


def _no_sign_in(account: NewUser) -> dict[str, Any]:
    return {"auth_service": _AUTH_SERVICE, "auth_data": account.mark}


def parse_notify_props(obj: object) -> Mapping[str, str]:
    """Return when an account wants to be notified; the server shows it with some answers only."""
    match obj:
        case {"notify_props": {**props}}:
            return {str(name): str(value) for name, value in props.items()}
    raise MalformedError("Mattermost sent an account that cannot be read.")
