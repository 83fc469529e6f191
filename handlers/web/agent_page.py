"""`GET /messaging/{orgId}/agent`: a page for the organization's administrators, around its web component."""

from uuid import UUID

from aiohttp import web

from bridge.models.ids import is_uuid
from handlers.http.models import OfOrganization
from handlers.http.route import HTML, Reply, Route
from handlers.web.page import NO_ORGANIZATION, template_page, wrong_address


async def agent(request: web.Request) -> web.Response:
    """Return the page to anybody; what they may see is decided with each request of the component."""
    organization = request.match_info["orgId"]
    if not is_uuid(organization):
        return wrong_address(request, NO_ORGANIZATION)
    return template_page(request, "agent.html", shows_chat=False, organization=str(UUID(organization)))


ROUTE = Route(
    method="GET",
    path="/messaging/{orgId}/agent",
    handler=agent,
    operation="agentPage",
    summary="A page on what the organization's agent does, for its administrators",
    path_model=OfOrganization,
    replies={
        200: Reply("The page.", str, (HTML,)),
        400: Reply("A page that says what is wrong.", str, (HTML,)),
    },
)
