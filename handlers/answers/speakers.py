"""The names of the people in a thread, as the agent reads them."""

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from cachetools import TTLCache

from bridge.errors import MattermostRefused, TokenRefused
from bridge.models.chat import User, UserId
from bridge.ports import MattermostApi
from bridge.text.storable import is_seen

_SECONDS = 600
"""How long a name is remembered; people rarely change theirs."""
_NAMES = 10_000
_LONGEST = 60
"""Characters of a name."""
_STRUCTURE = re.compile(r"[()\[\]{}<>@:*_`|\"\\#]")
"""Characters that a name could use to look like something else."""


@dataclass(frozen=True, slots=True)
class Speakers:
    """Looks the names up, and remembers them for a while."""

    api: MattermostApi
    _known: TTLCache[UserId, str] = field(default_factory=lambda: TTLCache(_NAMES, _SECONDS))

    async def names(self, people: Collection[UserId]) -> Mapping[UserId, str]:
        """Return everybody's name; no names at all for one person alone, who needs none."""
        if len(people) < 2:
            return {}
        return {user_id: await self._name(user_id) for user_id in sorted(people)}

    async def _name(self, user_id: UserId) -> str:
        name = self._known.get(user_id)
        if name is None:
            name = self._known[user_id] = await self._looked_up(user_id)
        return name

    async def _looked_up(self, user_id: UserId) -> str:
        try:
            return label(await self.api.user(user_id))
        except TokenRefused:
            raise
        except MattermostRefused:
            return f"somebody who has left ({user_id[-4:]})"


def label(user: User) -> str:
    """Return a name that no one else has: Mattermost's usernames are unique, full names are not."""
    name = _cleaned(user.full_name)
    return f"{name} (@{user.username})" if name else f"@{user.username}"


def spoken(name: str | None, text: str) -> str:
    """Return a text with its speaker's name in front.

    Only a speaker's name stands at the beginning of a line: further lines are indented, so that no text can
    look as if somebody else had said a part of it.
    """
    if name is None:
        return text
    return f"{name}: " + "\n  ".join(text.splitlines())


def _cleaned(name: str) -> str:
    """Return a name on one line, without invisible characters and without those that mean something here.

    NFKC makes a full-width sign, which looks like a colon or an @, that sign. "" if nothing can be seen.
    """
    plain = unicodedata.normalize("NFKC", name)
    shown = "".join(" " if unicodedata.category(each)[0] in "CZ" else each for each in plain)
    cleaned = " ".join(_STRUCTURE.sub(" ", shown).split())[:_LONGEST].strip()
    return cleaned if any(map(is_seen, cleaned)) else ""
