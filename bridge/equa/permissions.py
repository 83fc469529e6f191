"""Which permissions somebody holds. Pure: no I/O is imported here.

The shape of Equa's answer is not documented. A permission counts as held only where a shape says so: the
names of roles, organizations and people are free text, and a name behind `false` is the opposite.
"""

from collections.abc import Collection, Iterator, Mapping

from bridge.equa.values import failed, unreadable

_HOLDERS = ("permissions", "effectivePermissions", "data", "items", "results", "result", "member")
_GRANTS = ("granted", "allowed", "held", "value", "enabled", "active", "has")
_REFUSALS = ("denied", "revoked", "disabled")
_DEPTH = 5


def holds_any(payload: object, wanted: Collection[str]) -> bool:
    """Read the answer of `GET /organization/{id}/user/{user}`: whether one of these permissions is held.

    Read are names or objects with `name` or `permission`, in a list, bare or wrapped, or within roles; and
    maps from a name to true. Raises `EquaUnavailable` when the answer is no list, no object and not null.
    """
    if payload is None:
        return False
    if not isinstance(payload, list | Mapping) or (isinstance(payload, Mapping) and failed(payload)):
        raise unreadable("permissions")
    return not set(wanted).isdisjoint(_granted(payload, _DEPTH))


def _granted(value: object, depth: int) -> Iterator[str]:
    if not depth:
        return
    match value:
        case list():
            for item in value:
                yield from _of_item(item, depth)
        case Mapping():
            yield from (name for name, flag in value.items() if flag is True)
            for key in _HOLDERS:
                yield from _granted(value.get(key), depth - 1)
            yield from _of_roles(value.get("roles"), depth)


def _of_roles(roles: object, depth: int) -> Iterator[str]:
    """Read what roles permit; what they are called permits nothing."""
    for role in roles if isinstance(roles, list) else ():
        if isinstance(role, Mapping) and "permissions" in role:
            yield from _of_item(role, depth)


def _of_item(item: object, depth: int) -> Iterator[str]:
    if isinstance(item, str):
        yield item
    elif isinstance(item, Mapping) and not _refused(item):
        if "permissions" in item:
            yield from _granted(item["permissions"], depth - 1)
            return
        permission = item.get("permission", item)
        name = permission.get("name") if isinstance(permission, Mapping) else permission
        if isinstance(name, str):
            yield name


def _refused(item: Mapping[str, object]) -> bool:
    return any(item.get(key, True) is not True for key in _GRANTS) or any(item.get(key) for key in _REFUSALS)
