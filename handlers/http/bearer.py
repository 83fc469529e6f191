"""Who may ask with a bearer token: agent peers and the platform."""

from functools import lru_cache
from hmac import compare_digest
from typing import Literal

from aiohttp import web

from bridge.errors import NoBearer
from handlers.http.app_keys import SERVICES


def require_peer(request: web.Request) -> None:
    """Raise `NoBearer` unless the request carries one of `GATEWAY_TOKENS`."""
    if not _is_one_of(_presented(request), request.app[SERVICES].gateway_tokens):
        raise NoBearer("This needs an Authorization header with a bearer token that is configured here.")


def require_platform_or_peer(request: web.Request) -> Literal["platform", "peer"]:
    """Return whose bearer token the request carries; raise `NoBearer` if it is nobody's."""
    presented, services = _presented(request), request.app[SERVICES]
    platform = _is_one_of(presented, services.platform_tokens)
    peer = _is_one_of(presented, services.gateway_tokens)
    if platform:
        return "platform"
    if peer:
        return "peer"
    raise NoBearer("This needs an Authorization header with a bearer token that is configured here.")


def bearer_token(request: web.Request) -> str:
    """Return the bearer token, empty if there is none."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _presented(request: web.Request) -> bytes:
    return bearer_token(request).encode(errors="surrogateescape")


def _is_one_of(presented: bytes, tokens: tuple[str, ...]) -> bool:
    """Compare with every token, each in constant time.

    So the time of the answer shows neither which token was nearly right nor how much of it.
    """
    matches = [compare_digest(presented, token) for token in _encoded(tokens)]
    return True in matches


@lru_cache(maxsize=2)
def _encoded(tokens: tuple[str, ...]) -> tuple[bytes, ...]:
    return tuple(token.encode() for token in tokens if token)
