"""The e-mail address of an account that the bridge has created.

Whoever manages an organization's roster can type any address into it. So an address is only as good as where
it comes from: until a person comes with one of their own that Equa has verified, their account keeps quiet
and gives its address up to whoever proves that it is theirs.
"""

from dataclasses import replace
from hashlib import sha256

import structlog

from bridge.errors import AccountConflict, EmailTaken
from bridge.models.accounts import Account
from bridge.models.chat import User
from bridge.models.equa import Person
from bridge.ports import MattermostAdmin
from provisioning.names import email_address
from provisioning.tables import Tables

log = structlog.get_logger(__name__)

_NOWHERE = "unconfirmed.invalid"
"""No mail gets there (RFC 2606)."""


def email_digest(person: Person) -> bytes | None:
    """Return the digest of the address that a person has proved; None if they have proved none."""
    email = email_address(person.email) if person.email_verified else ""
    return sha256(email.encode()).digest() if email else None


async def ensure_email(
    admin: MattermostAdmin, tables: Tables, person: Person, account: Account, user: User
) -> Account:
    """Give an account of ours the address that its person has proved, and let notifications go there.

    An account that was adopted keeps its address, and so does every other where Mattermost refuses the new
    one; the log says so, and the person gets in.
    """
    email, digest = email_address(person.email), email_digest(person)
    if digest is None or not account.provisioned:
        return account
    if account.email_digest == digest and not account.unconfirmed and user.email.lower() == email:
        return account
    done = await _set(admin, tables, account, email)
    await tables.accounts.compared(person.id, digest, confirmed=done)
    return replace(account, email_digest=digest, unconfirmed=account.unconfirmed and not done)


async def freed(admin: MattermostAdmin, tables: Tables, holder: User) -> bool:
    """Take the address from an account that has it from a roster only; return whether that succeeded.

    Its person gets their own at their next visit.
    """
    person = await tables.accounts.give_up_email(holder.id)
    if person is None:
        return False
    try:
        done = await admin.set_email(holder.id, f"{person.hex}@{_NOWHERE}")
    except (AccountConflict, EmailTaken):
        done = False
    log.warning("email_given_up", person=str(person), user=holder.id, done=done)
    return done


async def _set(admin: MattermostAdmin, tables: Tables, account: Account, email: str) -> bool:
    person, user = str(account.person_id), account.user_id
    try:
        done = await _set_or_freed(admin, tables, account, email)
    except (AccountConflict, EmailTaken) as error:
        log.warning("email_not_set", person=person, user=user, reason=error.message)
        return False
    log.info("email_set" if done else "email_to_be_verified", person=person, user=user)
    return done


async def _set_or_freed(admin: MattermostAdmin, tables: Tables, account: Account, email: str) -> bool:
    try:
        return await admin.set_email(account.user_id, email, notify=account.unconfirmed)
    except EmailTaken:
        holder = await admin.user_by_email(email)
        if holder is None or not await freed(admin, tables, holder):
            raise
    return await admin.set_email(account.user_id, email, notify=account.unconfirmed)
