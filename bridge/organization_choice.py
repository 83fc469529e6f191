"""Which organization a direct message is for. Pure: no I/O is imported here.

It is never taken from what a question says: only a choice of its author among their organizations counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bridge.models.conversation_starts import Candidate
from bridge.models.equa import OrganizationId
from bridge.text.commands import Command, Number, Use


@dataclass(frozen=True, slots=True)
class Chosen:
    """Ask the agent of this organization."""

    organization: Candidate
    begins: bool
    """No conversation has begun yet."""


@dataclass(frozen=True, slots=True)
class Switched:
    """A conversation begins with the agent of this organization."""

    organization: Candidate


@dataclass(frozen=True, slots=True)
class AskWhich:
    """Ask which of the organizations is meant."""

    organizations: Sequence[Candidate]
    unknown: str = ""
    """The name that fits none or several of them."""


@dataclass(frozen=True, slots=True)
class Left:
    """The chosen organization is none of the author's any more; no other one gets the question."""

    now: Candidate | None
    """The only one that is left, with which a conversation begins."""
    organizations: Sequence[Candidate]


@dataclass(frozen=True, slots=True)
class Nowhere:
    """The author is in no organization."""


Choice = Chosen | Switched | AskWhich | Left | Nowhere


def choose(
    command: Command | None,
    mine: Sequence[Candidate],
    chosen: OrganizationId | None,
    offered: Sequence[OrganizationId] = (),
) -> Choice:
    """Decide whose agent is asked.

    `mine` are the organizations of the author, each looked up just now; `chosen` is that of the present
    conversation; `offered` are those of the last list, in its order, if nothing was chosen since.
    """
    if not mine:
        return Nowhere()
    if (switched := wanted(command, mine, offered)) is not None:
        return Switched(switched)
    if isinstance(command, Use) and command.certain:
        return AskWhich(mine, command.name)
    if chosen is None:
        return Chosen(mine[0], begins=True) if len(mine) == 1 else AskWhich(mine)
    for each in mine:
        if each.organization_id == chosen:
            return Chosen(each, begins=False)
    return Left(mine[0] if len(mine) == 1 else None, mine)


def wanted(
    command: Command | None, mine: Sequence[Candidate], offered: Sequence[OrganizationId]
) -> Candidate | None:
    """Return the organization that a command names; a number only counts as the answer to a list."""
    match command:
        case Number(number):
            return _numbered(number, mine, offered)
        case Use(name):
            if name.isascii() and name.isdigit():
                return _numbered(int(name), mine, offered or [each.organization_id for each in mine])
            return named(name, mine)
        case _:
            return None


def _numbered(number: int, mine: Sequence[Candidate], offered: Sequence[OrganizationId]) -> Candidate | None:
    if not 1 <= number <= len(offered):
        return None
    found = (each for each in mine if each.organization_id == offered[number - 1])
    return next(found, None)


def named(name: str, organizations: Sequence[Candidate]) -> Candidate | None:
    """Return the only organization of that name, or whose name begins with it; None for none or several."""
    wanted = _folded(name)
    for fits in (
        [each for each in organizations if _folded(each.name) == wanted],
        [each for each in organizations if f"{_folded(each.name)} ".startswith(f"{wanted} ")],
        [each for each in organizations if len(wanted) > 2 and _folded(each.name).startswith(wanted)],
    ):
        if wanted and fits:
            return fits[0] if len(fits) == 1 else None
    return None


def _folded(name: str) -> str:
    return " ".join(name.casefold().split())
