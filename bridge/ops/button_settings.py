"""Whether Mattermost may ask the bridge when a button below a post is pressed.

Mattermost asks no private address unless `AllowedUntrustedInternalConnections` names its host or its network
(server/public/shared/httpservice/client.go).
"""

import asyncio
import re
import socket
from collections.abc import Sequence
from contextlib import suppress
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

from bridge.ops.settings import Config, Setting

SUBJECT = "buttons"
WITHOUT = "people decide about tool calls by reactions"
NAME = "AllowedUntrustedInternalConnections"
_SECTION = "ServiceSettings"


async def missing(config: Config, url: str) -> Sequence[Setting]:
    """Return the setting that has to have the bridge's host too; none if Mattermost may ask it already."""
    host = urlsplit(url).hostname or ""
    if is_allowed(str(config.get(_SECTION, {}).get(NAME) or ""), host) or await _is_public(host):
        return ()
    return (may_ask(host),)


def may_ask(host: str) -> Setting:
    """Return the setting by which Mattermost may ask a host inside, beside those that it may ask already."""
    why = "Mattermost does not ask the bridge when a button is pressed"
    return Setting(_SECTION, NAME, (host,), why, rule="includes")


def is_allowed(allowed: str, host: str) -> bool:
    """Return whether the setting names a host, or a network that an address is in."""
    words = [word for word in re.split(r"[\s,]+", allowed) if word]
    return host in words or any(_has(word, host) for word in words)


def _has(network: str, host: str) -> bool:
    with suppress(ValueError):
        return "/" in network and ip_address(host) in ip_network(network, strict=False)
    return False


async def _is_public(host: str) -> bool:
    """Return whether a host has public addresses only, as far as this machine can tell."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return False
    return all(ip_address(str(each[4][0]).partition("%")[0]).is_global for each in found)
