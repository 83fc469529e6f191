"""Sessions and personal access tokens: what a token stands for, and for how long.

Rules: server/channels/app/session.go, server/channels/app/login.go.
"""

import secrets

from bridge.sandbox.mattermost.errors import ApiError
from bridge.sandbox.mattermost.records import AccessToken, Session, User
from bridge.sandbox.mattermost.state import State

MAX_TOKEN_CHARACTERS = 50
MAX_SESSIONS = 500
_YEAR_IN_MS = 365 * 24 * 3600 * 1000


def create_token(state: State, user: User, description: str) -> AccessToken:
    """Create a personal access token; people need `EnableUserAccessTokens`, bots do not."""
    if user.bot is None and not state.settings.get("ServiceSettings", "EnableUserAccessTokens"):
        raise ApiError("app.user_access_token.disabled", 501, "Personal access tokens are disabled.")
    if not description or len(description) > 255:
        raise ApiError("model.user_access_token.is_valid.description.app_error", 400)
    token = AccessToken(state.new_id(), state.new_id(), user.id, description)
    state.tokens[token.id] = token
    state.token_by_secret[token.token] = token
    state.tokens_of_user[user.id][token.id] = token
    return token


def find_token(state: State, token_id: str) -> AccessToken:
    """Return the token with that id."""
    if token_id not in state.tokens:
        raise ApiError("app.user_access_token.get_by_user.app_error", 404)
    return state.tokens[token_id]


def revoke_token(state: State, token: AccessToken) -> None:
    """Forget the token and end its session."""
    end_sessions_of_token(state, token)
    del (
        state.tokens[token.id],
        state.token_by_secret[token.token],
        state.tokens_of_user[token.user_id][token.id],
    )


def set_token_active(state: State, token: AccessToken, *, active: bool) -> None:
    """Disable a token, which ends its session, or enable it again."""
    token.is_active = active
    if not active:
        end_sessions_of_token(state, token)


def end_sessions_of_token(state: State, token: AccessToken) -> None:
    session = state.session_by_token.get(token.token)
    if session is not None:
        end_session(state, session)


def log_in(state: State, user: User, length: str = "SessionLengthWebInHours") -> Session:
    """Start the session of somebody who is known; it has a CSRF token. `length` names a setting."""
    now = state.now()
    expires_at = now + state.settings.get("ServiceSettings", length) * 3600 * 1000
    return _add(state, Session(state.new_id(), state.new_id(), user.id, now, expires_at, csrf=state.new_id()))


def _add(state: State, session: Session) -> Session:
    mine = state.sessions_of_user[session.user_id]
    if len(mine) >= MAX_SESSIONS:
        end_session(state, next(iter(mine.values())))
    state.sessions[session.id] = mine[session.id] = session
    state.session_by_token[session.token] = session
    return session


def end_session(state: State, session: Session) -> None:
    """End a session; a personal access token starts another at its next use."""
    state.sessions.pop(session.id, None)
    state.session_by_token.pop(session.token, None)
    state.sessions_of_user[session.user_id].pop(session.id, None)


def end_all_sessions(state: State, user_id: str) -> None:
    for session in list(state.sessions_of_user[user_id].values()):
        end_session(state, session)


def find_session(state: State, token: str) -> Session | None:
    """Return the live session of a token, starting one for a personal access token that is good."""
    session = state.session_by_token.get(token)
    if session is None:
        return _session_of_access_token(state, token)
    if session.expires_at <= state.now():
        end_session(state, session)
        return None
    return session


def _session_of_access_token(state: State, secret: str) -> Session | None:
    token = state.token_by_secret.get(secret)
    if token is None or not token.is_active:
        return None
    user = state.users[token.user_id]
    if user.delete_at or (
        user.bot is None and not state.settings.get("ServiceSettings", "EnableUserAccessTokens")
    ):
        return None
    now = state.now()
    expires_at = now + 100 * _YEAR_IN_MS
    return _add(state, Session(state.new_id(), secret, user.id, now, expires_at, access_token_id=token.id))


def password_matches(user: User, password: str) -> bool:
    return bool(password) and secrets.compare_digest(user.password.encode(), password.encode())
