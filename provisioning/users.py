"""A person's Mattermost account."""

from dataclasses import dataclass, replace

import structlog

from bridge.db.attempts import is_made_for, number_of, of_person
from bridge.errors import AccountConflict, EmailNotAccepted, EmailTaken, NameTaken
from bridge.models.accounts import Account
from bridge.models.chat import GITLAB, NewUser, User
from bridge.models.equa import Person, PersonId
from bridge.ports import MattermostAdmin
from provisioning.account_auth import ensure_auth
from provisioning.addresses import email_digest, ensure_email, freed
from provisioning.names import display_name, email_address, first_and_last, usernames
from provisioning.profiles import Profile, Source
from provisioning.tables import Tables

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Opened:
    """An account that is a person's from now on."""

    user: User
    provisioned: bool
    """Whether the bridge created it, now or in an earlier attempt."""
    unconfirmed: bool = False
    """Whether it may have been created with somebody else's address and without notifications."""
    auth_data: int | None = None
    """The number by which its person signs in, if it was created with one."""


async def ensure_user(
    admin: MattermostAdmin,
    tables: Tables,
    person: Person,
    source: Source = "visit",
    *,
    provider: bool = False,
) -> Account:
    """Return the person's account, active; adopt one or create it if there is none.

    One of ours gets the address that its person comes with, and shows what `source` says of them. Where the
    bridge is the `provider` of sign-ins its person can sign in with Equa then. Raises `AccountConflict` where
    somebody has to decide first; nothing has changed in Mattermost then.
    """
    account = await tables.accounts.find(person.id)
    user = await admin.user(account.user_id) if account else None
    if account is None or user is None:
        user = await _opened(admin, tables, person, provider=provider)
        account = await tables.accounts.find(person.id)
        assert account is not None
    elif user.username != account.username:
        await tables.accounts.renamed(person.id, user.username)
    await _repair(admin, account, user)
    if provider:
        await ensure_auth(admin, tables, account, user)
        user = replace(user, auth_service=GITLAB)
        account = await tables.accounts.find(person.id) or account
    # One organization's roster must not change what the others see; a sync knows who is in one only.
    if source == "visit" or not await tables.memberships.has_any(person.id):
        await Profile(admin, tables, person, account, user).ensure(source)
    present = await tables.accounts.find(person.id) or account
    return await ensure_email(admin, tables, person, present, user)


async def _opened(admin: MattermostAdmin, tables: Tables, person: Person, *, provider: bool) -> User:
    opened = await _found_or_created(admin, tables, person, provider=provider)
    user = opened.user
    await tables.accounts.record(
        person.id,
        user,
        provisioned=opened.provisioned,
        unconfirmed=opened.unconfirmed,
        email_digest=None if opened.unconfirmed else email_digest(person),
    )
    if opened.auth_data:
        await tables.accounts.auth_is_ready(person.id, opened.auth_data)
    log.info("user_recorded", person=str(person.id), user=user.id, created=opened.provisioned)
    return user


async def _repair(admin: MattermostAdmin, account: Account, user: User) -> None:
    if user.is_privileged:
        raise _conflict(account.person_id, user, "it is an administrator's, and Equa opens none of those")
    if not user.delete_at:
        return
    if not account.provisioned:
        raise _conflict(account.person_id, user, "an administrator has deactivated it")
    await admin.activate_user(user.id)
    log.info("user_reactivated", person=str(account.person_id), user=user.id)


async def _found_or_created(
    admin: MattermostAdmin, tables: Tables, person: Person, *, provider: bool
) -> _Opened:
    email = email_address(person.email)
    if not email:
        raise EmailNotAccepted(
            "Equa has no e-mail address of yours that Mattermost accepts, and it needs one."
        )
    found = await _found(admin, tables, person, email)
    return found or await _created(admin, tables, person, email, provider=provider)


async def _found(admin: MattermostAdmin, tables: Tables, person: Person, email: str) -> _Opened | None:
    attempt = await tables.attempts.find(of_person(person.id))
    if attempt is not None:
        user = await admin.user_by_username(attempt.name)
        if user is not None and user.mark == attempt.mark:
            return _of_earlier_attempt(user)
    user = await admin.user_by_email(email)
    if user is None:
        return None
    if attempt is not None and user.mark == attempt.mark:
        return _of_earlier_attempt(user)
    if person.email_verified and await freed(admin, tables, user):
        return None
    _require_adoptable(person, email, user)
    return _Opened(user, provisioned=False)


def _of_earlier_attempt(user: User) -> _Opened:
    """Take it over whoever has made the attempt: it may have gone by a roster."""
    auth_data = number_of(user.mark) if user.auth_service == GITLAB else None
    return _Opened(user, provisioned=True, unconfirmed=True, auth_data=auth_data)


async def _created(
    admin: MattermostAdmin, tables: Tables, person: Person, email: str, *, provider: bool
) -> _Opened:
    """Create an account; where a name or the address is taken meanwhile, look who has it."""
    first, last = first_and_last(person.name)
    trusted = person.has_own_email
    for username in usernames(person):
        mark = await tables.attempts.begin(of_person(person.id), username)
        number = number_of(mark) if provider else None
        nickname = display_name(person.nickname)
        try:
            user = await admin.create_user(
                NewUser(username, email, first, last, mark, trusted, nickname, number)
            )
            return _Opened(user, provisioned=True, unconfirmed=not trusted, auth_data=number)
        except (NameTaken, EmailTaken):
            found = await _found(admin, tables, person, email)
        if found is not None:
            return found
    raise AccountConflict("Every Mattermost username that your name gives is taken.")


def _require_adoptable(person: Person, email: str, user: User) -> None:
    if user.email.lower() != email:
        raise _conflict(person.id, user, "Mattermost shows it with another address")
    if user.is_bot:
        raise _conflict(person.id, user, "it is a bot's")
    if user.is_privileged:
        raise _conflict(person.id, user, "it is an administrator's, and Equa opens none of those")
    if user.delete_at:
        raise _conflict(person.id, user, "an administrator has deactivated it")
    if not person.email_verified:
        raise _conflict(person.id, user, "you have to verify the address in Equa first")
    if user.mark and not is_made_for(of_person(person.id), user.mark):
        # Whatever the tables have lost: a roster may have given it this address.
        raise _conflict(person.id, user, "it was made for somebody else in Equa")


def _conflict(person: PersonId, user: User, reason: str) -> AccountConflict:
    log.warning("account_conflict", person=str(person), user=user.id, reason=reason)
    return AccountConflict(f"The Mattermost account with your e-mail address cannot be used: {reason}.")
