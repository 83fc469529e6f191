"""Gateway peers learn which organization a team is, and nobody else does."""

import pytest

from bridge.errors import DatabaseUnavailable
from bridge.metrics import Metrics
from handlers.http.app import make_app
from handlers.http.app_keys import Services
from tests.support.api import ORGANIZATION, TEAM, TOKENS, Client, FakeHealth, FakeInbox, FakeMappings, serving

PATH = f"/api/v1/mattermost/team-mapping/{TEAM}"
PEER = {"Authorization": f"Bearer {TOKENS[0]}"}


@pytest.mark.parametrize(
    "authorization",
    [f"Bearer {TOKENS[0]}", f"Bearer {TOKENS[1]}", f"bearer {TOKENS[0]}", f"Bearer  {TOKENS[0]}"],
)
async def test_a_peer_learns_the_organization(api: Client, authorization: str) -> None:
    """With any of the tokens, so that one can be replaced while the other is in use."""
    response = await api.get(PATH, headers={"Authorization": authorization})

    assert response.status == 200
    assert response.content_type == "application/json"
    assert await response.json() == {"organizationId": str(ORGANIZATION)}


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        f"Bearer {TOKENS[0]}x",
        f"Bearer {TOKENS[0][:-1]}",
        f"Bearer {TOKENS[0]},{TOKENS[1]}",
        f"Basic {TOKENS[0]}",
        TOKENS[0],
        "Bearer \u00e4\udcff",
    ],
)
async def test_nobody_else_does(api: Client, mappings: FakeMappings, authorization: str | None) -> None:
    """A wrong token is refused before anything is looked up."""
    headers = {} if authorization is None else {"Authorization": authorization}
    response = await api.get(PATH, headers=headers)

    assert response.status == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert (await response.json())["error"] == "not_signed_in"
    assert mappings.asked == []


@pytest.mark.parametrize("tokens", [(), ("",)])
@pytest.mark.parametrize("authorization", ["Bearer", "Bearer ", "Bearer x"])
async def test_without_tokens_nobody_gets_in(tokens: tuple[str, ...], authorization: str) -> None:
    """An empty token is none."""
    services = Services(FakeMappings(), FakeInbox(), Metrics(), FakeHealth().look, gateway_tokens=tokens)
    async with serving(make_app(services)) as api:
        response = await api.get(PATH, headers={"Authorization": authorization})

    assert response.status == 401


@pytest.mark.parametrize(
    "team", ["t", "t" * 25, "t" * 27, "T" * 26, "t" * 25 + "-", "%00" + "t" * 25, "t" * 26 + "%0a"]
)
@pytest.mark.parametrize("headers", [PEER, {}])
async def test_what_is_no_id_is_refused_first(
    api: Client, mappings: FakeMappings, team: str, headers: dict[str, str]
) -> None:
    """Before the token is looked at, and before the database is asked."""
    response = await api.get(f"/api/v1/mattermost/team-mapping/{team}", headers=headers)

    assert response.status == 400
    assert await response.json() == {
        "error": "invalid_request",
        "message": "teamId has to be a Mattermost id: 26 characters of a-z and 0-9.",
    }
    assert mappings.asked == []


async def test_a_team_without_organization_is_404(api: Client) -> None:
    """With a code of its own, unlike an address that does not exist."""
    response = await api.get(f"/api/v1/mattermost/team-mapping/{'x' * 26}", headers=PEER)

    assert response.status == 404
    assert (await response.json())["error"] == "team_not_mapped"


async def test_a_database_that_is_away_is_503(api: Client, mappings: FakeMappings) -> None:
    """Never "no such team"."""
    mappings.error = DatabaseUnavailable("The database does not answer.")
    response = await api.get(PATH, headers=PEER)

    assert response.status == 503
    assert response.headers["Retry-After"] == "5"
    assert (await response.json())["error"] == "database_unavailable"
