"""Who may ask: peers and the platform by a bearer token."""

from hmac import compare_digest

from aiohttp import web

from bridge.errors import NotSignedIn
from handlers.http.app_keys import SERVICES


class NoBearer(NotSignedIn):
    """No acceptable bearer token came with the request."""


def require_bearer(request: web.Request) -> None:
    """Raise `NoBearer` unless the request carries one of the gateway's tokens.

    Every token is compared, each in constant time, so that the answer's time tells neither which
    one was nearly right nor how much of it.
    """
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    presented = token.strip().encode(errors="surrogateescape")
    known = [
        compare_digest(presented, good.encode()) for good in request.app[SERVICES].gateway_tokens if good
    ]
    if scheme.lower() != "bearer" or not any(known):
        raise NoBearer("This needs an Authorization header with a bearer token that is configured here.")
