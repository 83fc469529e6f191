"""`GET /api/v1/mattermost/team-mapping/{teamId}`: which organization a team is, asked by gateway peers."""

from collections.abc import Mapping
from functools import lru_cache

from aiohttp import web

from bridge.errors import DatabaseUnavailable, InvalidRequest, NoBearer, TeamNotMapped
from bridge.models.chat import TeamId
from bridge.models.equa import OrganizationId
from bridge.models.ids import is_mattermost_id
from handlers.http.app_keys import SERVICES
from handlers.http.bearer import require_peer
from handlers.http.models import AnyUuid, GivenTeamId, Input, Model, json_of, json_reply, parsed
from handlers.http.route import Reply, Route


class _OfTeam(Input):
    team_id: GivenTeamId


class _Mapping(Model):
    organization_id: AnyUuid


async def team_mapping(request: web.Request) -> web.Response:
    """Answer with the organization; a mapping that was removed may be served for up to 10 s more."""
    team_id = _team_id(request.match_info)
    require_peer(request)
    organization = await request.app[SERVICES].mappings.organization_of_team(team_id)
    if organization is None:
        raise TeamNotMapped("This team belongs to no organization.")
    return json_reply(_body(organization))


def _team_id(given: Mapping[str, str]) -> TeamId:
    # The model, of which a wrong one hears what is wrong, takes a tenth of the whole request's time.
    team_id = given["teamId"]
    return TeamId(team_id) if is_mattermost_id(team_id) else parsed(_OfTeam, given).team_id


@lru_cache(maxsize=10_000)
def _body(organization: OrganizationId) -> bytes:
    return json_of(_Mapping(organization_id=organization))


ROUTE = Route(
    method="GET",
    path="/api/v1/mattermost/team-mapping/{teamId}",
    handler=team_mapping,
    operation="teamMapping",
    summary="Which organization a Mattermost team belongs to",
    caller="peer",
    path_model=_OfTeam,
    replies={200: Reply("The organization.", _Mapping)},
    errors=(InvalidRequest, NoBearer, TeamNotMapped, DatabaseUnavailable),
)
