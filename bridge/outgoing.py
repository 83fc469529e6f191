"""Sessions for outgoing HTTP, through the proxies of the configuration."""

from typing import Any

from aiohttp import (
    ClientHandlerType,
    ClientMiddlewareType,
    ClientRequest,
    ClientResponse,
    ClientSession,
    DummyCookieJar,
    TCPConnector,
    encode_basic_auth,
)
from yarl import URL

from bridge.models.proxies import NO_PROXIES, Proxies


def open_session(connector: TCPConnector, proxies: Proxies = NO_PROXIES, **options: Any) -> ClientSession:
    """Return a session that keeps no cookies and reads nothing from the environment.

    aiohttp's own `trust_env` would also read passwords from `~/.netrc`, and knows no networks in NO_PROXY.
    Without a proxy no request passes a middleware.
    """
    return ClientSession(
        connector=connector,
        cookie_jar=DummyCookieJar(),
        trust_env=False,
        middlewares=(through(proxies),) if proxies else (),
        **options,
    )


def through(proxies: Proxies) -> ClientMiddlewareType:
    """Return a middleware that chooses the proxy of each request, redirects included."""

    async def choose(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        proxy = proxies.of(str(request.url))
        if proxy is not None:
            _use(request, URL(proxy))
        return await handler(request)

    return choose


def _use(request: ClientRequest, proxy: URL) -> None:
    """Send the request through a proxy; its login goes to the proxy alone, over TLS with CONNECT only."""
    headers: dict[str, str] = {}
    if proxy.user is not None:
        login = encode_basic_auth(proxy.user, proxy.password or "", encoding="utf-8")
        headers = {"Proxy-Authorization": login}
    if headers and not request.is_ssl():
        request.headers.update(headers)
    request.update_proxy(proxy.with_user(None), None, headers if request.is_ssl() else None)
