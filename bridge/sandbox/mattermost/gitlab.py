"""Signing in by a provider that speaks as GitLab does: the pages that lead a browser through it.

Sources: server/channels/web/oauth.go (`loginWithOAuth`, `completeOAuth`), server/channels/app/oauth.go
(`GetAuthorizationCode`, `AuthorizeOAuthUser`).
"""

import base64
import json
from collections.abc import Mapping
from html import escape
from typing import Any
from urllib.parse import urlencode, urlsplit

from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar, web

from bridge.sandbox.mattermost.credentials import COOKIE, CSRF_COOKIE, attach_cookies
from bridge.sandbox.mattermost.errors import ApiError
from bridge.sandbox.mattermost.gitlab_accounts import signed_in
from bridge.sandbox.mattermost.records import User
from bridge.sandbox.mattermost.runtime import RUNTIME
from bridge.sandbox.mattermost.sessions import log_in
from bridge.sandbox.mattermost.state import State

STATE_COOKIE = "MMOAUTH"
_HALF_AN_HOUR = 1800
_DESKTOP_MS = 180_000
_WITHIN = ClientTimeout(total=30)


async def login(request: web.Request) -> web.StreamResponse:
    """Send a browser to the provider."""
    return _begun(request, "login", request.query.get("redirect_to", ""))


async def mobile_login(request: web.Request) -> web.StreamResponse:
    """Likewise a browser of the mobile app, which gets the session by an address of its own."""
    state, place = request.app[RUNTIME].state, request.query.get("redirect_to", "")
    schemes = state.settings.get("NativeAppSettings", "AppCustomURLSchemes")
    if place and not place.lower().startswith(tuple(schemes)):
        return _error_page(ApiError("api.invalid_custom_url_scheme", 400))
    return _begun(request, "mobile", place)


def _begun(request: web.Request, action: str, place: str) -> web.StreamResponse:
    state = request.app[RUNTIME].state
    settings = state.settings.sections["GitLabSettings"]
    try:
        _require_enabled(state)
        props = {"action": action, "isMobile": json.dumps(action == "mobile"), **_wanted(request, place)}
    except ApiError as error:
        return _error_page(error)
    cookie, props["token"] = state.new_id(), (state.new_id() * 3)[:64]
    state.oauth_states[props["token"]] = f":{action}:{cookie}"
    encoded = base64.b64encode(json.dumps(props, separators=(",", ":")).encode()).decode()
    query = {
        "response_type": "code",
        "client_id": settings["Id"],
        "redirect_uri": _completion(request),
        "state": encoded,
        **({"scope": settings["Scope"]} if settings["Scope"] else {}),
    }
    response = web.Response(status=302)
    response.headers["Location"] = f"{settings['AuthEndpoint']}?{urlencode(query)}"
    secure = request.headers.get("X-Forwarded-Proto") == "https"
    response.set_cookie(STATE_COOKIE, cookie, max_age=_HALF_AN_HOUR, path="/", httponly=True, secure=secure)
    return response


def _wanted(request: web.Request, place: str) -> Mapping[str, str]:
    """Return what the browser wants besides a session; an invite id stands for a team."""
    state, props = request.app[RUNTIME].state, {}
    if place:
        if place.startswith(("http:", "https:")) and not place.startswith(_site_url(request)):
            raise ApiError("api.invalid_redirect_url", 400)
        props["redirect_to"] = place
    if desktop := request.query.get("desktop_token", ""):
        props["desktop_token"] = desktop
    for team in state.teams.values():
        if request.query.get("id") == team.invite_id:
            props["team_id"] = team.id
    return props


def _require_enabled(state: State) -> None:
    if not state.settings.get("GitLabSettings", "Enable"):
        raise ApiError("api.user.authorize_oauth_user.unsupported.app_error", 501)


async def complete(request: web.Request) -> web.StreamResponse:
    """Take the code to the provider, and sign the browser in."""
    if request.query.get("error") == "access_denied":
        return _error_redirect("oauth_access_denied")
    code = request.query.get("code", "")
    if not code:
        return _error_redirect("oauth_missing_code")
    state = request.app[RUNTIME].state
    try:
        _require_enabled(state)
        props = _checked_state(request)
        answer = await _asked(state, code, _completion(request))
        user = signed_in(state, answer, "" if _is_new(state) else props.get("team_id", ""))
    except ApiError as error:
        return _error_page(error)
    if desktop := props.get("desktop_token", ""):
        return _with_state_used(_to_desktop(request, user, desktop, props.get("redirect_to")))
    mobile = props.get("action") == "mobile"
    length = "SessionLengthMobileInHours" if mobile else "SessionLengthSSOInHours"
    session = log_in(state, user, length)
    place = props.get("redirect_to", "")
    if mobile and place:
        query = urlencode({COOKIE: session.token, CSRF_COOKIE: session.csrf})
        return _with_state_used(web.Response(text=_handed_over(f"{place}?{query}"), content_type="text/html"))
    response = web.Response(status=200 if mobile else 307)
    attach_cookies(request, state.settings, response, session)
    if not mobile:
        response.headers["Location"] = _full(_site_url(request), "" if _is_new(state) else place)
    return _with_state_used(response)


def _checked_state(request: web.Request) -> dict[str, str]:
    """Return what a state holds; it is good once, and with the cookie that came with it."""
    state = request.app[RUNTIME].state
    invalid = ApiError("api.user.authorize_oauth_user.invalid_state.app_error", 400)
    try:
        props = json.loads(base64.b64decode(request.query.get("state", ""), validate=True))
    except ValueError:
        raise invalid from None
    if not isinstance(props, dict) or props.get("token") not in state.oauth_states:
        raise ApiError("api.oauth.invalid_state_token.app_error", 400)
    cookie = request.cookies.get(STATE_COOKIE, "")
    extra = f"{props.get('email', '')}:{props.get('action', '')}:{cookie}"
    if not cookie or state.oauth_states[props["token"]] != extra:
        raise invalid
    del state.oauth_states[props["token"]]
    return props


async def _asked(state: State, code: str, redirect_uri: str) -> Any:
    """Exchange the code for a token, and the token for who it is."""
    settings = state.settings.sections["GitLabSettings"]
    form = {
        "client_id": settings["Id"],
        "client_secret": settings["Secret"],
        "code": code,
        "grant_type": "authorization_code",
        "redirect_uri": redirect_uri,
    }
    async with ClientSession(timeout=_WITHIN, cookie_jar=DummyCookieJar()) as http:
        try:
            async with http.post(settings["TokenEndpoint"], data=form) as response:
                given = await response.json(content_type=None) if response.status == 200 else None
            if not isinstance(given, dict) or str(given.get("token_type")).lower() != "bearer":
                raise ApiError(
                    "api.user.authorize_oauth_user.bad_response.app_error",
                    500,
                    "Bad response from token request.",
                )
            headers = {"Authorization": f"Bearer {given['access_token']}"}
            async with http.get(settings["UserAPIEndpoint"], headers=headers) as response:
                if response.status != 200:
                    raise ApiError(
                        "api.user.authorize_oauth_user.response.app_error",
                        500,
                        "Received invalid response from OAuth service provider.",
                    )
                return await response.json(content_type=None)
        except (ClientError, TimeoutError):
            raise ApiError(
                "api.user.authorize_oauth_user.token_failed.app_error", 500, "Token request failed."
            ) from None


def _completion(request: web.Request) -> str:
    return f"{_site_url(request)}/signup/gitlab/complete"


def _site_url(request: web.Request) -> str:
    site = str(request.app[RUNTIME].state.settings.get("ServiceSettings", "SiteURL")).rstrip("/")
    return site or f"{request.scheme}://{request.host}"


def _to_desktop(request: web.Request, user: User, desktop: str, place: str | None) -> web.Response:
    """Send the browser to the page that hands a token over to the desktop app."""
    state = request.app[RUNTIME].state
    token = (state.new_id() * 3)[:64]
    state.desktop_tokens[token] = (user.id, state.now() + _DESKTOP_MS)
    query = {"client_token": desktop, "server_token": token, **({"redirect_to": place} if place else {})}
    location = f"{_site_url(request)}/login/desktop?{urlencode(query)}"
    return web.Response(status=307, headers={"Location": location})


def _is_new(state: State) -> bool:
    """Return whether it is a release that keeps a team out of the state, and forgets the place (11.6)."""
    return int(state.settings.version.split(".")[0]) >= 11


def _full(site_url: str, place: str) -> str:
    parts = urlsplit(place)
    return place if parts.scheme or parts.netloc else f"{site_url}{place}"


def _with_state_used(response: web.Response) -> web.Response:
    response.set_cookie(STATE_COOKIE, "", max_age=0, path="/", httponly=True)
    return response


def _handed_over(place: str) -> str:
    return f'<!doctype html><meta http-equiv="refresh" content="2; url={escape(place)}">'


def _error_redirect(kind: str) -> web.Response:
    query = urlencode({"service": "Gitlab", "type": kind})
    return web.Response(status=307, headers={"Location": f"/error?{query}"})


def _error_page(error: ApiError) -> web.Response:
    """Answer as `RenderWebAppError` does: a page that goes on to the web client's."""
    place = escape(f"/error?{urlencode({'message': error.message})}")
    text = (
        f"<!DOCTYPE html><html><head></head>\n<body onload=\"window.location = '{place}'\">\n"
        f'<a href="{place}" style="color: #c0c0c0;">...</a>\n</body></html>\n'
    )
    return web.Response(status=error.status, text=text, content_type="text/html")


PAGES = (
    web.get("/oauth/gitlab/login", login),
    web.get("/oauth/gitlab/mobile_login", mobile_login),
    web.get("/signup/gitlab/complete", complete),
)
