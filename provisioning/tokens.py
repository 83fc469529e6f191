"""The personal access token by which a person is signed in."""

from hashlib import sha256

import structlog

from bridge.errors import NotOpened, TokenRefused
from bridge.models.accounts import Account
from bridge.models.chat import TokenId
from bridge.models.equa import PersonId
from bridge.ports import MattermostAdmin
from bridge.secrets.key_ring import KeyRing
from bridge.secrets.token_sealing import open_token, seal_token
from provisioning.tables import Tables

log = structlog.get_logger(__name__)

DESCRIPTION = "equabot-bridge"
"""The description of the bridge's tokens, by which they differ from others of an account."""


async def ensure_token(admin: MattermostAdmin, tables: Tables, keys: KeyRing, account: Account) -> str:
    """Return the person's token: the stored one, or a new one where that is old, refused or does not open.

    A new one is stored before the others are revoked, so that there is always one that is good. What was
    created and not stored is revoked by the next visit.
    """
    secret = opened(keys, account.person_id, account.token.sealed if account.token else None)
    if account.token and secret and not account.token.old and await _works(admin, secret):
        if account.stray_tokens:
            await _tidy(admin, tables, account, keep=account.token.id)
        return secret
    await tables.accounts.expect_token(account.person_id)
    token = await admin.create_token(account.user_id, DESCRIPTION)
    sealed = seal_token(keys, account.person_id, token.secret)
    digest = token_digest(token.secret)
    await tables.accounts.keep_token(account.person_id, token.id, sealed, digest)
    log.info("token_created", person=str(account.person_id), token=token.id)
    await _tidy(admin, tables, account, keep=token.id)
    return token.secret


async def revoke_tokens(admin: MattermostAdmin, tables: Tables, account: Account) -> None:
    """Revoke all tokens of ours that the account has, and forget the stored one."""
    await tables.accounts.expect_token(account.person_id)
    await tables.accounts.drop_token(account.person_id)
    await _tidy(admin, tables, account, keep=None)


def opened(keys: KeyRing, person: PersonId, sealed: str | None) -> str | None:
    """Return a person's stored token, None if there is none or its key is lost."""
    if sealed is None:
        return None
    try:
        return open_token(keys, person, sealed)
    except NotOpened as error:
        log.warning("token_not_opened", person=str(person), reason=error.message)
        return None


def token_digest(token: str) -> bytes:
    """Return the digest that a token or ticket is looked up by; it does not reveal the token."""
    return sha256(token.encode(errors="surrogateescape")).digest()


async def _works(admin: MattermostAdmin, secret: str) -> bool:
    try:
        await admin.teams_of_holder(secret)
    except TokenRefused:
        return False
    return True


async def _tidy(admin: MattermostAdmin, tables: Tables, account: Account, *, keep: TokenId | None) -> None:
    """Revoke every token of ours but one."""
    for token in await admin.tokens(account.user_id):
        if token.description == DESCRIPTION and token.id != keep:
            await admin.revoke_token(token.id)
            log.info("token_revoked", person=str(account.person_id), token=token.id)
    await tables.accounts.tidied(account.person_id)
