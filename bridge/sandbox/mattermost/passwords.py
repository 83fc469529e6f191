"""By what people are known: a password, or another service.

Sources: server/public/model/user.go, server/channels/app/user.go, `UpdatePassword` and `UpdateAuthData` in
server/channels/store/sqlstore/user_store.go.
"""

from bridge.sandbox.mattermost.errors import ApiError
from bridge.sandbox.mattermost.records import User
from bridge.sandbox.mattermost.state import State


def check_password(state: State, password: str) -> None:
    """Raise unless the password is as long as the settings want; at most 72 bytes in any case."""
    if len(password.encode()) < state.settings.get("PasswordSettings", "MinimumLength"):
        raise ApiError("model.user.is_valid.pwd_min_length.app_error", 400)
    if len(password.encode()) > 72:
        raise ApiError("model.user.is_valid.pwd_max_length.app_error", 400)


def give_password(state: State, user: User, password: str) -> None:
    """Let the account sign in with a password, and with nothing else from then on."""
    check_password(state, password)
    state.user_by_auth_data.pop(user.auth_data, None)
    user.password, user.auth_service, user.auth_data = password, "", ""


def give_service(state: State, user: User, service: str, data: str) -> None:
    """Leave it to another service to know the person; the password is gone."""
    state.user_by_auth_data.pop(user.auth_data, None)
    state.user_by_auth_data[data] = user
    user.auth_service, user.auth_data, user.password = service, data, ""
