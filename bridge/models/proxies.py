"""The choice of a proxy for a URL, by the rules of HTTP_PROXY, HTTPS_PROXY and NO_PROXY.

Pure: no I/O is imported here.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit, urlunsplit

_OWN_PORT = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Proxies:
    """Which proxy is used for which requests.

    An entry of `exceptions` is `*`, a host name, which includes its subdomains, an IP address or a network
    such as `10.0.0.0/8`; a host may have a port.
    """

    http: str | None = field(default=None, repr=False)
    https: str | None = field(default=None, repr=False)
    exceptions: tuple[str, ...] = ()

    def of(self, url: str) -> str | None:
        """Return the URL of the proxy for a request; None if it goes directly."""
        parts = urlsplit(url)
        proxy = self.https if parts.scheme == "https" else self.http
        if proxy is None or not parts.hostname:
            return None
        port = parts.port or _OWN_PORT.get(parts.scheme, 0)
        host = parts.hostname.rstrip(".")
        return None if any(_matches(entry, host, port) for entry in self.exceptions) else proxy

    def __bool__(self) -> bool:
        """Whether any request goes through a proxy."""
        return bool(self.http or self.https)

    @property
    def shown(self) -> Iterable[str]:
        """The variables as they may be shown: without user names and passwords."""
        named = (("HTTP_PROXY", self.http), ("HTTPS_PROXY", self.https))
        yield from (f"{name} {without_login(proxy)}" for name, proxy in named if proxy)
        if self.exceptions and self:
            yield f"NO_PROXY {','.join(self.exceptions)}"


NO_PROXIES = Proxies()


def without_login(url: str) -> str:
    """Return a URL without its user name and password."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _matches(entry: str, host: str, port: int) -> bool:
    entry = entry.strip().lower()
    if entry == "*":
        return True
    address = _address(host)
    if "/" in entry:
        return address is not None and _is_in(address, entry)
    name, entry_port = _split_port(entry)
    if entry_port is not None and entry_port != port:
        return False
    if address is not None:
        return _address(name) == address
    domain = name.removeprefix("*").strip(".")
    return bool(domain) and (host == domain or host.endswith(f".{domain}"))


def _split_port(entry: str) -> tuple[str, int | None]:
    """Return host and port of an entry; an IPv6 address has its port behind brackets."""
    if entry.startswith("["):
        host, _, port = entry[1:].partition("]")
        port = port.removeprefix(":")
    elif entry.count(":") == 1:
        host, _, port = entry.partition(":")
    else:
        host, port = entry, ""
    return host, int(port) if port.isascii() and port.isdigit() else None


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(host)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _is_in(address: IPv4Address | IPv6Address, network: str) -> bool:
    try:
        return address in ip_network(network, strict=False)
    except ValueError:
        return False
