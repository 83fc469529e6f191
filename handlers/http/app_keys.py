"""What the HTTP handlers are given, under typed keys of the application."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from aiohttp import web

from bridge.metrics import Metrics
from bridge.models.chat import TeamId
from bridge.models.equa import OrganizationId
from bridge.ports import EquaPlatform
from provisioning.sign_in_service import SignInService


class TeamMappings(Protocol):
    """Which organization a team belongs to."""

    async def organization_of_team(self, team_id: TeamId) -> OrganizationId | None:
        """Return the organization, None if the team has none; raise `DatabaseUnavailable`."""


@dataclass(frozen=True, slots=True)
class Part:
    """How one of the parts is that the daemon needs."""

    name: str
    ok: bool
    state: str
    """A word such as `connected` or `token_refused`."""
    required: bool = True
    """Whether the daemon is not ready without it."""
    variable: str | None = None
    """The configuration variable that has to be mended."""


@dataclass(frozen=True, slots=True)
class Health:
    """How all parts are."""

    parts: tuple[Part, ...]

    @property
    def ready(self) -> bool:
        """Whether every required part is well."""
        return all(part.ok for part in self.parts if part.required)


@dataclass(frozen=True, slots=True)
class Services:
    """The collaborators of all handlers."""

    mappings: TeamMappings
    gateway_tokens: tuple[str, ...] = field(repr=False)
    """Any of them lets a peer in; none lets nobody in."""
    metrics: Metrics
    health: Callable[[], Awaitable[Health]]
    """Looks at all parts within its own deadline, and does not raise."""
    public_url: str | None = None
    """Mattermost as browsers reach it, what sessions call `baseUrl`; none while it is not configured."""
    web_origins: tuple[str, ...] = ()
    """Origins of pages that may call and embed us; the first is the web app's."""
    equa: EquaPlatform | None = None
    """None while it is not configured, likewise the following."""
    session_cookies: Callable[[str], str] = str
    """Returns of a Cookie header what Equa's session is made of; empty when there is none."""
    sign_in_service: SignInService | None = None


SERVICES = web.AppKey("services", Services)

DOCUMENT = web.AppKey("document", bytes)
"""The OpenAPI document as JSON."""
