"""Where a request carries its token, and the CSRF rule for tokens in cookies.

Rules: server/channels/app/authentication.go (`ParseAuthTokenFromRequest`), server/channels/web/handlers.go
(`checkCSRFToken`).
"""

from dataclasses import dataclass
from typing import Literal

from aiohttp import web

from bridge.sandbox.mattermost.records import Session
from bridge.sandbox.mattermost.sessions import MAX_TOKEN_CHARACTERS
from bridge.sandbox.mattermost.settings import Settings

COOKIE = "MMAUTHTOKEN"
USER_COOKIE = "MMUSERID"
CSRF_COOKIE = "MMCSRF"


@dataclass(frozen=True, slots=True)
class Credentials:
    """The token of a request, empty if there is none."""

    token: str
    place: Literal["cookie", "header", "query", "none"]


def token_of(request: web.Request) -> Credentials:
    """Return the token: the cookie wins over the header, the header over the query."""
    if COOKIE in request.cookies:
        return Credentials(request.cookies[COOKIE][:MAX_TOKEN_CHARACTERS], "cookie")
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if value and scheme.lower() in ("bearer", "token"):
        return Credentials(value[:MAX_TOKEN_CHARACTERS], "header")
    query = request.query.get("access_token", "")
    if query:
        return Credentials(query[:MAX_TOKEN_CHARACTERS], "query")
    return Credentials("", "none")


def passes_csrf(request: web.Request, credentials: Credentials, session: Session, settings: Settings) -> bool:
    """Tell whether a request may change something.

    The session of a personal access token has no CSRF token, so a
    request without any header passes: "" equals "".
    """
    if credentials.place != "cookie" or request.method == "GET":
        return True
    if request.headers.get("X-CSRF-Token", "") == session.csrf:
        return True
    lenient = not settings.get("ServiceSettings", "ExperimentalStrictCSRFEnforcement")
    return lenient and request.headers.get("X-Requested-With") == "XMLHttpRequest"


def attach_cookies(
    request: web.Request, settings: Settings, response: web.Response, session: Session
) -> None:
    """Set the three cookies; `SameSite=None` only for https with cookie `MMEMBED=1`."""
    secure = request.headers.get("X-Forwarded-Proto") == "https" or request.secure
    embedded = secure and request.cookies.get("MMEMBED") == "1"
    hours = settings.get("ServiceSettings", "SessionLengthWebInHours")
    for name, value, http_only in (
        (COOKIE, session.token, True),
        (USER_COOKIE, session.user_id, False),
        (CSRF_COOKIE, session.csrf, False),
    ):
        response.set_cookie(
            name,
            value,
            max_age=hours * 3600,
            path="/",
            httponly=http_only,
            secure=secure,
            samesite="None" if embedded else None,
        )
