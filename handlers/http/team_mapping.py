"""`GET /api/v1/mattermost/team-mapping/{teamId}`: which organization a team is, asked by gateway peers."""

import re

from aiohttp import web

from bridge.errors import InvalidRequest, TeamNotMapped
from bridge.models.chat import TeamId
from handlers.http.app_keys import SERVICES
from handlers.http.auth import require_bearer
from handlers.http.openapi import BEARER, WAIT, Paths, answer, error

_MATTERMOST_ID = re.compile(r"[a-z0-9]{26}")


async def team_mapping(request: web.Request) -> web.Response:
    """Answer with the organization; a mapping that was removed may be served for up to 10 s more."""
    team_id = _team_id(request)
    require_bearer(request)
    organization = await request.app[SERVICES].mappings.organization_of_team(team_id)
    if organization is None:
        raise TeamNotMapped("This team belongs to no organization.")
    return web.json_response({"organizationId": str(organization)})


def _team_id(request: web.Request) -> TeamId:
    team_id = request.match_info["teamId"]
    if not _MATTERMOST_ID.fullmatch(team_id):
        raise InvalidRequest("A team id has 26 characters of a-z and 0-9.")
    return TeamId(team_id)


PATHS: Paths = {
    "/api/v1/mattermost/team-mapping/{teamId}": {
        "parameters": [
            {
                "name": "teamId",
                "in": "path",
                "required": True,
                "schema": {"type": "string", "pattern": "^[a-z0-9]{26}$"},
            }
        ],
        "get": {
            "summary": "Which organization a Mattermost team belongs to",
            "operationId": "teamMapping",
            **BEARER,
            "responses": {
                "200": answer(
                    "The organization.",
                    {
                        "type": "object",
                        "required": ["organizationId"],
                        "properties": {"organizationId": {"type": "string", "format": "uuid"}},
                        "additionalProperties": False,
                    },
                ),
                "400": error("invalid_request"),
                "401": error("not_signed_in", WWW_Authenticate="`Bearer`"),
                "404": error("team_not_mapped"),
                "503": error("database_unavailable", Retry_After=WAIT),
            },
        },
    }
}
