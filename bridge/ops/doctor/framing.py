"""Decide whether a browser shows a page inside a frame of another origin. Pure: no I/O is imported here.

Every policy with `frame-ancestors` must allow the framing origin. If there is such a policy, browsers ignore
`X-Frame-Options` (Content Security Policy Level 3, 6.4.2).
"""

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from yarl import URL

MIXED = "an https page cannot show an http page"

_DIRECTIVE = re.compile(r"\s*frame-ancestors(?:\s+(?P<sources>.*))?", re.IGNORECASE)


def obstacle(page: str, framing: str, policies: Iterable[str], options: Iterable[str]) -> str:
    """Return the header that keeps `framing` (an origin) from showing `page` (a URL); empty if none does.

    `policies` and `options` are the values of Content-Security-Policy and X-Frame-Options.
    """
    if _is_mixed(page, framing):
        return MIXED
    allowed = [sources for policy in policies for sources in _frame_ancestors(policy)]
    for sources in allowed:
        if not any(_matches(source, page, framing) for source in sources):
            return f"Content-Security-Policy: frame-ancestors {' '.join(sources)}"
    words = [word.strip().upper() for value in options for word in value.split(",")]
    if (
        allowed
        or not {"SAMEORIGIN", "DENY"} & set(words)
        or (words == ["SAMEORIGIN"] and _same(page, framing))
    ):
        return ""
    return f"X-Frame-Options: {', '.join(words)}"


def _is_mixed(page: str, framing: str) -> bool:
    """Return whether a secure page shows an insecure one; pages of this machine count as secure."""
    shown = urlsplit(page)
    own = shown.hostname in ("localhost", "127.0.0.1", "::1")
    return urlsplit(framing).scheme == "https" and shown.scheme == "http" and not own


def _frame_ancestors(header: str) -> Iterable[list[str]]:
    """Yield the sources of each policy in a header that has `frame-ancestors`."""
    for policy in header.split(","):
        found = (_DIRECTIVE.fullmatch(directive) for directive in policy.split(";"))
        if first := next(filter(None, found), None):
            yield (first["sources"] or "'none'").split()


def _matches(source: str, page: str, framing: str) -> bool:
    source = source.lower()
    origin = URL(framing)
    if source == "'self'":
        return _same(page, framing)
    if source == "*":
        return origin.scheme in ("http", "https")
    if re.fullmatch(r"[a-z][a-z0-9+.-]*:", source):
        return _scheme_fits(source[:-1], origin.scheme)
    return _host_fits(source, page, origin)


def _host_fits(source: str, page: str, origin: URL) -> bool:
    match = re.fullmatch(
        r"(?:(?P<scheme>[a-z][a-z0-9+.-]*)://)?(?P<host>[^:/]+)(?::(?P<port>\d+|\*))?/?", source
    )
    if not match or not origin.host:
        return False
    scheme = match["scheme"] or URL(page).scheme
    host = origin.host.lower()
    named = host.endswith(match["host"][1:]) if match["host"].startswith("*.") else host == match["host"]
    return named and _scheme_fits(scheme, origin.scheme) and _port_fits(match["port"], origin)


def _scheme_fits(wanted: str, scheme: str) -> bool:
    return scheme == wanted or (wanted == "http" and scheme == "https")


def _port_fits(wanted: str | None, origin: URL) -> bool:
    return wanted == "*" or (origin.is_default_port() if wanted is None else origin.port == int(wanted))


def _same(page: str, framing: str) -> bool:
    return URL(page).origin() == URL(framing).origin()
