"""The bridge's own cookies on the chat's host, which lead one browser through a sign-in.

`equabot-browser`: this browser has shown its ticket; for a minute. `equabot-request`: this browser has begun
a sign-in, and its person comes back from the web app; it holds a nonce and Mattermost's `state`.

`equabot-place`: where it goes once it is signed in, for the proxy; see `deploy/proxy/nginx.conf.template`.

No cookie that a neighbouring host could have set is believed: over HTTPS their names begin with `__Host-`
(RFC 6265bis section 4.1.3), and of two with one name none counts.
"""

import base64
import binascii
import secrets
from dataclasses import dataclass, field

from aiohttp import web

from handlers.http.app_keys import SERVICES
from handlers.http.mattermost_cookies import attributes_of, is_secure

_BROWSER, _REQUEST, _PLACE = "equabot-browser", "equabot-request", "equabot-place"
_BROWSER_SECONDS = 60
_REQUEST_SECONDS = 600
"""For somebody to sign in to Equa."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in that a browser has begun and waits to finish."""

    nonce: str = field(repr=False)
    state: str


def set_browser(request: web.Request, value: str) -> str:
    """Return the Set-Cookie header by which the browser is known that has shown its ticket."""
    return _cookie(request, _BROWSER, value, _BROWSER_SECONDS)


def end_browser(request: web.Request) -> str:
    """Return the Set-Cookie header that takes it away."""
    return _cookie(request, _BROWSER, "", 0)


def set_place(request: web.Request, place: str) -> str:
    """Return the Set-Cookie header by which the proxy knows where the browser goes in the end."""
    return _cookie(request, _PLACE, place, _BROWSER_SECONDS)


def browser(request: web.Request) -> str:
    """Return what `set_browser` has set; empty if there is nothing."""
    return _value(request, _BROWSER)


def begin(state: str) -> Begun:
    """Return a new sign-in that waits for its person."""
    return Begun(secrets.token_urlsafe(32), state)


def set_begun(request: web.Request, begun: Begun) -> str:
    """Return the Set-Cookie header that keeps it."""
    # Without "=", which some clients send in quotes.
    state = base64.urlsafe_b64encode(begun.state.encode()).decode().rstrip("=")
    return _cookie(request, _REQUEST, f"{begun.nonce}.{state}", _REQUEST_SECONDS)


def end_begun(request: web.Request) -> str:
    """Return the Set-Cookie header that takes it away."""
    return _cookie(request, _REQUEST, "", 0)


def begun(request: web.Request) -> Begun | None:
    """Return the sign-in that the browser has begun, None if there is none."""
    nonce, dot, encoded = _value(request, _REQUEST).partition(".")
    try:
        state = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
    except (binascii.Error, ValueError):
        return None
    return Begun(nonce, state) if dot and nonce else None


def _cookie(request: web.Request, name: str, value: str, seconds: int) -> str:
    services = request.app[SERVICES]
    # "__Host-" asks for this path.
    attributes = attributes_of(request, services, path="/")
    return f"{_named(request, name)}={value}; HttpOnly; Max-Age={seconds}; {attributes}"


def _value(request: web.Request, name: str) -> str:
    pairs = "; ".join(request.headers.getall("Cookie", ())).split(";")
    wanted = f"{_named(request, name)}="
    found = {pair.strip().removeprefix(wanted) for pair in pairs if pair.strip().startswith(wanted)}
    return found.pop() if len(found) == 1 else ""


def _named(request: web.Request, name: str) -> str:
    return f"__Host-{name}" if is_secure(request, request.app[SERVICES]) else name
