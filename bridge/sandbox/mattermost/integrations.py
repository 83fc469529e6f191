"""Which addresses the server itself may ask on behalf of an integration.

Sources: server/public/shared/httpservice/{client,httpservice}.go.
"""

import asyncio
import re
import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from bridge.sandbox.mattermost.errors import ApiError


async def check_address(allowed: str, url: str) -> None:
    """Raise what whoever pressed a button gets, if the address is private and not allowed.

    `allowed` is the setting AllowedUntrustedInternalConnections: hosts and networks, whatever their ports.
    """
    host = urlsplit(url).hostname or ""
    names = [each for each in re.split(r"[\s,]+", allowed) if each]
    if host in names:
        return
    addresses = await _addresses(host)
    if not any(_may_be_asked(names, address) for address in addresses):
        raise ApiError("api.post.do_action.action_integration.app_error", 400, "Action integration error.")


async def _addresses(host: str) -> list[str]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return []
    return [str(each[4][0]) for each in found]


def _may_be_asked(names: list[str], address: str) -> bool:
    ip = ip_address(address.partition("%")[0])
    return ip.is_global or any(_is_in(name, ip) for name in names)


def _is_in(network: str, ip: IPv4Address | IPv6Address) -> bool:
    """Return whether an address is in a network; a name without a size is no network."""
    try:
        return "/" in network and ip in ip_network(network, strict=False)
    except ValueError:
        return False
