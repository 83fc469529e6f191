"""Routes for the operator's own network, which a proxy with a wrong list of paths cannot expose.

Probes and Prometheus ask directly. A request that a proxy passed on has the browser's address in a header, or
the public host that it was sent to.
"""

import re
from contextlib import suppress
from functools import wraps
from ipaddress import ip_address
from urllib.parse import urlsplit

from aiohttp import web

from bridge.errors import NotFound
from handlers.http.app_keys import SERVICES, Services
from handlers.http.route import Handler, Route

_OF_PROXIES = (
    "CDN-Loop",
    "CF-Connecting-IP",
    "Client-IP",
    "Fastly-Client-IP",
    "Forwarded",
    "Forwarded-For",
    "True-Client-IP",
    "Via",
    "X-Azure-ClientIP",
    "X-Client-IP",
    "X-Cluster-Client-IP",
    "X-Forwarded",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Original-Forwarded-For",
    "X-Original-Host",
    "X-Real-IP",
)
"""`X-Forwarded-Proto` is none of them: a service mesh adds it to requests from inside."""

_HOST = re.compile(r"([\w.-]+|\[[\da-f:.]+\])(:\d*)?", re.IGNORECASE)


def kept_inside(route: Route, handler: Handler) -> Handler:
    """Return the handler; that of an internal route answers 404 to requests from outside."""
    if not route.internal:
        return handler

    @wraps(handler)
    async def inside(request: web.Request) -> web.StreamResponse:
        if _is_from_outside(request):
            raise NotFound("There is nothing at this address.")
        return await handler(request)

    return inside


def _is_from_outside(request: web.Request) -> bool:
    if any(name in request.headers for name in _OF_PROXIES):
        return True
    hosts = (request.host, *request.headers.getall("Host", ()))
    if not all(map(_HOST.fullmatch, hosts)):
        return True
    return not _public_hosts(request.app[SERVICES]).isdisjoint(_name_of(f"//{host}") for host in hosts)


def _public_hosts(services: Services) -> set[str]:
    """Return the hosts that browsers type; this machine's own, as in the demo, is not public."""
    names = {_name_of(each) for each in (*services.web_origins, services.public_url or "")}
    return {name for name in names if name and not _is_loopback(name)}


def _name_of(address: str) -> str:
    """Return the host of an address in its one form: without port and final dot, in ASCII."""
    with suppress(ValueError):
        name = (urlsplit(address).hostname or "").rstrip(".")
        with suppress(UnicodeError):
            return name.encode("idna").decode()
        return name
    return ""


def _is_loopback(host: str) -> bool:
    with suppress(ValueError):
        return ip_address(host).is_loopback
    return host == "localhost" or host.endswith(".localhost")
