"""Who belongs to an organization. Pure: no I/O is imported here.

What is read here decides who is taken out of a team, so a list that is not surely whole is an error.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from bridge.equa.read import full_name
from bridge.equa.values import listing, number, text, unreadable, uuid_of
from bridge.models.equa import Member, PersonId, Roster

_ACCOUNT_KEYS = ("user", "userId", "user_id")


class _Odd(Exception):
    """A line cannot be read; the text ends a sentence."""


def roster(payload: object, headers: Mapping[str, str]) -> Roster:
    """Read the answer of `GET /organization/{id}/member`.

    Raises `EquaUnavailable` when it is no list, when body or headers say that it is a page of a longer one,
    when no line can be read, and when none has a field for the account.
    """
    found = listing(payload, "members")
    if not found.complete or _another_page(headers, len(found.items)):
        raise unreadable("members, of which there are more than it has")
    members, problems = [], []
    for index, item in enumerate(found.items, 1):
        try:
            members.append(_member(item))
        except _Odd as odd:
            problems.append(f"{_title(item, index)} {odd}.")
    if found.items and not (members and _names_accounts(found.items)):
        raise unreadable("members, none of them in a known form")
    return Roster(tuple(members), tuple(problems))


def _another_page(headers: Mapping[str, str], length: int) -> bool:
    link = headers.get("Link", "").replace('"', "").lower()
    return "rel=next" in link or number(headers.get("X-Total-Count")) > length


def _names_accounts(items: Iterable[Any]) -> bool:
    """Return whether any line has a field for the account; a single line may leave out an empty one."""
    return any(key in item for item in items if isinstance(item, Mapping) for key in _ACCOUNT_KEYS)


def _title(item: object, index: int) -> str:
    """Name a line by its id, or by its place from 1; names and addresses do not belong in a log."""
    return f"Member {(uuid_of(item.get('id')) if isinstance(item, Mapping) else None) or f'no. {index}'}"


def _member(item: object) -> Member:
    if not isinstance(item, Mapping):
        raise _Odd("is not an object")
    account = _account(item)
    user = item["user"] if isinstance(item.get("user"), Mapping) else {}
    own = text(user.get("email"))
    return Member(
        person_id=PersonId(account) if account else None,
        email=own or text(item.get("email")),
        name=text(full_name(item), full_name(user)),
        is_individual=_is_individual(item, has_account=account is not None),
        email_of_account=bool(own) and user.get("emailVerified") is not False,
        nickname=text(item.get("nickname"), user.get("nickname")),
    )


def _account(item: Mapping[str, Any]) -> UUID | None:
    """Return the account that a line names, as an id or as the account itself."""
    named = {_id(item[key]) for key in _ACCOUNT_KEYS if item.get(key) not in (None, "", {})} - {None}
    if len(named) > 1:
        raise _Odd("names two accounts")
    return named.pop() if named else None


def _id(value: object) -> UUID | None:
    if isinstance(value, Mapping):
        if all(field is None for field in value.values()):
            return None
        value = value.get("id")
    found = uuid_of(value)
    if found is None:
        raise _Odd("names an account by something that is no UUID")
    return found


def _is_individual(item: Mapping[str, Any], *, has_account: bool) -> bool:
    """Read whether a line is a person; if it does not say, lines without an account are companies."""
    said = item.get("isIndividual", item.get("is_individual"))
    if said is None:
        return has_account
    if not isinstance(said, bool):
        raise _Odd("says neither yes nor no to isIndividual")
    return said
