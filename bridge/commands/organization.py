"""The organization that a command is about: by its id in Equa, or by the name of its team."""

from uuid import UUID

from bridge.db.teams import Teams
from bridge.errors import UsageError
from bridge.models.equa import OrganizationId
from bridge.models.ids import is_uuid


async def find_organization(teams: Teams, text: str) -> OrganizationId:
    """Return the organization; raise `UsageError` unless there is exactly one of that name."""
    if is_uuid(text):
        return OrganizationId(UUID(text))
    match await teams.named(text.strip()):
        case [organization]:
            return organization
        case []:
            raise UsageError(
                f"No organization's team is called {text.strip()!r}. ORG is the organization's id in Equa,"
                " a UUID, or the name of its team."
            )
        case several:
            raise UsageError(
                f"Teams of several organizations are called {text.strip()!r}; name one by its id:"
                f" {', '.join(map(str, several))}."
            )
