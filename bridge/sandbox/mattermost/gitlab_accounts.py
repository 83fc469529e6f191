"""Which account a provider's answer belongs to, and what becomes of it.

Sources: server/channels/app/oauth.go (`LoginByOAuth`), server/channels/app/user.go (`UpdateOAuthUserAttrs`,
`CreateOAuthUser`), server/channels/app/oauthproviders/gitlab/gitlab.go, `CleanUsername` in
server/public/model/user.go.
"""

import re
from collections.abc import Mapping
from typing import Any

from bridge.sandbox.mattermost import teams, users
from bridge.sandbox.mattermost.errors import ApiError
from bridge.sandbox.mattermost.records import User
from bridge.sandbox.mattermost.state import State
from bridge.sandbox.mattermost.team_members import add_member

SERVICE = "gitlab"
_RESERVED = frozenset(
    (
        *("admin", "api", "channel", "claim", "error", "files", "help", "landing", "login", "mfa"),
        *("oauth", "plug", "plugins", "post", "signup", "boards", "playbooks"),
    )
)


def signed_in(state: State, answer: Any, team_id: str) -> User:
    """Return the account of whom the provider describes, made to match; a new one if there is none."""
    fields = _fields(state, answer)
    user = state.user_by_auth_data.get(fields["auth_data"])
    if user is None or user.auth_service != SERVICE:
        user = _created(state, fields)
    elif user.bot is not None:
        raise ApiError("api.user.login_by_oauth.bot_login_forbidden.app_error", 403)
    else:
        _update(state, user, fields)
    if team_id:
        add_member(state, teams.find_team(state, team_id), user)
    return user


def _fields(state: State, answer: Any) -> Mapping[str, str]:
    """Read what the provider says; a number of 0 or no address is nobody."""
    match answer:
        case {"id": int(number), "email": str(email), **rest} if number and email:
            first, _, last = str(rest.get("name") or "").partition(" ")
            username = clean_username(state, str(rest.get("username") or rest.get("login") or ""))
            return {
                "auth_data": str(number),
                "username": username,
                "email": email.lower(),
                "first_name": first,
                "last_name": last,
            }
    raise ApiError("api.user.login_by_oauth.parse.app_error", 400)


def clean_username(state: State, username: str) -> str:
    """Return a name that an account may have, as like the given one as Mattermost makes it."""
    name = username.replace(" ", "-").lower()
    name = "" if name in _RESERVED else name.strip()
    name = re.sub(r"[^a-z0-9._-]", "-", name).strip("-")
    return name if users.is_username(name) else f"a{state.new_id()}"


def _update(state: State, user: User, fields: Mapping[str, str]) -> None:
    before = (user.username, user.email)
    if fields["username"] not in state.user_by_name:
        user.username = fields["username"]
    if _full_name(fields["first_name"], fields["last_name"]) != _full_name(user.first_name, user.last_name):
        user.first_name, user.last_name = fields["first_name"], fields["last_name"]
    if fields["email"] not in state.user_by_email:
        user.email = fields["email"]
    user.delete_at = 0
    users.reindex(state, user, before)


def _full_name(first: str, last: str) -> str:
    return f"{first} {last}" if first and last else first or last


def _created(state: State, fields: Mapping[str, str]) -> User:
    if fields["email"] in state.user_by_email:
        raise ApiError("api.user.create_oauth_user.already_attached.app_error", 400)
    username, number = fields["username"], 0
    while username in state.user_by_name:
        username, number = f"{username}{number}", number + 1
    return users.create_user(
        state, {**fields, "username": username, "auth_service": SERVICE, "email_verified": True}
    )
