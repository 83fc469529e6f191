"""Versions as entity tags (RFC 9110, sections 8.8.3 and 13.1.1)."""

import re
from collections.abc import Callable

from aiohttp import web

from bridge.errors import InvalidRequest, VersionRequired

_TAG = r'(W/)?("[!#-~\x80-\xff]*")'
_EACH = re.compile(_TAG)
_ALL = re.compile(rf"{_TAG}([ \t]*,[ \t]*{_TAG})*")


def of_version(version: int) -> str:
    """Return the entity tag of a version."""
    return f'"{version}"'


def expected(request: web.Request) -> Callable[[int], bool]:
    """Return whether a version is one of those that `If-Match` names; `*` names all, a weak tag none.

    Raises `VersionRequired` without the header, and `InvalidRequest` if it holds no tags.
    """
    given = ",".join(request.headers.getall("If-Match", ())).strip()
    if not given:
        raise VersionRequired("The header If-Match has to name the ETag of the settings that are replaced.")
    if given == "*":
        return lambda _version: True
    if not _ALL.fullmatch(given):
        raise InvalidRequest('If-Match has to be an entity tag such as "3", as ETag gives it.')
    tags = frozenset(tag for weak, tag in _EACH.findall(given) if not weak)
    return lambda version: of_version(version) in tags
