"""What the operator's calls make of answers that are not as expected."""

import pytest

from bridge.errors import MattermostRefused
from bridge.mattermost.json_text import MalformedError
from bridge.mattermost.rest.server_admin import Limits, RestOperator
from bridge.mattermost.rest.transport import Transport
from bridge.models.chat import UserId
from tests.support.scripted_rest import ScriptedRest, gives, refuses


@pytest.fixture
def operator(transport: Transport) -> RestOperator:
    return RestOperator(transport)


@pytest.mark.parametrize("body", [[], "text", 7])
async def test_a_configuration_that_is_none(rest: ScriptedRest, operator: RestOperator, body: object) -> None:
    """Something else than an object is nobody's configuration."""
    rest.answers(gives(body if body != "text" else '"text"'))

    with pytest.raises(MalformedError):
        await operator.config()


async def test_only_sections_are_configuration(rest: ScriptedRest, operator: RestOperator) -> None:
    """What is no section is left out."""
    rest.answers(gives({"TeamSettings": {"MaxUsersPerTeam": 50}, "FeatureFlags": None}))

    assert await operator.config() == {"TeamSettings": {"MaxUsersPerTeam": 50}}


@pytest.mark.parametrize("role", [{}, {"id": "r", "name": "team_user"}, "team_user"])
async def test_a_role_that_is_none(rest: ScriptedRest, operator: RestOperator, role: object) -> None:
    """Without its permissions a role cannot be changed."""
    rest.answers(gives([role]))

    with pytest.raises(MalformedError):
        await operator.roles(["team_user"])


async def test_limits(rest: ScriptedRest, operator: RestOperator) -> None:
    """An older server has no such route; anything unreadable is said to be so."""
    rest.answers(
        gives({"maxUsersLimit": 200, "maxUsersHardLimit": 250, "activeUserCount": 7}),
        refuses("api.context.404.app_error", 404),
        gives({"maxUsersLimit": "many"}),
        refuses("api.context.permissions.app_error", 403),
    )

    assert await operator.limits() == Limits(active=7, warned_from=200, most=250)
    assert await operator.limits() is None
    with pytest.raises(MalformedError):
        await operator.limits()
    with pytest.raises(MattermostRefused):
        await operator.limits()


async def test_a_bot_without_an_id(rest: ScriptedRest, operator: RestOperator) -> None:
    """Is said to be unreadable instead of being used."""
    rest.answers(gives({"username": "equabot"}))

    with pytest.raises(MalformedError):
        await operator.create_bot("equabot", "Equabot", "")


async def test_a_bot_that_was_created_and_refused(rest: ScriptedRest, operator: RestOperator) -> None:
    """It is there; where it is not, or is somebody else, the refusal stands."""
    refusal = refuses("api.post.create_post.can_not_post_in_restricted_dm.error")
    bot = {"id": "b" * 26, "username": "equabot", "is_bot": True}
    missing = refuses("app.user.missing_account.const", 404)
    rest.answers(refusal, gives(bot), refusal, missing, refusal, gives({**bot, "is_bot": False}))

    assert await operator.create_bot("equabot", "Equabot", "") == "b" * 26
    for _ in range(2):
        with pytest.raises(MattermostRefused, match="restricted_dm"):
            await operator.create_bot("equabot", "Equabot", "")


async def test_only_own_active_tokens_count(rest: ScriptedRest, operator: RestOperator) -> None:
    """By their description, which setup gives them."""
    ours = {"description": "equabot-bridge", "is_active": True}
    rest.answers(gives([ours, {**ours, "is_active": False}, {**ours, "description": "by hand"}, {}]))

    assert await operator.own_tokens(UserId("u" * 26)) == 1
