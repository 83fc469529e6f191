"""The doctor finds one fault at a time, and nothing else."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from asyncpg import Pool

from bridge.db.teams import Teams
from bridge.models.chat import ChannelId, TeamId
from bridge.models.equa import OrganizationId
from bridge.ops.doctor.groups import configuration
from bridge.ops.findings import Finding, Mark
from bridge.ops.isolation import CHANNEL_CONTROL
from bridge.sandbox.agent.faults import UNAUTHORIZED, ErrorObject, Fault, Says
from bridge.sandbox.equa.faults import away
from bridge.sandbox.mattermost import RestFault
from bridge.secrets.key_ring import KeyRing, new_key
from tests.support.installation import Installation, installation
from tests.support.mappings import Mappings
from tests.support.pgbouncer import pgbouncer
from tests.support.ports import reserved_port

STOCK = "frame-ancestors 'self' teams.microsoft.com; script-src 'self'"
OF_TEAMS = ("default channels", "other accounts")
OF_SIGN_IN = ("sign-in with Equa", "sign-in with Equa outside", "sign-in trial")
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
async def install(dsn: str, pool: Pool) -> AsyncIterator[Installation]:
    async with installation(dsn, pool) as built:
        yield built


def not_well(found: dict[str, Finding]) -> dict[str, Mark]:
    """Return the marks of all findings that are not good; each bad one has advice."""
    assert all(each.todo for each in found.values() if each.mark == "bad"), found
    return {subject: each.mark for subject, each in found.items() if each.mark != "good"}


async def test_everything_is_well(install: Installation) -> None:
    """Nothing is bad, nothing missing, and no secret is shown."""
    await install.keep_token()

    found = await install.look()

    assert not_well(found) == {}
    assert found["bot"].found == "@equabot"
    assert found["bot's channels"].found == "in #agent of 1 mapped team"
    assert found["keys"].found == "k1: 1 stored token open"
    secret = [
        value for name, value in install.environ.items() if name.endswith(("TOKEN", "PASSWORD", "KEYS"))
    ]
    assert not any(each in str(found) for each in secret)


async def test_nothing_is_configured(install: Installation, tmp_path: Path) -> None:
    """Only what is required is bad."""
    install.environ = {"BRIDGE_DATA_DIR": str(tmp_path), "BRIDGE_PORT": str(reserved_port())}

    found = await install.look()

    assert not_well(found) == {
        "Mattermost": "bad",
        "Equa": "bad",
        "database": "absent",
        "keys": "absent",
        "agent": "absent",
        "addresses": "absent",
    }


async def test_what_is_optional_is_absent(install: Installation) -> None:
    """Each says what there is not without it."""
    for name in ("MATTERMOST_NOTICE_TOKEN", "EQUA_SERVICE_EMAIL", "EQUA_SERVICE_PASSWORD", "WEB_ORIGINS"):
        install.environ[name] = ""
    for name in ("MATTERMOST_BOT_TOKEN", "AGENT_URL"):
        install.environ[name] = ""

    found = await install.look()

    assert not_well(found) == dict.fromkeys(["bot", "notices", "frame", "service account", "agent"], "absent")
    assert all(
        each.found.startswith("not configured: without") for each in found.values() if each.mark == "absent"
    )


async def test_mattermost_is_away(install: Installation) -> None:
    """What needs it says so, the rest is looked at all the same."""
    await install.mattermost.stop()

    found = await install.look(seconds=8)

    asked = ["administrator", "people", "settings", "roles", "bot", "notices", "websocket", "bot's channels"]
    asked += OF_TEAMS
    asked += [*OF_SIGN_IN, "buttons"]
    assert not_well(found) == dict.fromkeys(["Mattermost", *asked, "frame", "sign-in"], "bad")
    assert "Connection refused" in found["Mattermost"].found
    assert {found[each].todo for each in ("bot", "notices", "settings")} == {
        "see Mattermost and its accounts above"
    }


async def test_mattermost_is_not_well(install: Installation) -> None:
    """It answers, but not that it is well."""
    install.mattermost.faults.rest(RestFault(status=500, path="/system/ping"))

    assert not_well(await install.look()) == {"Mattermost": "bad"}


async def test_mattermost_11_without_a_licence(install: Installation) -> None:
    """Works, for few people, and its sign-in page has no button."""
    install.store.settings.version = "11.6.0"

    assert not_well(await install.look()) == {"version": "warning", "sign-in page": "warning"}


@pytest.mark.parametrize(("people", "mark"), [(9, "warning"), (10, "bad")])
async def test_the_user_limit(install: Installation, people: int, mark: Mark) -> None:
    """Near, and reached."""
    install.store.settings.max_active_users = 10
    for number in range(people - 1):
        install.store.create_user(f"person-{number}")

    assert not_well(await install.look()) == {"people": mark}


async def test_the_administrators_token_is_refused(install: Installation) -> None:
    """The finding names the variable; the checks that use it point there."""
    install.environ["MATTERMOST_ADMIN_BOT_TOKEN"] = "x" * 26

    found = await install.look()

    assert not_well(found) == dict.fromkeys(
        ["administrator", "people", "settings", "roles", "sign-in with Equa", "buttons", *OF_TEAMS], "bad"
    )
    assert found["administrator"].found == "Mattermost refuses MATTERMOST_ADMIN_BOT_TOKEN"
    assert "active system administrator" in found["administrator"].todo


async def test_the_administrator_is_none(install: Installation) -> None:
    """An ordinary account's token works, and is not enough: it may look neither at limits nor at settings."""
    ada = install.store.create_user("ada")
    install.environ["MATTERMOST_ADMIN_BOT_TOKEN"] = install.store.create_token(ada).token

    assert not_well(await install.look()) == dict.fromkeys(
        ["administrator", "people", "settings", "sign-in with Equa", *OF_TEAMS], "bad"
    )


@pytest.mark.parametrize(
    ("section", "name", "value", "mark"),
    [
        ("TeamSettings", "MaxUsersPerTeam", 50, "bad"),
        ("ServiceSettings", "SiteURL", "https://other.example.com", "bad"),
        ("TeamSettings", "EnableOpenServer", True, "bad"),
        ("TeamSettings", "RestrictDirectMessage", "any", "warning"),
        ("ServiceSettings", "AllowCorsFrom", "*", "warning"),
        ("ServiceSettings", "EnableBotAccountCreation", False, "warning"),
        ("ServiceSettings", "EnableLinkPreviews", True, "warning"),
        ("ServiceSettings", "EnableTutorial", True, "warning"),
        ("ServiceSettings", "EnableOnboardingFlow", True, "warning"),
        ("TeamSettings", "TeammateNameDisplay", "username", "warning"),
    ],
)
async def test_a_setting(install: Installation, section: str, name: str, value: object, mark: Mark) -> None:
    """Bad where the bridge cannot do without, with the line for Mattermost's environment."""
    install.store.settings.patch({section: {name: value}})

    found = await install.look()

    assert not_well(found) == {f"{section}.{name}": mark}
    assert f"MM_{section}_{name}".upper() in found[f"{section}.{name}"].todo


async def test_roles_as_they_are_installed(install: Installation) -> None:
    """People would see every organization."""
    install.store.roles["system_user"].permissions.append("view_members")

    assert not_well(await install.look()) == {"role system_user": "bad"}


async def test_tours_that_only_the_environment_switches_off(install: Installation) -> None:
    """The advice does not name setup, which cannot."""
    install.store.settings.sections["FeatureFlags"] = {"OnboardingTourTips": True}

    found = await install.look()

    assert not_well(found) == {"FeatureFlags.OnboardingTourTips": "warning"}
    assert found["FeatureFlags.OnboardingTourTips"].todo == (
        "set MM_FEATUREFLAGS_ONBOARDINGTOURTIPS=false in Mattermost's environment"
    )


@pytest.mark.parametrize("permission", sorted(CHANNEL_CONTROL))
async def test_members_may_break_a_channel(install: Installation, permission: str) -> None:
    """Each of the permissions alone is enough."""
    install.store.roles["channel_user"].permissions.append(permission)

    found = await install.look()

    assert not_well(found) == {"role channel_user": "bad"}
    assert permission in found["role channel_user"].found


async def test_the_bots_token_is_refused(install: Installation) -> None:
    """Advice stands once; the websocket notices it too."""
    install.environ["MATTERMOST_BOT_TOKEN"] = "x" * 26

    found = await install.look()

    assert not_well(found) == dict.fromkeys(["bot", "websocket", "bot's channels"], "bad")
    assert found["bot"].found == found["websocket"].found == "Mattermost refuses MATTERMOST_BOT_TOKEN"
    assert "--new-token" in found["bot"].todo


@pytest.mark.parametrize(("name", "mark"), [("ada", "bad"), ("equabot", "warning")])
async def test_the_bot_is_another_account(install: Installation, name: str, mark: Mark) -> None:
    """A person's, or one that may do everything."""
    user = install.bot if name == "equabot" else install.store.create_user(name)
    user.roles = "system_user system_admin" if name == "equabot" else "system_user"
    install.store.join(install.team, user)
    install.store.join(install.store.channel(install.team, "agent"), user)
    install.environ["MATTERMOST_BOT_TOKEN"] = install.store.create_token(user).token

    assert not_well(await install.look()) == {"bot": mark}


async def test_the_notice_account_lacks_its_role(install: Installation) -> None:
    """It could post only where it is a member."""
    install.notices.roles = "system_user"

    assert not_well(await install.look()) == {"notices": "warning"}


async def test_the_notice_token_is_refused(install: Installation) -> None:
    """With its own variable."""
    install.environ["MATTERMOST_NOTICE_TOKEN"] = "x" * 26

    found = await install.look()

    assert not_well(found) == {"notices": "bad"}
    assert found["notices"].found == "Mattermost refuses MATTERMOST_NOTICE_TOKEN"


async def test_no_websocket(install: Installation) -> None:
    """REST works and websockets do not, as behind a proxy that does not know them."""
    install.mattermost.faults.refuse_sockets = True

    assert not_well(await install.look(seconds=8)) == {"websocket": "bad"}


async def test_the_bot_is_not_in_every_place(install: Installation) -> None:
    """Named are the team or its channel, whichever it is not in."""
    channel = install.store.channel(install.team, "agent")
    install.store.leave(channel, install.bot)
    assert (await install.look())["bot's channels"].found == "not in #agent of acme"

    install.store.leave(install.team, install.bot)
    found = await install.look()

    assert not_well(found) == {"bot's channels": "bad"}
    assert found["bot's channels"].found == "not in the team acme"
    assert "equabot-bridge sync " in found["bot's channels"].todo


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("private", "#cap-table is private (acme)"),
        ("archived", "#cap-table is archived (acme)"),
        ("renamed", "#cap-table is called #cap-table-old (acme)"),
        ("gone", "#cap-table is gone (acme)"),
        ("owned", "#cap-table is run by @ada, who may rename or archive it (acme)"),
    ],
)
async def test_a_default_channel_is_not_as_it_should_be(install: Installation, fault: str, says: str) -> None:
    """Whatever a member or an operator did to it."""
    store, channel = install.store, install.store.channel(install.team, "cap-table")
    match fault:
        case "private":
            channel.type = "P"
        case "archived":
            channel.delete_at = 1
        case "renamed":
            channel.name = "cap-table-old"
        case "gone":
            await install.pool.execute(
                "update mattermost_channel_mappings set mattermost_channel_id = $1 where name = 'cap-table'",
                "x" * 26,
            )
        case _:
            ada = store.create_user("ada")
            store.join(install.team, ada)
            store.join(channel, ada)
            store.channel_members[channel.id][ada.id].admin = True
            channel.creator_id = ada.id

    found = await install.look()

    assert not_well(found) == {"default channels": "bad"}
    assert found["default channels"].found == says
    assert "equabot-bridge sync " in found["default channels"].todo


async def test_a_creator_without_rights_is_no_fault(install: Installation) -> None:
    """Somebody who created the channel once and was made an ordinary member since."""
    channel, ada = install.store.channel(install.team, "cap-table"), install.store.create_user("ada")
    install.store.join(install.team, ada)
    install.store.join(channel, ada)
    channel.creator_id = ada.id

    assert not_well(await install.look()) == {}


async def test_accounts_that_autocompletion_offers_besides_the_bot(install: Installation) -> None:
    """The administrator in a team, and both accounts in the agent's channel."""
    store, channel = install.store, install.store.channel(install.team, "agent")
    for user in (store.user_by_name["admin"], install.notices):
        store.join(install.team, user)
        store.join(channel, user)

    found = await install.look()

    assert not_well(found) == {"other accounts": "warning"}
    assert found["other accounts"].found == (
        "@admin is in #agent (acme), @equa-admin-bot is in #agent (acme),"
        " @admin is a member of the team (acme)"
    )


async def test_of_many_faults_a_few_are_named(install: Installation) -> None:
    """All teams are looked at, page by page."""
    teams = 130
    for number in range(teams):
        team = install.store.create_team(f"b{number:03}")
        organization = OrganizationId(uuid4())
        await Mappings(install.pool).map_team(organization, TeamId(team.id), team.name)
        await Teams(install.pool).record_channels(organization, {"agent": (ChannelId("x" * 26), None)})

    found = await install.look()

    assert found["default channels"].found.startswith("#agent is gone (b000), #agent is gone (b001)")
    assert found["default channels"].found.endswith(f", and {teams - 5} more")
    assert "and so on for each" in found["default channels"].todo


async def test_the_page_may_not_be_framed(install: Installation) -> None:
    """As Mattermost has it without a proxy."""
    install.front.policy = STOCK

    found = await install.look()

    assert not_well(found) == {"frame": "bad"}
    assert "frame-ancestors 'self' teams.microsoft.com" in found["frame"].found
    assert "FRAME_ANCESTORS" in found["frame"].todo


async def test_there_is_no_page(install: Installation) -> None:
    """A proxy answers that does not reach Mattermost."""
    install.front.page_status = 502

    assert not_well(await install.look()) == {"frame": "bad"}


@pytest.mark.parametrize(
    ("status", "repeats", "headers", "says"),
    [
        (200, False, {}, "leads to Mattermost"),
        (200, False, {"X-Version-Id": ""}, "another server (HTTP 200)"),
        (502, False, {"X-Version-Id": ""}, "does not reach the bridge"),
        (404, True, {}, "no /login/token"),
        (500, True, {}, "the bridge answers HTTP 500"),
    ],
)
async def test_tickets_lead_elsewhere(
    install: Installation, status: int, headers: dict[str, str], says: str, *, repeats: bool
) -> None:
    """To Mattermost, to nobody, or to a bridge that cannot use them."""
    install.front.login_status, install.front.repeats_id = status, repeats
    install.front.login_headers = headers

    found = await install.look()

    assert not_well(found) == dict.fromkeys(["sign-in", "sign-in with Equa outside"], "bad")
    assert says in found["sign-in"].found


async def test_the_public_name_does_not_resolve(install: Installation) -> None:
    """Each check that uses it says so, and at once."""
    install.environ["MATTERMOST_PUBLIC_URL"] = "http://chat.nowhere.invalid"

    found = await install.look()

    subjects = ["public websocket", "frame", "sign-in", "sign-in with Equa outside"]
    settings = ["ServiceSettings.SiteURL", "GitLabSettings.AuthEndpoint"]
    assert not_well(found) == dict.fromkeys([*subjects, *settings], "bad")
    assert {found[each].found for each in subjects} == {
        "http://chat.nowhere.invalid has a host name that does not resolve."
    }


async def test_the_public_address_is_wrong(install: Installation) -> None:
    """Browsers would be sent nowhere, although the bridge reaches Mattermost."""
    install.environ["MATTERMOST_PUBLIC_URL"] = NOWHERE

    found = await install.look(seconds=8)

    subjects = ["ServiceSettings.SiteURL", "public websocket", "frame", "sign-in"]
    subjects += ["sign-in with Equa outside", "GitLabSettings.AuthEndpoint"]
    assert not_well(found) == dict.fromkeys(subjects, "bad")


async def test_the_database_is_away(install: Installation) -> None:
    """What lies in it cannot be looked at either."""
    install.environ["DATABASE_URL"] = "postgresql://nobody@127.0.0.1:9/none"

    found = await install.look(seconds=8)

    assert not_well(found) == dict.fromkeys(["database", "keys", "bot's channels", *OF_TEAMS], "bad")


async def test_a_pooler_keeps_no_sessions(install: Installation, tmp_path: Path) -> None:
    """The finding says which setting it is."""
    async with pgbouncer(install.environ["DATABASE_URL"], tmp_path, "transaction") as through:
        install.environ["DATABASE_URL"] = through
        found = await install.look()

    assert found["database"].mark == "bad"
    assert "pool_mode = session" in found["database"].found


@pytest.mark.parametrize(
    ("change", "mark"),
    [
        ("delete from schema_migrations where version > 1", "warning"),
        ("update schema_migrations set version = 999 where version = 1", "bad"),
    ],
)
async def test_the_schema_is_another_versions(install: Installation, change: str, mark: Mark) -> None:
    """An older one is migrated by the daemon, a newer one is not for this program."""
    await install.pool.execute(change)

    assert not_well(await install.look()) == {"database": mark}


async def test_an_empty_database(install: Installation) -> None:
    """It has no tables yet; the daemon creates them."""
    await install.pool.execute("drop schema public cascade; create schema public")

    assert not_well(await install.look()) == {"database": "warning"}


async def test_keys_that_open_nothing(install: Installation) -> None:
    """A key that is missing, and one of the same id that is another."""
    await install.keep_token()
    await install.keep_token(KeyRing.parse(f"k0:{new_key()}"))

    found = await install.look()
    assert not_well(found) == {"keys": "bad"}
    assert "1 of 2 stored tokens are sealed with a key that is not among k1" in found["keys"].found

    install.environ["TOKEN_KEYS"] = f"k0:{new_key()},k1:{new_key()}"
    assert "2 of 2 stored tokens do not open" in (await install.look())["keys"].found


async def test_equa_is_away(install: Installation) -> None:
    """The service account cannot sign in either."""
    install.equa.controls.fail(away())

    assert not_well(await install.look()) == dict.fromkeys(["Equa", "service account"], "bad")


async def test_the_service_account_is_refused(install: Installation) -> None:
    """The finding has no password."""
    install.environ["EQUA_SERVICE_PASSWORD"] = "not-the-password"

    found = await install.look()

    assert not_well(found) == {"service account": "bad"}
    assert "not-the-password" not in str(found)


@pytest.mark.parametrize(
    ("variable", "value", "mark", "says"),
    [
        ("AGENT_URL", NOWHERE, "bad", "Connection refused"),
        ("AGENT_TOKEN", "wrong", "bad", "AGENT_TOKEN"),
    ],
)
async def test_the_agent(install: Installation, variable: str, value: str, mark: Mark, says: str) -> None:
    """Away, or refusing the token."""
    install.environ[variable] = value

    found = await install.look()

    assert not_well(found) == {"agent": mark, "approvals": "warning"}
    assert says in found["agent"].found


async def test_approvals_have_to_be_paired(install: Installation) -> None:
    """From another host; the command for the gateway's host is shown, and is the same the next time."""
    install.agent.control.on_host = False

    first, second = await install.look(), await install.look()

    (request,) = install.agent.control.wanted
    assert not_well(first) == not_well(second) == {"approvals": "warning"}
    assert (
        first["approvals"].todo
        == second["approvals"].todo
        == f"on its host: equabot devices approve {request}"
    )
    install.agent.control.paired.add(install.agent.control.wanted[request])
    assert not_well(await install.look()) == {}


async def test_approvals_are_switched_off(install: Installation) -> None:
    install.environ["AGENT_CONTROL"] = "off"

    assert not_well(await install.look()) == {"approvals": "absent"}


async def test_the_agents_route_is_switched_off(install: Installation) -> None:
    """As a gateway is installed; the setting to change is named."""
    install.agent.enabled = False

    assert "chatCompletions" in (await install.look())["agent"].found


async def test_no_model_is_asked(install: Installation) -> None:
    """The doctor's question costs nothing."""
    await install.look()

    assert not install.agent.calls


async def test_the_agent_is_asked_if_that_is_wanted(install: Installation) -> None:
    """One question, for an organization that has a team; what came is shown."""
    install.agent.fault_for = lambda _: Says("<think>who?</think>ready")

    found = await install.look(ask=True)

    assert found["agent's answer"].mark == "good"
    assert found["agent's answer"].found.endswith(" s: ready")
    assert [call.organization_id for call in install.agent.calls] == [
        await install.pool.fetchval("select organization_id from mattermost_org_mappings")
    ]


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (UNAUTHORIZED, "AGENT_TOKEN"),
        (ErrorObject("no model is configured"), "It said: no model is configured"),
        (Says("NO_REPLY"), "nothing that people may see"),
    ],
    ids=["refused", "an error", "silence"],
)
async def test_an_agent_that_gives_no_answer(install: Installation, fault: Fault, says: str) -> None:
    install.agent.fault_for = lambda _: fault

    found = (await install.look(ask=True))["agent's answer"]

    assert found.mark in ("bad", "warning")
    assert says in found.found


async def test_proxies_are_shown_without_their_logins(install: Installation) -> None:
    install.environ |= {"HTTPS_PROXY": "http://ada:secret@proxy.example.com:3128", "NO_PROXY": "127.0.0.1"}

    found = (await install.look())["proxies"]

    assert found.found == (
        "HTTPS_PROXY http://proxy.example.com:3128; NO_PROXY 127.0.0.1; used for nothing here"
    )


@pytest.mark.parametrize(("model", "marks"), [("equabot", {}), ("another", {"agent": "warning"})])
async def test_an_openai_server(install: Installation, model: str, marks: dict[str, Mark]) -> None:
    """It lists its models."""
    install.environ |= {"AGENT_KIND": "openai", "AGENT_MODEL": model}

    assert not_well(await install.look()) == marks


def test_misspelt_variables() -> None:
    """Names that begin like ours and are none; others are none of our business."""
    assert configuration(["MATTERMOST_URL", "PATH"]).found == "1 variable is set"
    assert configuration(["MATTERMOST_URL", "AGENT_URL"]).found == "2 variables are set"
    found = configuration(["MATTERMOST_BOTTOKEN", "EQUA_URL", "PATH"])
    assert (found.mark, found.found) == ("warning", "unknown: EQUA_URL, MATTERMOST_BOTTOKEN")


@pytest.mark.parametrize(
    ("people", "addresses", "marks"),
    [(0, 0, {}), (9, 1, {}), (10, 1, {"addresses": "warning"}), (1000, 2, {})],
)
async def test_everybody_comes_from_one_address(
    install: Installation, people: int, addresses: int, marks: dict[str, Mark]
) -> None:
    """As behind a proxy that does not name the browser's; a few people may share one."""
    install.metrics.visitors(people=people, addresses=addresses)

    found = await install.look()

    assert not_well(found) == marks
    assert str(people) in found["addresses"].found


async def test_another_program_answers_in_place_of_the_bridge(install: Installation) -> None:
    """Its metrics, if it has any, say nothing of people."""
    install.environ["BRIDGE_PORT"] = install.mattermost.url.rpartition(":")[2]

    assert not_well(await install.look()) == {"addresses": "absent"}
