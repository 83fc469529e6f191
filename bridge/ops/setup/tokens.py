"""The tokens that setup makes: one for each account, printed once."""

from collections.abc import Callable
from dataclasses import dataclass, field

from bridge.errors import TokenRefused
from bridge.mattermost.rest.server_admin import RestOperator
from bridge.models.chat import User
from bridge.ops.findings import Finding


@dataclass(frozen=True, slots=True)
class Tokens:
    """The present tokens by variable, and how new ones are kept."""

    present: dict[str, str] = field(repr=False)
    keep: Callable[[str, str], None]
    """Called with the variable and the token as soon as it is made."""
    kept_here: bool = False
    """True if `present` comes from the place that keeps tokens: a token that is not there is lost."""
    renew: bool = False
    """True makes a new token in any case."""

    async def holder(self, operator: RestOperator, variable: str) -> User | None:
        """Return the owner of the present token; None if there is none or Mattermost refuses it."""
        if not self.present.get(variable):
            return None
        try:
            return await operator.holder(self.present[variable])
        except TokenRefused:
            return None

    async def ensure(
        self, operator: RestOperator, variable: str, user: User, *, works: bool, dry_run: bool
    ) -> Finding:
        """Make a token if none works and none was made before.

        A token that was made before and is not present may be in use: then `renew` decides.
        """
        if works and not self.renew:
            return Finding(variable, "good", f"works and belongs to @{user.username}")
        if not self.renew and not self.kept_here and await operator.own_tokens(user.id):
            return self._not_present(variable, user)
        if dry_run:
            return Finding(variable, "planned", f"would be made for @{user.username}")
        self.present[variable] = await operator.create_token(user.id)
        self.keep(variable, self.present[variable])
        return Finding(variable, "changed", f"made for @{user.username}")

    def _not_present(self, variable: str, user: User) -> Finding:
        if self.present.get(variable):
            todo = "put the right one into the environment, or make another with --new-token"
            return Finding(variable, "bad", "Mattermost refuses the one in the environment", todo)
        found = f"@{user.username} already has one, which is not in the environment"
        return Finding(variable, "warning", found, "put it there, or make another with --new-token")
