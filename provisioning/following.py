"""What Mattermost shows of Equa, and what of it the bridge may still change. Pure: no I/O is imported here.

A value follows Equa as long as Mattermost shows the one that the bridge has set. Whatever somebody has
changed there stays theirs. The first and last name of an account that signs in with Equa nobody can change
in Mattermost, not even an administrator: they change with the next sign-in, as the bridge has it recorded.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from bridge.models.chat import GITLAB, User
from bridge.models.equa import Member
from bridge.models.followed import Followed
from provisioning.names import display_name, email_address, first_and_last

Fields = Mapping[str, str]
"""First name, last name and nickname, by Mattermost's names for them."""

_NAMES = frozenset(("first_name", "last_name"))
"""What Mattermost takes from a sign-in alone (`CheckProviderAttributes` in server/channels/app/user.go)."""


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be written."""

    patch: Fields
    """To Mattermost; empty where nothing changes there."""
    shown: str | None
    """To the database: the fields that the bridge has set."""


def names_of(name: str, nickname: str = "") -> Fields:
    """Return the fields of a person of that name; none where Equa has no name that can be seen."""
    first, last = first_and_last(name)
    nick = display_name(nickname)
    names = {"first_name": first, "last_name": last} if first else {}
    return {**names, "nickname": nick} if names or nick else {}


def encoded(fields: Fields) -> str | None:
    """Write fields as the database keeps them; None for none."""
    return json.dumps(dict(fields), ensure_ascii=False, sort_keys=True) if fields else None


def change(user: User, shown: str | None, wanted: Fields) -> Change:
    """Return what makes an account show the wanted fields, where it still shows what the bridge set."""
    before, current = _decoded(shown), _fields_of(user)
    by_sign_in = _NAMES if user.auth_service == GITLAB else frozenset()
    kept = {
        field: value
        for field, value in wanted.items()
        if value == current[field]
        or before.get(field) == current[field]
        or field in by_sign_in & before.keys()
    }
    patch = {
        field: value for field, value in kept.items() if value != current[field] and field not in by_sign_in
    }
    return Change(patch, encoded(kept))


def still_shown(user: User, shown: str | None) -> str | None:
    """Return those of the fields that the bridge has set which an account still shows."""
    current = _fields_of(user)
    return encoded({field: value for field, value in _decoded(shown).items() if value == current[field]})


def name_at_sign_in(user: User, shown: str | None) -> str:
    """Return the whole name that Mattermost is to show from the next sign-in on."""
    fields = {**_fields_of(user), **(_decoded(shown) if user.auth_service == GITLAB else {})}
    return f"{fields['first_name']} {fields['last_name']}".strip()


def _fields_of(user: User) -> Fields:
    return {"first_name": user.first_name, "last_name": user.last_name, "nickname": user.nickname}


def _decoded(shown: str | None) -> Fields:
    fields: Fields = json.loads(shown) if shown else {}
    return fields


def address_digest(address: str) -> bytes | None:
    """Return the SHA-256 of an address, None for one that Mattermost does not take."""
    email = email_address(address)
    return sha256(email.encode()).digest() if email else None


def may_change_address(followed: Followed, user: User, address: str, *, own: bool) -> bool:
    """Return whether a roster's address is to replace that of an account which nobody has used yet.

    Mail that goes to somebody's own address must not go to one that an administrator has typed.
    """
    if followed.visited or not (followed.unconfirmed or own):
        return False
    wanted, current = address_digest(address), address_digest(user.email)
    return wanted is not None and wanted != current and current == followed.shown_email


def is_outdated(followed: Followed, user: User, member: Member) -> bool:
    """Return whether the roster says something new about a person whose account the bridge has created."""
    if not followed.provisioned or followed.elsewhere:
        return False
    wanted = encoded(names_of(member.name, member.nickname))
    if wanted is not None and wanted != followed.roster_name:
        return True
    if may_change_address(followed, user, member.email, own=member.email_of_account):
        return True
    return not followed.visited and is_unrecorded(followed, user, member.email)


def is_unrecorded(followed: Followed, user: User, address: str) -> bool:
    """Return whether an account shows the roster's address and that is not recorded yet."""
    digest = address_digest(address)
    return digest is not None and digest == address_digest(user.email) and digest != followed.shown_email
