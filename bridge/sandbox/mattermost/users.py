"""The rules for accounts of people.

Sources: server/public/model/user.go (`IsValid`), server/channels/app/user.go, server/channels/app/limits.go.
"""

import re
from typing import Any

from bridge.sandbox.mattermost.errors import ApiError
from bridge.sandbox.mattermost.events import Broadcast, Event
from bridge.sandbox.mattermost.passwords import check_password
from bridge.sandbox.mattermost.records import User
from bridge.sandbox.mattermost.state import State
from bridge.sandbox.mattermost.wire_accounts import user_json

_USERNAME = re.compile(r"[a-z0-9.\-_]+")
_ATOMS = r"[a-z0-9!#$%&'*+/=?^_`{|}~\x80-\U0010ffff-]+"
_EMAIL = re.compile(rf"{_ATOMS}(\.{_ATOMS})*@{_ATOMS}(\.{_ATOMS})*")
"""What Go's net/mail takes for an address without a name, in small letters (`IsValidEmail`)."""

_RESERVED = frozenset(("all", "channel", "matterbot", "system"))
_LONGEST = {"nickname": 64, "first_name": 64, "last_name": 64, "position": 128}
PROFILE = ("nickname", "first_name", "last_name", "position", "locale")


def notify_props() -> dict[str, str]:
    """Return the defaults; a fresh person is not named by the first name alone."""
    return {
        "channel": "true",
        "comments": "never",
        "desktop": "mention",
        "desktop_sound": "true",
        "desktop_threads": "all",
        "email": "true",
        "email_threads": "all",
        "first_name": "false",
        "mention_keys": "",
        "push": "mention",
        "push_status": "online",
        "push_threads": "all",
    }


def create_user(state: State, fields: dict[str, Any]) -> User:
    """Create an account as an administrator does; the first one becomes system administrator."""
    if over_user_limit(state):
        raise ApiError("api.user.create_user.user_limits.exceeded", 400)
    if not fields.get("auth_service"):
        check_password(state, str(fields.get("password") or ""))
    _check_domain(state, str(fields.get("email") or ""), "create_user")
    first = not any(user.bot is None for user in state.users.values())
    user = _build(state, fields)
    if first:
        user.roles = "system_admin system_user"
    return save_user(state, user)


def _build(state: State, fields: dict[str, Any]) -> User:
    now = state.now()
    username = str(fields.get("username") or "").lower()
    return User(
        id=state.new_id(),
        username=username,
        email=str(fields.get("email") or "").lower(),
        create_at=now,
        update_at=now,
        password=str(fields.get("password") or ""),
        email_verified=bool(fields.get("email_verified")),
        auth_service=str(fields.get("auth_service") or ""),
        auth_data=str(fields.get("auth_data") or ""),
        props=dict(fields.get("props") or {}),
        notify_props=dict(fields.get("notify_props") or notify_props()),
        nickname=str(fields.get("nickname") or ""),
        first_name=str(fields.get("first_name") or ""),
        last_name=str(fields.get("last_name") or ""),
        position=str(fields.get("position") or ""),
    )


def save_user(state: State, user: User) -> User:
    """Check, add and announce a new account, of a person or a bot."""
    check_user(user)
    _check_unique(state, user)
    state.users[user.id] = user
    state.user_by_name[user.username] = user
    state.user_by_email[user.email] = user
    if user.auth_data:
        state.user_by_auth_data[user.auth_data] = user
    state.publish(Event("new_user", {"user_id": user.id}))
    return user


def check_user(user: User) -> None:
    """Raise what `User.IsValid` answers."""
    if not is_username(user.username):
        raise invalid_user("username")
    if not is_email(user.email) or len(user.email) > 128:
        raise invalid_user("email")
    if user.auth_data and not user.auth_service:
        raise invalid_user("auth_data_type")
    if user.auth_data and user.password:
        raise invalid_user("auth_data_pwd")
    for name, longest in _LONGEST.items():
        if len(getattr(user, name)) > longest:
            raise invalid_user(name)


def is_username(text: str) -> bool:
    return bool(_USERNAME.fullmatch(text)) and len(text) <= 64 and text not in _RESERVED


def is_email(text: str) -> bool:
    return _EMAIL.fullmatch(text) is not None and text == text.lower()


def invalid_user(field: str) -> ApiError:
    return ApiError(f"model.user.is_valid.{field}.app_error", 400)


def _check_unique(state: State, user: User) -> None:
    """Raise as the first of PostgreSQL's unique indices does; that of `auth_data` has no error of its own."""
    if state.user_by_name.get(user.username, user) is not user:
        raise ApiError(
            "app.user.save.username_exists.app_error", 400, "An account with that username already exists."
        )
    if user.auth_data and state.user_by_auth_data.get(user.auth_data, user) is not user:
        raise ApiError("app.user.save.app_error", 500, "Unable to save the account.")
    if state.user_by_email.get(user.email, user) is not user:
        raise _email_exists()


def _email_exists() -> ApiError:
    return ApiError("app.user.save.email_exists.app_error", 400, "An account with that email already exists.")


def _check_domain(state: State, email: str, where: str) -> None:
    domains = str(state.settings.get("TeamSettings", "RestrictCreationToDomains")).lower()
    wanted = domains.replace("@", " ").replace(",", " ").split()
    if wanted and not any(email.lower().endswith(f"@{domain}") for domain in wanted):
        raise ApiError(f"api.user.{where}.accepted_domain.app_error", 400)


def active_people(state: State) -> int:
    """Return how many accounts count for the limit of a server without a licence."""
    return sum(user.bot is None and user.delete_at == 0 for user in state.users.values())


def over_user_limit(state: State) -> bool:
    """Tell whether more people are active than may be; counted only when there are enough accounts."""
    limit = state.settings.max_active_users
    return len(state.users) > limit and active_people(state) > limit


def find_user(state: State, user_id: str) -> User:
    """Return the account, also a deactivated one."""
    if user_id not in state.users:
        raise ApiError("app.user.missing_account.const", 404, "Unable to find the user.")
    return state.users[user_id]


def patch_user(state: State, user: User, fields: dict[str, Any]) -> User:
    """Change what is given and announce it."""
    before = (user.username, user.email)
    changed = {
        name: fields[name]
        for name in (*PROFILE, "username", "email", "props", "notify_props")
        if fields.get(name) is not None
    }
    if any(changed.get(name, getattr(user, name)) != getattr(user, name) for name in _of_service(user)):
        raise ApiError("api.user.patch_user.login_provider_attribute_set.app_error", 409)
    if changed.get("email", user.email) != user.email:
        _check_domain(state, changed["email"], "update_user")
        if state.settings.get("EmailSettings", "RequireEmailVerification"):
            _check_email_free(state, changed.pop("email"))
    kept = {name: getattr(user, name) for name in changed}
    for name, value in changed.items():
        setattr(user, name, value.lower() if name in ("username", "email") else value)
    try:
        check_user(user)
        _check_unique(state, user)
    except ApiError:
        for name, value in kept.items():
            setattr(user, name, value)
        raise
    reindex(state, user, before)
    if user.email != before[1]:
        user.email_verified = False
    return touched(state, user)


def _of_service(user: User) -> tuple[str, ...]:
    """Return what only the service that an account signs in by may change (`CheckProviderAttributes`)."""
    if not user.auth_service:
        return ()
    return ("username", "first_name", "last_name") if user.auth_service == "gitlab" else ("username",)


def _check_email_free(state: State, email: str) -> None:
    """Raise unless a link may be sent there, by which the person makes it theirs."""
    if email.lower() in state.user_by_email:
        raise _email_exists()


def reindex(state: State, user: User, before: tuple[str, str]) -> None:
    """Find an account by its present name and address, no longer by those before."""
    state.user_by_name.pop(before[0], None)
    state.user_by_email.pop(before[1], None)
    state.user_by_name[user.username] = user
    state.user_by_email[user.email] = user


def touched(state: State, user: User) -> User:
    """Note and announce that an account changed."""
    user.update_at = state.now()
    state.publish(
        Event("user_updated", {"user": user_json(user)}, Broadcast(omit_users=frozenset((user.id,))))
    )
    state.publish(Event("user_updated", {"user": user_json(user, "self")}, Broadcast(user_id=user.id)))
    return user
