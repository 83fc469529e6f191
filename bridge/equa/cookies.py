"""Which cookies go to Equa and which of its own are kept. Pure: no I/O is imported here.

A value is never decoded, unquoted or encoded anew: express-session's is URL-encoded and signed
(`s%3A<sid>.<signature>`), and the least change makes it a stranger's.
"""

import re
from collections.abc import Collection, Iterable

_SENDABLE = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]*")
"""What aiohttp sends as it stands: it refuses control characters and drops lone surrogates, which is how a
request's bytes that are no UTF-8 appear."""

_ENDED = re.compile(r"max-age\s*=\s*(0+|-\d+)", re.IGNORECASE)


def relayed(header: str, names: Collection[str]) -> str:
    """Return the cookies of these names from a Cookie header, byte for byte; empty if there are none."""
    pairs = (part.strip(" \t") for part in header.split(";"))
    return "; ".join(pair for pair in pairs if _named(pair, names) and _SENDABLE.fullmatch(pair))


def renewed(cookie: str, set_cookies: Iterable[str], names: Collection[str]) -> str:
    """Return the Cookie header to send after an answer with these Set-Cookie headers."""
    kept = {_name(pair): pair for pair in cookie.split("; ") if pair}
    for header in set_cookies:
        pair, *attributes = (part.strip(" \t") for part in header.split(";"))
        if not _named(pair, names):
            continue
        if pair.endswith("=") or any(_ENDED.fullmatch(attribute) for attribute in attributes):
            kept.pop(_name(pair), None)
        elif _SENDABLE.fullmatch(pair):
            kept[_name(pair)] = pair
    return "; ".join(kept.values())


def _named(pair: str, names: Collection[str]) -> bool:
    return "=" in pair and _name(pair) in names


def _name(pair: str) -> str:
    return pair.partition("=")[0]
