"""The bridge as provider of Mattermost's GitLab sign-in: who is behind each step, and who may come in."""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

import structlog

from bridge.db.sign_ins import Client, NewCode
from bridge.errors import AccountConflict, BridgeError
from bridge.models.accounts import Owner
from bridge.models.chat import User
from bridge.models.equa import PersonId
from bridge.models.ids import MATTERMOST_ID
from bridge.ports import MattermostAdmin, MattermostApi
from provisioning.account_auth import ensure_auth
from provisioning.following import name_at_sign_in
from provisioning.names import is_kept_at_sign_in
from provisioning.own_tokens import own_tokens
from provisioning.tables import Tables
from provisioning.tolerance import tolerated

log = structlog.get_logger(__name__)

_BYTES = 32


@dataclass(frozen=True, slots=True)
class Profile:
    """What Mattermost is told of somebody; it sets username, name and e-mail to that."""

    auth_data: int
    username: str
    name: str
    email: str


@dataclass(frozen=True, slots=True)
class SignInProvider:
    """Every method may be called in any process; what is issued is good once and for a minute."""

    admin: MattermostAdmin
    tables: Tables
    own_accounts: Sequence[MattermostApi] = ()
    """The bridge's own accounts."""

    async def remember(self, person: PersonId) -> str:
        """Return what a browser keeps that has just shown its ticket."""
        value = _new()
        await self.tables.sign_ins.begin(digest(value), "browser", person)
        return value

    async def confirm(self, person: PersonId, nonce_digest: bytes) -> str:
        """Return what the one browser that has the nonce can go on with, as Equa has just confirmed."""
        value = _new()
        await self.tables.sign_ins.begin(digest(value), "confirmed", person, nonce_digest)
        return value

    async def is_session_of(self, session: str, person: PersonId) -> bool:
        """Return whether a browser's cookie is a session of this person, and nothing has to follow Equa.

        A new name reaches Mattermost by a sign-in only. False where something cannot be found out.
        """
        if not re.fullmatch(MATTERMOST_ID, session):
            return False
        try:
            account = await self.tables.accounts.find(person)
            user = await self.admin.holder(session)
        except BridgeError:
            return False
        if account is None or account.user_id != user.id:
            return False
        return name_at_sign_in(user, account.followed.shown_name) == name_at_sign_in(user, None)

    async def require_account(self, person: PersonId) -> None:
        """Raise `AccountConflict` if nobody may be signed in to the person's account, as `profile` has it.

        Mattermost has no sentence for that: who hears of it there only would try again and again.
        """
        account = await self.tables.accounts.find(person)
        user = await self.admin.user(account.user_id) if account else None
        if obstacle := _obstacle(user):
            raise AccountConflict(f"You cannot be signed in: your Mattermost account is {obstacle}.")

    async def code_of_browser(self, kept: str, client: Client, state: str) -> str | None:
        """Exchange what `remember` returned for a code; None if it is not good."""
        code = _new()
        new = NewCode(digest(code), client, digest(state))
        person = await self.tables.sign_ins.use_for_code(digest(kept), "browser", None, new)
        return code if person else None

    async def code_of_confirmed(self, value: str, nonce: str, client: Client, state: str) -> str | None:
        """Exchange what `confirm` returned for a code; None if it is not good, or for another browser."""
        code = _new()
        new = NewCode(digest(code), client, digest(state))
        person = await self.tables.sign_ins.use_for_code(digest(value), "confirmed", digest(nonce), new)
        return code if person else None

    async def is_for(self, code: str, state: str) -> bool:
        """Return whether a code is good and was given for this very `state`."""
        return await self.tables.sign_ins.is_for(digest(code), digest(state))

    async def access_token(self, code: str, client: Client) -> str | None:
        """Use a code up and return an access token; None if the code is not good for this client."""
        token = _new()
        return (
            token if await self.tables.sign_ins.use_for_access(digest(code), client, digest(token)) else None
        )

    async def profile(self, access_token: str) -> Profile | None:
        """Use an access token up and return its person's profile; None if they may not come in.

        Username and address are those that the account has; the name is what Equa calls the person, unless
        somebody has changed it in Mattermost. For an account that does not exist Mattermost would make a new
        one, and it would activate one that an administrator has deactivated.
        """
        owner = await self.tables.sign_ins.use_access(digest(access_token))
        if owner is None:
            return None
        with own_tokens():
            user = await self.admin.user(owner.user_id)
            if user is None or _obstacle(user):
                log.warning("sign_in_refused", person=str(owner.person), user=owner.user_id)
                return None
            return await self._profile(owner, user)

    async def end_late_sessions(self) -> None:
        """End the sessions of people who have left their last organization while they signed in."""
        for owner in await self.tables.sign_ins.late():
            # An account that is gone, or refused, holds nobody else's sessions open.
            with own_tokens(), tolerated("late_sessions_not_ended", user=owner.user_id):
                await self.admin.revoke_sessions(owner.user_id)
                log.info("late_sessions_ended", person=str(owner.person), user=owner.user_id)

    async def _profile(self, owner: Owner, user: User) -> Profile | None:
        account = await self.tables.accounts.find(owner.person)
        if account is None or account.user_id != user.id:
            return None
        number = await ensure_auth(self.admin, self.tables, account, user)
        log.info("signed_in", person=str(owner.person), user=user.id)
        name = name_at_sign_in(user, account.followed.shown_name)
        return Profile(number, await self._username(user), name, user.email)

    async def _username(self, user: User) -> str:
        """Return the account's username, or a taken one where Mattermost would change it: then it stays."""
        if not is_kept_at_sign_in(user.username):
            for account in self.own_accounts:
                taken = (await account.me()).username
                if is_kept_at_sign_in(taken):
                    return taken
        return user.username


def digest(value: str) -> bytes:
    """Return the SHA-256 by which a value is stored."""
    return sha256(value.encode(errors="surrogateescape")).digest()


def _new() -> str:
    return secrets.token_urlsafe(_BYTES)


def _obstacle(user: User | None) -> str | None:
    """Return what an account is that nobody may be signed in to; None for any other."""
    if user is None:
        return "not there any more"
    if user.delete_at:
        return "deactivated"
    if user.is_privileged:
        return "an administrator's, and Equa opens none of those"
    return "a bot's" if user.is_bot else None
