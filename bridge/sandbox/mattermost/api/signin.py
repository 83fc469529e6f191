"""Routes of sessions: log in, log out, list, revoke.

Sources: server/channels/api4/user.go, server/channels/app/login.go.
"""

from aiohttp import web

from bridge.sandbox.mattermost.api.call import Call, answer, ok
from bridge.sandbox.mattermost.api.routing import route
from bridge.sandbox.mattermost.credentials import COOKIE, attach_cookies
from bridge.sandbox.mattermost.errors import ApiError, invalid_param, session_expired
from bridge.sandbox.mattermost.passwords import give_password
from bridge.sandbox.mattermost.records import User
from bridge.sandbox.mattermost.sessions import end_all_sessions, end_session, log_in, password_matches
from bridge.sandbox.mattermost.wire_accounts import session_json, user_json


async def login(call: Call) -> web.StreamResponse:
    """Start a session with a password; cookies only for `X-Requested-With: XMLHttpRequest`."""
    fields = await call.fields("body")
    user = _find(call, str(fields.get("id") or ""), str(fields.get("login_id") or ""))
    _check(call, user, str(fields.get("password") or ""))
    session = log_in(call.state, user)
    response = answer(user_json(user, "self"))
    response.headers["Token"] = session.token
    if call.request.headers.get("X-Requested-With") == "XMLHttpRequest":
        attach_cookies(call.request, call.state.settings, response, session)
    return response


async def login_with_desktop_token(call: Call) -> web.StreamResponse:
    """Start a session for the desktop app with what the browser has handed over, once."""
    token = str((await call.fields("body")).get("token") or "")
    user_id, expires = call.state.desktop_tokens.pop(token, ("", 0))
    if expires <= call.state.now():
        raise ApiError("app.desktop_token.validate.invalid", 401)
    user = call.state.users[user_id]
    session = log_in(call.state, user, "SessionLengthSSOInHours")
    response = answer(user_json(user, "self"))
    attach_cookies(call.request, call.state.settings, response, session)
    return response


def _find(call: Call, user_id: str, login_id: str) -> User:
    state = call.state
    user = state.users.get(user_id) if user_id else None
    email = state.settings.sections["EmailSettings"]
    if user is None and login_id and email["EnableSignInWithUsername"]:
        user = state.user_by_name.get(login_id.lower())
    if user is None and login_id and email["EnableSignInWithEmail"]:
        user = state.user_by_email.get(login_id.lower())
    if user is None:
        raise _wrong()
    return user


def _wrong() -> ApiError:
    return ApiError(
        "api.user.login.invalid_credentials_email_username",
        401,
        "Enter a valid email or username and/or password.",
    )


def _check(call: Call, user: User, password: str) -> None:
    if not password:
        raise ApiError("api.user.login.blank_pwd.app_error", 400)
    if user.bot is not None:
        raise ApiError("api.user.login.bot_login_forbidden.app_error", 401)
    if user.auth_service:
        raise _wrong()
    if user.failed_logins >= call.state.settings.get("ServiceSettings", "MaximumLoginAttempts"):
        raise ApiError("api.user.check_user_login_attempts.too_many.app_error", 401)
    if not password_matches(user, password):
        user.failed_logins += 1
        raise _wrong()
    user.failed_logins = 0
    if user.delete_at:
        raise ApiError("api.user.login.inactive.app_error", 401)


async def send_reset(call: Call) -> web.StreamResponse:
    """Mail a link to set a password by; whether the address is anybody's is not told."""
    email = str((await call.fields("email")).get("email") or "")
    if not email:
        raise invalid_param("email")
    user = call.state.user_by_email.get(email.lower())
    if user is not None and user.auth_data:
        raise ApiError("api.user.send_password_reset.sso.app_error", 400)
    return ok()


async def switch(call: Call) -> web.StreamResponse:
    """Go from another service to a password; the other way is open to nobody here."""
    fields = await call.fields("switch_request")
    if fields.get("current_service") == "email":
        raise ApiError("api.user.check_user_password.invalid.app_error", 401)
    if call.session is None:
        raise session_expired()
    if not call.state.settings.get("EmailSettings", "EnableSignUpWithEmail"):
        raise ApiError("api.user.auth_switch.not_available.email_signup_disabled.app_error", 403)
    user = call.state.user_by_email.get(str(fields.get("email") or "").lower())
    if user is not call.me:
        raise ApiError("api.user.oauth_to_email.context.app_error", 403)
    give_password(call.state, user, str(fields.get("new_password") or ""))
    end_all_sessions(call.state, user.id)
    return answer({"follow_link": "/login?extra=signin_change"})


async def logout(call: Call) -> web.StreamResponse:
    """End the session; a personal access token stays good."""
    if call.session is not None:
        end_session(call.state, call.session)
    response = ok()
    response.del_cookie(COOKIE, path="/")
    return response


async def list_sessions(call: Call) -> web.StreamResponse:
    user_id = call.id("user_id")
    call.require_self(user_id)
    return answer([session_json(each) for each in call.state.sessions_of_user[user_id].values()])


async def revoke(call: Call) -> web.StreamResponse:
    """End one session of a user."""
    user_id = call.id("user_id")
    call.require_self(user_id)
    session_id = str((await call.fields("session_id")).get("session_id") or "")
    session = call.state.sessions.get(session_id)
    if session is None or session.user_id != user_id:
        raise invalid_param("session_id")
    end_session(call.state, session)
    return ok()


async def revoke_all(call: Call) -> web.StreamResponse:
    user_id = call.id("user_id")
    call.require_self(user_id)
    end_all_sessions(call.state, user_id)
    return ok()


ROUTES = (
    route("POST", "/users/login", login, open_to_all=True),
    route("POST", "/users/login/desktop_token", login_with_desktop_token, open_to_all=True),
    route("POST", "/users/logout", logout, open_to_all=True),
    route("POST", "/users/login/switch", switch, open_to_all=True),
    route("POST", "/users/password/reset/send", send_reset, open_to_all=True),
    route("GET", "/users/{user_id}/sessions", list_sessions),
    route("POST", "/users/{user_id}/sessions/revoke", revoke),
    route("POST", "/users/{user_id}/sessions/revoke/all", revoke_all),
)
