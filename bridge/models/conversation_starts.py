"""Where conversations begin, and the organizations to choose from. Pure: no I/O is imported here."""

from dataclasses import dataclass

from bridge.models.chat import TeamId
from bridge.models.equa import OrganizationId


@dataclass(frozen=True, slots=True)
class ConversationStart:
    """The beginning of a conversation in a thread or a direct channel; it ends where the next begins."""

    generation: int = 0
    """Counts the beginnings; 0 for a thread in which nobody has begun anew."""
    since: int = 0
    """Milliseconds since 1970; earlier posts do not belong to it."""
    organization_id: OrganizationId | None = None
    """The organization of a direct conversation; a thread has that of its team."""


NO_START = ConversationStart()
"""Of a thread in which nobody has begun anew."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An organization that somebody may be a member of, as far as the bridge knows."""

    organization_id: OrganizationId
    name: str
    team_id: TeamId
    team_name: str = ""
    """The team's name in addresses, which no other team has."""
