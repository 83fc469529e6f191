"""The tokens that setup makes: one an account, told once and never again."""

from collections.abc import Callable
from dataclasses import dataclass, field

from bridge.errors import TokenRefused
from bridge.mattermost.rest.server_admin import RestOperator
from bridge.models.chat import User
from bridge.ops.findings import Finding


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens at hand by their variables, and what becomes of new ones."""

    held: dict[str, str] = field(repr=False)
    keep: Callable[[str, str], None]
    """Is given the variable and the token, at once when it is made."""
    kept_here: bool = False
    """Whether `held` is where tokens are kept, so that one which is not at hand is lost."""
    anew: bool = False
    """Whether another is made in any case."""

    async def holder(self, operator: RestOperator, variable: str) -> User | None:
        """Return whose token is at hand; None if there is none or Mattermost refuses it."""
        if not self.held.get(variable):
            return None
        try:
            return await operator.holder(self.held[variable])
        except TokenRefused:
            return None

    async def ensure(
        self, operator: RestOperator, variable: str, user: User, *, works: bool, dry_run: bool
    ) -> Finding:
        """Make a token if none works and none was made before.

        One that was made before and is not at hand may be in use: then another is made only when asked for.
        """
        if works and not self.anew:
            return Finding(variable, "good", f"works, it is @{user.username}'s")
        if not self.anew and not self.kept_here and await operator.own_tokens(user.id):
            return self._not_at_hand(variable, user)
        if dry_run:
            return Finding(variable, "planned", f"would be made for @{user.username}")
        self.held[variable] = await operator.create_token(user.id)
        self.keep(variable, self.held[variable])
        return Finding(variable, "changed", f"made for @{user.username}")

    def _not_at_hand(self, variable: str, user: User) -> Finding:
        if self.held.get(variable):
            todo = "take the right one into the environment, or make another with --new-token"
            return Finding(variable, "bad", "Mattermost refuses the one in the environment", todo)
        found = f"@{user.username} has one already, which is not in the environment"
        return Finding(variable, "warning", found, "put it there, or make another with --new-token")
