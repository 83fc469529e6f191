"""By which number Mattermost's GitLab sign-in finds a person's account.

Mattermost makes a new account for a number that it does not know, so a number is answered only once the
account has it. It is stored before it is set: a crash between leaves what the next visit finishes.
"""

import secrets

import structlog

from bridge.models.accounts import Account
from bridge.models.chat import GITLAB, User
from bridge.ports import MattermostAdmin
from provisioning.following import still_shown
from provisioning.tables import Tables

log = structlog.get_logger(__name__)

_LARGEST = 2**63 - 1
"""Mattermost reads the number as an int64."""


async def ensure_auth(admin: MattermostAdmin, tables: Tables, account: Account, user: User) -> int:
    """Let the person sign in with Equa, and no longer by a password; return their number."""
    if account.auth_ready and account.auth_data and user.auth_service == GITLAB:
        return account.auth_data
    if user.auth_service != GITLAB:
        # A name that somebody has changed stays, and from now on only sign-ins change names.
        await tables.accounts.shown(account.person_id, still_shown(user, account.followed.shown_name))
    number = await tables.accounts.expect_auth(account.person_id, secrets.randbelow(_LARGEST) + 1)
    await admin.set_auth(account.user_id, number)
    await tables.accounts.auth_is_ready(account.person_id, number)
    log.info("sign_in_switched", person=str(account.person_id), user=account.user_id, was=user.auth_service)
    return number
