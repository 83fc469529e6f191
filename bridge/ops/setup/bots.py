"""The two bot accounts that `setup` makes: one answers questions, one posts platform notices."""

from dataclasses import dataclass

from bridge.mattermost.rest.server_admin import RestOperator
from bridge.models.chat import User
from bridge.ops.findings import Finding, Mark
from bridge.ops.setup.tokens import Tokens


@dataclass(frozen=True, slots=True)
class Bot:
    """A bot account as it should be."""

    subject: str
    """Its name in a report."""
    variable: str
    """The environment variable of its token."""
    username: str
    display_name: str
    description: str
    option: str
    """The command-line option that chooses another account."""
    roles: frozenset[str] = frozenset()
    """Roles besides system_user."""
    named: bool = False
    """True if the operator chose the username; otherwise the owner of a working token is used."""


@dataclass(frozen=True, slots=True)
class BotMaker:
    operator: RestOperator
    tokens: Tokens
    dry_run: bool

    async def ensure(self, bot: Bot) -> list[Finding]:
        """Create or repair the account: enabled, with its roles and a token.

        The display name is set at creation or where it is empty; an operator's choice stays.
        """
        holder = await self.tokens.holder(self.operator, bot.variable)
        if holder and (not holder.is_bot or (bot.named and holder.username != bot.username)):
            return [_wrong_owner(bot, holder)]
        username = holder.username if holder else bot.username
        user = await self.operator.admin.user_by_username(username)
        if user and not user.is_bot:
            todo = f"choose another name with {bot.option}"
            return [Finding(bot.subject, "bad", f"@{username} is a person's account", todo)]
        if user is None:
            return await self._create(bot)
        return [await self._repair(bot, user), await self._token(bot, user)]

    async def account(self, bot: Bot) -> User | None:
        """Return the account as it is now, None if there is none."""
        holder = await self.tokens.holder(self.operator, bot.variable)
        return holder or await self.operator.admin.user_by_username(bot.username)

    async def _create(self, bot: Bot) -> list[Finding]:
        name = f'@{bot.username}, shown as "{bot.display_name}"'
        if self.dry_run:
            return [
                Finding(bot.subject, "planned", f"{name}, would be created"),
                Finding(bot.variable, "planned", f"would be made for @{bot.username}"),
            ]
        user_id = await self.operator.create_bot(bot.username, bot.display_name, bot.description)
        user = User(user_id, bot.username, is_bot=True, roles="system_user")
        await self._grant(bot, user)
        created = Finding(bot.subject, "changed", f"{name}, created")
        return [created, await self._token(bot, user)]

    async def _repair(self, bot: Bot, user: User) -> Finding:
        steps = (("enabled", self._enable), ("shown by name", self._show), ("given its roles", self._grant))
        done = [name for name, step in steps if await step(bot, user)]
        if not done:
            return Finding(bot.subject, "good", f"@{user.username}")
        mark: Mark = "planned" if self.dry_run else "changed"
        return Finding(bot.subject, mark, f"@{user.username}: {', '.join(done)}")

    async def _enable(self, _: Bot, user: User) -> bool:
        wanted = user.delete_at > 0
        if wanted and not self.dry_run:
            await self.operator.enable_bot(user.id)
        return wanted

    async def _show(self, bot: Bot, user: User) -> bool:
        wanted = not await self.operator.display_name(user.id)
        if wanted and not self.dry_run:
            await self.operator.show_as(user.id, bot.display_name)
        return wanted

    async def _grant(self, bot: Bot, user: User) -> bool:
        roles = user.roles.split()
        missing = sorted(bot.roles.difference(roles))
        if missing and not self.dry_run:
            await self.operator.set_roles(user.id, " ".join([*roles, *missing]))
        return bool(missing)

    async def _token(self, bot: Bot, user: User) -> Finding:
        """Ensure the token. One that was refused while the account was disabled may work now."""
        holder = await self.tokens.holder(self.operator, bot.variable)
        return await self.tokens.ensure(
            self.operator, bot.variable, user, works=holder is not None, dry_run=self.dry_run
        )


def _wrong_owner(bot: Bot, holder: User) -> Finding:
    found = f"it belongs to @{holder.username}" + ("" if holder.is_bot else ", which is not a bot")
    todo = f"remove it from the environment, or name the right account with {bot.option}"
    return Finding(bot.variable, "bad", found, todo)
