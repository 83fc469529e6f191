"""Accounts and their tokens, as a system administrator manages them."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from bridge.mattermost.rest.accounts import account_body, auth_body, parse_notify_props
from bridge.mattermost.rest.endpoints import UserCalls
from bridge.mattermost.rest.objects import parse_preference, parse_token, parse_user_with_mark
from bridge.mattermost.rest.outcomes import explaining, found_or_none, repeatable, unless_absent
from bridge.mattermost.rest.transport import Transport
from bridge.mattermost.wire import parse_list, parse_user
from bridge.models.chat import PAGE_SIZE, AccessToken, NewUser, Preference, TokenId, User, UserId


@dataclass(frozen=True)
class UserAdmin:
    transport: Transport

    async def user(self, user_id: UserId) -> User | None:
        return await found_or_none(self._users.get(user_id), parse_user_with_mark)

    async def user_by_username(self, username: str) -> User | None:
        return await found_or_none(self._users.by_username(username), parse_user_with_mark)

    async def user_by_email(self, email: str) -> User | None:
        """Find an account; raise `EmailNotAccepted` for an address that the server cannot even look up."""
        with explaining("users"):
            return await found_or_none(self._users.by_email(email), parse_user_with_mark)

    async def create_user(self, account: NewUser) -> User:
        with explaining("users"):
            return parse_user_with_mark(await self._repeatable_users.create(account_body(account)))

    async def set_email(self, user_id: UserId, email: str, *, notify: bool = False) -> bool:
        """Give an account another e-mail address; all of it may be repeated.

        With RequireEmailVerification the answer has the old one (`UpdateUser` in
        server/channels/app/user.go). Before 11.x a new one counts as not verified until it is said to be.
        """
        with explaining("users"):
            reply = await self._users.patch(user_id, {"email": email})
        if parse_user(reply).email.lower() != email.lower():
            return False
        await self._repeatable_users.verify_email(user_id)
        if notify:
            props = {**parse_notify_props(reply), "email": "true"}
            await self._users.patch(user_id, {"notify_props": props})
        return True

    async def set_names(self, user_id: UserId, names: Mapping[str, str]) -> None:
        await self._users.patch(user_id, names)

    async def preferences(self, user_id: UserId, category: str) -> Sequence[Preference]:
        listed = await found_or_none(self._users.preferences(user_id, category), parse_list)
        return [parse_preference(each) for each in listed or ()]

    async def set_preferences(self, user_id: UserId, preferences: Sequence[Preference]) -> None:
        await self._users.set_preferences(
            user_id, [{"user_id": user_id, **asdict(each)} for each in preferences]
        )

    async def activate_user(self, user_id: UserId) -> None:
        with explaining("users"):
            await self._users.set_active(user_id, active=True)

    async def set_auth(self, user_id: UserId, auth_data: int) -> None:
        await self._users.set_auth(user_id, auth_body(auth_data))

    async def revoke_sessions(self, user_id: UserId) -> None:
        with unless_absent():
            await self._repeatable_users.revoke_sessions(user_id)

    async def create_token(self, user_id: UserId, description: str) -> AccessToken:
        with explaining("tokens"):
            return parse_token(await self._users.create_token(user_id, description))

    async def tokens(self, user_id: UserId) -> Sequence[AccessToken]:
        """Return the account's personal access tokens, without their secrets; none for an unknown one."""
        tokens: list[AccessToken] = []
        for number in itertools.count():
            page = await found_or_none(self._users.tokens(user_id, number, PAGE_SIZE), parse_list) or []
            tokens += map(parse_token, page)
            if len(page) < PAGE_SIZE:
                break
        return tokens

    async def revoke_token(self, token_id: TokenId) -> None:
        with unless_absent():
            await self._repeatable_users.revoke_token(token_id)

    async def holder(self, token: str) -> User:
        return parse_user(await UserCalls(self.transport.acting(token)).me())

    @property
    def _users(self) -> UserCalls:
        return UserCalls(self.transport)

    @property
    def _repeatable_users(self) -> UserCalls:
        return UserCalls(repeatable(self.transport))
