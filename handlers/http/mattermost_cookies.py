"""The cookies by which Mattermost knows a browser (`AttachSessionCookies` in server/channels/app/login.go).

There is no `MMCSRF`: the session of a personal access token has no such value, and Mattermost would compare
what the browser sends with nothing. The proxy in front keeps other sites out instead.
"""

from urllib.parse import urlsplit

from aiohttp import web

from handlers.http.app_keys import Services
from provisioning.provisioner import SignIn

MAX_AGE = 30 * 24 * 3600
"""Seconds: as long as a token lives before it is replaced, and Mattermost's own sessions by default."""

TOKEN, USER, CSRF = "MMAUTHTOKEN", "MMUSERID", "MMCSRF"


def sign_in_cookies(request: web.Request, services: Services, sign_in: SignIn) -> list[str]:
    """Return the Set-Cookie headers; a stale value against forgery of an earlier session is taken away."""
    attributes = attributes_of(request, services)
    lasting = f"Max-Age={MAX_AGE}; {attributes}"
    cookies = [f"{TOKEN}={sign_in.token}; HttpOnly; {lasting}", f"{USER}={sign_in.user_id}; {lasting}"]
    if CSRF in request.cookies:
        cookies.append(f"{CSRF}=; Max-Age=0; {attributes}")
    return cookies


def attributes_of(request: web.Request, services: Services, *, path: str = "") -> str:
    """Return the attributes of a cookie of the chat's host, without its age; `path` is else the chat's."""
    path = path or urlsplit(services.public_url or "").path or "/"
    secure = is_secure(request, services)
    if secure and services.web_origins and _is_framed_by_another_site(request):
        return f"Path={path}; SameSite=None; Secure; Partitioned"
    return f"Path={path}; SameSite=Lax{'; Secure' if secure else ''}"


def is_secure(request: web.Request, services: Services) -> bool:
    """Return whether the browser came over HTTPS."""
    forwarded = request.headers.get("X-Forwarded-Proto", "").partition(",")[0].strip().lower()
    return forwarded == "https" or (services.public_url or "").startswith("https:")


def _is_framed_by_another_site(request: web.Request) -> bool:
    """Return what the browser says of the frame; only it knows for certain which hosts make up one site.

    Inside another site's page it keeps only cookies that say `SameSite=None; Secure; Partitioned`, and those
    for frames in that site alone.
    """
    return (
        request.headers.get("Sec-Fetch-Site") == "cross-site"
        and request.headers.get("Sec-Fetch-Dest") == "iframe"
    )
