"""Paths of the REST interface: which may be asked for, and how metrics call them.

Pure: no I/O is imported here.
"""

import re
from urllib.parse import quote, unquote

from bridge.errors import InvalidRequest
from bridge.models.ids import MATTERMOST_ID

_SEGMENT = re.compile(r"[A-Za-z0-9._~@%+:!$'()*,;=-]+")
_ID = re.compile(rf"/{MATTERMOST_ID}(?=/|$)")
_NAMED = re.compile(r"/(name|username|email)/[^/]+")


def segment(value: str) -> str:
    """Quote a name or an e-mail address as one segment of a path."""
    return quote(value, safe="")


def checked(endpoint: str) -> str:
    """Return the path unless something in it could lead elsewhere; raises `InvalidRequest`.

    The server decodes a path before it cleans it, so `%2F` and `..` in a name would be followed.
    """
    if not endpoint.startswith("/") or not all(map(_is_plain, endpoint[1:].split("/"))):
        raise InvalidRequest("That name or id cannot be looked up in Mattermost.")
    return endpoint


def template(endpoint: str) -> str:
    """Return the path with everything that varies replaced, e.g. `/channels/{id}/posts`."""
    return _NAMED.sub(r"/\1/{\1}", _ID.sub("/{id}", endpoint))


def _is_plain(part: str) -> bool:
    plain = unquote(part)
    return (
        _SEGMENT.fullmatch(part) is not None
        and plain not in {".", ".."}
        and plain.isprintable()
        and not set(plain) & set("/\\?#")
    )
