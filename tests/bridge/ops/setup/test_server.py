"""Settings and roles of a Mattermost, changed and changed no more."""

from typing import Any

import pytest

from bridge.errors import MattermostRefused, StartupError
from bridge.mattermost.rest.server_admin import RestOperator
from bridge.mattermost.rest.transport import Transport
from bridge.ops.findings import Finding
from bridge.ops.settings import Site
from bridge.ops.setup.server import Setup, administrator, attempt
from bridge.sandbox.mattermost import RestFault, Server, Store
from tests.support.mattermost import running_mattermost
from tests.support.operator import operating, server_settings
from tests.support.scripted_rest import gives, refuses, scripted_rest

SITE = Site("http://mm:8065", None, ("https://app.example.com",), ("announcements", "agent"))


async def test_settings_are_changed_once(store: Store, operator: RestOperator) -> None:
    """A second run finds them as they should be."""
    first = await Setup(operator, dry_run=False).settings(SITE)
    second = await Setup(operator, dry_run=False).settings(SITE)

    assert {each.mark for each in first} == {"changed"}
    assert [each.mark for each in second] == ["good"]
    assert store.settings.get("TeamSettings", "MaxUsersPerTeam") == 20_000
    assert store.settings.get("TeamSettings", "ExperimentalDefaultChannels") == ["announcements", "agent"]
    assert store.settings.get("ServiceSettings", "FrameAncestors") == "https://app.example.com"
    assert store.settings.get("ServiceSettings", "SiteURL") == "http://mm:8065"
    assert store.settings.get("EmailSettings", "EnableSignUpWithEmail") is False


async def test_a_setting_of_the_environment_is_reported_with_its_variable() -> None:
    """It stays as it is: bad where the bridge cannot do without, else a warning; the rest is changed."""
    pinned = ("TeamSettings.MaxUsersPerTeam", "ServiceSettings.EnableDesktopLandingPage")
    store = Store(server_settings(*pinned))
    async with running_mattermost(store) as server, operating(server.url, store.admin_token) as operator:
        found = {each.subject: each for each in await Setup(operator, dry_run=False).settings(SITE)}

    members, landing = (found[each] for each in pinned)
    assert (members.mark, landing.mark) == ("bad", "warning")
    assert "set MM_TEAMSETTINGS_MAXUSERSPERTEAM=20000 there" in members.todo
    assert "set MM_SERVICESETTINGS_ENABLEDESKTOPLANDINGPAGE=false there" in landing.todo
    assert found["EmailSettings.EnableSignUpWithEmail"].mark == "changed"


async def test_roles_are_changed_once(store: Store, operator: RestOperator) -> None:
    """A second run finds them as they should be."""
    first = await Setup(operator, dry_run=False).roles()
    second = await Setup(operator, dry_run=False).roles()

    assert [(each.subject, each.mark) for each in first] == [
        ("role team_user", "changed"),
        ("role system_user", "changed"),
        ("role channel_admin", "changed"),
        ("role channel_user", "changed"),
    ]
    assert [each.mark for each in second] == ["good"]
    assert "view_members" in store.roles["team_user"].permissions
    assert store.roles["system_user"].permissions == ["create_direct_channel"]


async def test_a_dry_run_changes_nothing(store: Store, operator: RestOperator) -> None:
    """It reports the same as the run that changes."""
    planned = [
        *await Setup(operator, dry_run=True).settings(SITE),
        *await Setup(operator, dry_run=True).roles(),
    ]

    assert {each.mark for each in planned} == {"planned"}
    assert store.settings.get("TeamSettings", "MaxUsersPerTeam") == 50
    assert "view_members" in store.roles["system_user"].permissions
    done = [
        *await Setup(operator, dry_run=False).settings(SITE),
        *await Setup(operator, dry_run=False).roles(),
    ]
    assert [each.subject for each in planned] == [each.subject for each in done]


async def test_people_see_their_own_organization_only(store: Store, operator: RestOperator) -> None:
    """After setup they find and write to members of their teams, and get into no others nor make any."""
    ada, bob, eve, dmitri = map(store.create_user, ("ada", "bob", "eve", "dmitri"))
    acme = store.create_team("acme", members=[ada, bob, dmitri])
    borealis = store.create_team("borealis", members=[eve, dmitri])
    await Setup(operator, dry_run=False).settings(SITE)
    await Setup(operator, dry_run=False).roles()

    as_ada = operator.acting(store.create_token(ada).token).transport
    as_dmitri = operator.acting(store.create_token(dmitri).token).transport
    team = {"name": "mine", "display_name": "Mine", "type": "O"}
    statuses = [
        await _status(as_ada, "get", f"/users/{bob.id}"),
        await _status(as_ada, "post", "/channels/direct", [ada.id, bob.id]),
        await _status(as_ada, "get", f"/users/{eve.id}"),
        await _status(as_ada, "post", "/channels/direct", [ada.id, eve.id]),
        await _status(as_ada, "get", f"/teams/{borealis.id}"),
        await _status(as_ada, "post", "/teams", team),
        await _status(as_dmitri, "post", f"/teams/{borealis.id}/members", _member(borealis.id, ada.id)),
        await _status(as_dmitri, "get", f"/teams/{acme.id}"),
    ]

    assert statuses == [200, 200, 403, 403, 403, 403, 403, 200]


@pytest.mark.parametrize("role", ["system_user", ""])
async def test_only_an_administrator_may(store: Store, operator: RestOperator, role: str) -> None:
    """The error names the account or the refusal, and the variable."""
    token = store.create_token(store.create_user("ada", roles=role)).token if role else "x" * 26

    with pytest.raises(StartupError, match="MATTERMOST_ADMIN_BOT_TOKEN") as failure:
        await administrator(operator.acting(token))

    assert ("@ada" in failure.value.message) is bool(role)
    assert token not in failure.value.message


async def test_the_administrator_is_returned(operator: RestOperator) -> None:
    """Whose token it is."""
    assert (await administrator(operator)).username == "admin"


@pytest.mark.parametrize(
    ("error_id", "advice"), [("api.x.app_error", "in Mattermost's log"), ("", "in front of Mattermost")]
)
async def test_a_refused_step_is_a_finding(
    mattermost: Server, operator: RestOperator, error_id: str, advice: str
) -> None:
    """So that the steps after it are taken all the same, whoever refuses."""
    mattermost.faults.rest(RestFault(status=400, error_id=error_id, path="/config"))

    (found,) = await attempt("settings", Setup(operator, dry_run=False).settings(SITE))

    assert found.mark == "bad"
    assert advice in found.todo


async def test_a_server_that_needs_a_licence_is_reported() -> None:
    """Before 6.0 most permissions could be changed only with one."""
    role = {"id": "r" * 26, "name": "team_user", "permissions": []}
    async with scripted_rest() as rest, operating(rest.url, "token") as operator:
        rest.answers(gives([role]), refuses("api.roles.patch_roles.license.error", 501))
        (found,) = await attempt("roles", Setup(operator, dry_run=False).roles())

    assert found.mark == "bad"
    assert found.found == "This Mattermost changes the role team_user only with a licence; 10.4 does without."
    assert found.todo


async def test_what_goes_wrong_inside_mattermost_names_the_request() -> None:
    """By its id it is found in Mattermost's log."""
    async with scripted_rest() as rest, operating(rest.url, "token") as operator:
        rest.answers(refuses("api.config.x.app_error", 400))
        found = await attempt("settings", Setup(operator, dry_run=False).settings(SITE))

    assert found == [
        Finding(
            "settings",
            "bad",
            "Mattermost refused (400 api.config.x.app_error).",
            "look for req1 in Mattermost's log",
        )
    ]


async def test_a_member_cannot_break_a_default_channel(store: Store, operator: RestOperator) -> None:
    """Neither remove the bot, nor rename or archive the channel; in a channel of their own they can."""
    ada, bob, equabot = store.create_user("ada"), store.create_user("bob"), store.create_bot("equabot")
    acme = store.create_team("acme", members=[ada, bob, equabot])
    agent = store.create_channel(acme, "agent", members=[ada, bob, equabot])
    await Setup(operator, dry_run=False).roles()
    as_ada = operator.acting(store.create_token(ada).token).transport
    mine: Any = await as_ada.post(
        "/channels", {"team_id": acme.id, "name": "mine", "display_name": "Mine", "type": "O"}
    )

    async def attempts(channel: str, member: str) -> list[int]:
        return [
            await _status(as_ada, "post", f"/channels/{channel}/members", {"user_id": bob.id}),
            await _status(as_ada, "delete", f"/channels/{channel}/members/{member}"),
            await _status(as_ada, "put", f"/channels/{channel}/patch", {"name": "other"}),
            await _status(as_ada, "put", f"/channels/{channel}/patch", {"display_name": "Other"}),
            await _status(as_ada, "put", f"/channels/{channel}/patch", {"header": "Other"}),
            await _status(as_ada, "delete", f"/channels/{channel}"),
        ]

    store.leave(agent, bob)
    assert await attempts(agent.id, equabot.id) == [403] * 6
    assert store.member_of_channel(agent.id, equabot.id)
    assert (agent.name, agent.delete_at) == ("agent", 0)
    assert await attempts(mine["id"], bob.id) == [200] * 6


async def test_a_setting_that_only_the_environment_changes_is_reported(
    store: Store, operator: RestOperator
) -> None:
    """A feature flag is never sent to the API."""
    store.settings.sections["FeatureFlags"] = {"OnboardingTourTips": True}

    first = {each.subject: each for each in await Setup(operator, dry_run=False).settings(SITE)}
    (second,) = await Setup(operator, dry_run=False).settings(SITE)

    assert first["FeatureFlags.OnboardingTourTips"] == second
    assert second.mark == "warning"
    assert "set MM_FEATUREFLAGS_ONBOARDINGTOURTIPS=false there" in second.todo
    assert store.settings.get("FeatureFlags", "OnboardingTourTips") is True


def _member(team_id: str, user_id: str) -> dict[str, str]:
    return {"team_id": team_id, "user_id": user_id}


async def _status(transport: Transport, method: str, path: str, *body: object) -> int:
    try:
        await getattr(transport, method)(path, *body)
    except MattermostRefused as error:
        return error.http_status
    return 200
