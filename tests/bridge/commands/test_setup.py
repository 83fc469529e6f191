"""`equabot-bridge setup` as an operator runs it."""

import json
import stat
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import structlog

from bridge.cli import parser
from bridge.commands import setup
from bridge.errors import ConfigurationError, StartupError
from bridge.sandbox.mattermost import RestFault, Server, Store
from tests.support.mattermost import running_mattermost
from tests.support.operator import local_mode, server_settings
from tests.support.scripted_rest import gives, scripted_rest

VARIABLES = ["MATTERMOST_BOT_TOKEN", "MATTERMOST_NOTICE_TOKEN"]


@dataclass(frozen=True, slots=True)
class Ran:
    code: int
    tokens: Mapping[str, str]
    """What standard output had, as lines for an environment."""
    report: str
    """What standard error had."""


@dataclass(frozen=True, slots=True)
class Operator:
    """Somebody at a terminal, with these variables in the environment."""

    server: Server
    environ: dict[str, str]
    capsys: pytest.CaptureFixture[str]

    async def run(self, *arguments: str, **environ: str) -> Ran:
        options = parser().parse_args(["setup", *arguments])
        code = await setup.run(options, {**self.environ, **environ})
        out, err = self.capsys.readouterr()
        return Ran(code, dict(line.split("=", 1) for line in out.splitlines()), err)

    async def run_for_json(self, *arguments: str) -> tuple[int, dict[str, object]]:
        options = parser().parse_args(["setup", "--json", *arguments])
        code = await setup.run(options, self.environ)
        return code, json.loads(self.capsys.readouterr().out)


@pytest.fixture(autouse=True)
def log() -> Iterator[None]:
    """The command configures the log."""
    yield
    structlog.reset_defaults()


@pytest.fixture
async def operator(capsys: pytest.CaptureFixture[str]) -> AsyncIterator[Operator]:
    store = Store(server_settings())
    async with running_mattermost(store) as server:
        environ = {"MATTERMOST_URL": server.url, "MATTERMOST_ADMIN_BOT_TOKEN": store.admin_token}
        yield Operator(server, environ, capsys)


async def test_two_variables_are_enough(operator: Operator) -> None:
    """Tokens are printed as lines for the environment, and work; the report shows none."""
    ran = await operator.run()

    assert ran.code == 0
    assert sorted(ran.tokens) == VARIABLES
    assert all(token in operator.server.store.token_by_secret for token in ran.tokens.values())
    assert not any(token in ran.report for token in (*ran.tokens.values(), operator.server.store.admin_token))
    assert "changed." in ran.report


async def test_a_repeat_changes_nothing_and_says_so(operator: Operator) -> None:
    """With the tokens in the environment and without them."""
    first = await operator.run()
    accounts = len(operator.server.store.users)

    for environ in ({}, dict(first.tokens)):
        ran = await operator.run(**environ)
        assert (ran.code, ran.tokens) == (0, {})
        assert "Nothing had to be changed." in ran.report
    assert len(operator.server.store.users) == accounts


async def test_only_the_bot_stays_in_the_agents_channel(operator: Operator) -> None:
    """The administrator leaves the bot's teams, the notice account their agent's channels, nobody else."""
    tokens = dict((await operator.run()).tokens)
    store = operator.server.store
    bot, notices = store.user_by_name["equabot"], store.user_by_name["equa-admin-bot"]
    teams = [store.create_team(name, members=[store.admin, bot, notices]) for name in ("acme", "borealis")]
    foreign = store.create_team("foreign", members=[store.admin, notices])
    news, other = store.channel(teams[0], "announcements"), store.channel(foreign, "agent")

    planned = await operator.run("--dry-run", **tokens)
    assert all(store.member_of_team(team.id, store.admin.id) for team in teams)
    done = await operator.run(**tokens)
    again = await operator.run(**tokens)

    assert "~ other accounts" in planned.report
    assert "@admin taken out of 2 teams" in done.report
    assert "@equa-admin-bot taken out of #agent in 2 teams" in done.report
    assert "Nothing had to be changed." in again.report
    for team in teams:
        agent = store.channel(team, "agent")
        assert not store.member_of_team(team.id, store.admin.id)
        assert [store.member_of_channel(agent.id, user.id) for user in (bot, notices)] == [True, False]
    assert store.member_of_channel(news.id, notices.id)
    assert store.member_of_team(foreign.id, store.admin.id)
    assert all(store.member_of_channel(other.id, user.id) for user in (store.admin, notices))


async def test_what_else_the_daemon_needs_does_not_matter(operator: Operator) -> None:
    """A bot's token without AGENT_URL is no mistake here, nor is a broken DATABASE_URL."""
    first = await operator.run()

    assert (await operator.run(**first.tokens, DATABASE_URL="nonsense")).code == 0


async def test_names_can_be_chosen(operator: Operator) -> None:
    """Of both accounts, and how the bot is shown."""
    await operator.run("--bot-name", "acme-bot", "--bot-display-name", "Acme", "--notice-name", "acme-news")

    names = operator.server.store.user_by_name
    assert "equabot" not in names
    assert names["acme-bot"].first_name == "Acme"
    assert names["acme-news"].roles == "system_user system_post_all"


async def test_a_dry_run_tells_the_plan(operator: Operator) -> None:
    """And changes nothing."""
    ran = await operator.run("--dry-run")

    assert (ran.code, ran.tokens) == (0, {})
    assert "would be changed" in ran.report
    assert "equabot" not in operator.server.store.user_by_name
    assert operator.server.store.settings.get("TeamSettings", "MaxUsersPerTeam") == 50


async def test_sign_in_with_equa(operator: Operator, tmp_path: Path) -> None:
    """The secret is printed or kept like a token; the address is known at a repeat."""
    arguments = ("--bridge-url", "http://bridge:8090/", "--no-passwords")
    first = await operator.run(*arguments)
    again = await operator.run(**first.tokens)
    path = tmp_path / "bridge.env"
    kept = await operator.run("--write-env", str(path))
    in_file = path.read_text().partition("SIGN_IN_SECRET=")[2].strip()

    assert sorted(first.tokens) == sorted([*VARIABLES, "SIGN_IN_SECRET"])
    assert first.tokens["SIGN_IN_SECRET"] not in first.report + again.report
    assert "Nothing had to be changed." in again.report
    assert (kept.code, kept.tokens) == (0, {})
    assert operator.server.store.settings.get("GitLabSettings", "Secret") == in_file
    assert operator.server.store.settings.get("GitLabSettings", "TokenEndpoint") == (
        "http://bridge:8090/login/equa/token"
    )


@pytest.mark.parametrize(
    ("arguments", "environ", "says"),
    [
        (["--bridge-url", "bridge:8090"], {}, "--bridge-url: must be a URL"),
        ([], {"SIGN_IN_SECRET": "guessed"}, "SIGN_IN_SECRET: must be at least 16 characters"),
    ],
)
async def test_sign_in_with_a_mistake(
    operator: Operator, arguments: list[str], environ: dict[str, str], says: str
) -> None:
    """Nothing is done before that is right, and no secret is shown."""
    with pytest.raises(ConfigurationError) as failure:
        await operator.run(*arguments, **environ)

    (mistake,) = failure.value.mistakes
    assert mistake.startswith(says)
    assert "guessed" not in mistake
    assert "equabot" not in operator.server.store.user_by_name


async def test_new_tokens(operator: Operator) -> None:
    """When asked for; the old ones stay good."""
    first = await operator.run()
    second = await operator.run("--new-token", **first.tokens)

    assert sorted(second.tokens) == VARIABLES
    tokens = {*first.tokens.values(), *second.tokens.values()}
    assert len(tokens) == 4
    assert all(token in operator.server.store.token_by_secret for token in tokens)


async def test_tokens_are_kept_in_a_file(operator: Operator, tmp_path: Path) -> None:
    """Printed nowhere; a repeat reads them there, and makes another when one was lost."""
    path = tmp_path / "bridge.env"
    first = await operator.run("--write-env", str(path))
    kept = path.read_text()
    second = await operator.run("--write-env", str(path))

    assert (first.tokens, first.code, second.code) == ({}, 0, 0)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [line.split("=")[0] for line in kept.splitlines()] == VARIABLES
    assert path.read_text() == kept
    assert "Nothing had to be changed." in second.report

    path.unlink()
    assert (await operator.run("--write-env", str(path))).code == 0
    assert [line.split("=")[0] for line in path.read_text().splitlines()] == VARIABLES


async def test_a_file_that_cannot_be_written_is_told_first(operator: Operator, tmp_path: Path) -> None:
    """Before a token is made that nobody would learn."""
    with pytest.raises(StartupError, match="cannot be used"):
        await operator.run("--write-env", str(tmp_path / "none" / "bridge.env"))

    assert "equabot" not in operator.server.store.user_by_name


async def test_a_dry_run_writes_no_file(operator: Operator, tmp_path: Path) -> None:
    """Not even an empty one."""
    path = tmp_path / "bridge.env"
    await operator.run("--dry-run", "--write-env", str(path))

    with pytest.raises(FileNotFoundError):
        path.stat()


async def test_json_for_machines(operator: Operator) -> None:
    """One object with what was done and the new tokens."""
    code, shown = await operator.run_for_json()

    assert code == 0
    assert sorted(shown) == ["findings", "tokens"]
    tokens, findings = shown["tokens"], shown["findings"]
    assert isinstance(tokens, dict)
    assert isinstance(findings, list)
    assert sorted(tokens) == VARIABLES
    assert {"subject", "mark", "found", "todo"} == set(findings[0])
    assert not any(token in str(findings) for token in tokens.values())


async def test_a_token_is_told_although_a_later_step_fails(operator: Operator) -> None:
    """Else it would exist and nobody knew it."""
    operator.server.faults.rest(RestFault(status=500, path="/users/username/equa-admin-bot"))

    with pytest.raises(StartupError):
        await operator.run()

    out, err = operator.capsys.readouterr()
    assert out.startswith("MATTERMOST_BOT_TOKEN=")
    assert "made for @equabot" in err


async def test_a_refusal_does_not_stop_the_steps_after_it(operator: Operator) -> None:
    """The exit code says that something is left."""
    operator.server.faults.rest(RestFault(status=403, path="/patch", method="PUT"))

    ran = await operator.run()

    assert ran.code == 1
    assert sorted(ran.tokens) == VARIABLES
    assert "✗ settings" in ran.report
    assert "Not ready" in ran.report


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({"MATTERMOST_ADMIN_BOT_TOKEN": "x" * 26}, "Mattermost refuses MATTERMOST_ADMIN_BOT_TOKEN"),
        ({"MATTERMOST_URL": "http://127.0.0.1:9"}, "does not answer .* MATTERMOST_URL is http://127.0.0.1:9"),
    ],
)
async def test_what_is_wrong_is_one_sentence(operator: Operator, environ: dict[str, str], says: str) -> None:
    """Nothing is done and no secret shown."""
    with pytest.raises(StartupError, match=says) as failure:
        await operator.run(**environ)

    assert "x" * 26 not in failure.value.message
    assert operator.capsys.readouterr() == ("", "")


@pytest.mark.parametrize("status", [200, 401, 403, 404])
async def test_an_address_at_which_something_else_answers_is_told(operator: Operator, status: int) -> None:
    """Whatever it says, it says nothing about the token."""
    async with scripted_rest() as rest:
        rest.answers(gives("<html>Hello</html>", status, media_type="text/html"))
        with pytest.raises(StartupError, match=f"is MATTERMOST_URL right.*{rest.url}"):
            await operator.run(MATTERMOST_URL=rest.url)


async def test_only_an_administrators_token_will_do(operator: Operator) -> None:
    """The error names the owner."""
    ada = operator.server.store.create_user("ada")
    token = operator.server.store.create_token(ada).token

    with pytest.raises(StartupError, match="@ada, which is not a system administrator"):
        await operator.run(MATTERMOST_ADMIN_BOT_TOKEN=token)


@pytest.mark.parametrize(
    ("environ", "names"),
    [
        ({"MATTERMOST_URL": ""}, "MATTERMOST_URL"),
        ({"MATTERMOST_ADMIN_BOT_TOKEN": ""}, "MATTERMOST_ADMIN_BOT_TOKEN"),
        ({"MATTERMOST_URL": "chat.example.com"}, "MATTERMOST_URL"),
        ({"WEB_ORIGINS": "app"}, "WEB_ORIGINS"),
    ],
)
async def test_a_wrong_configuration(operator: Operator, environ: dict[str, str], names: str) -> None:
    """The error names the variable."""
    with pytest.raises(ConfigurationError, match=names):
        await operator.run(**environ)


async def test_a_fresh_server(operator: Operator, tmp_path: Path) -> None:
    """With its local socket and a file nothing else is needed, and a repeat changes nothing."""
    del operator.environ["MATTERMOST_ADMIN_BOT_TOKEN"]
    path = tmp_path / "bridge.env"
    async with local_mode(operator.server.store, tmp_path / "mm.socket") as socket:
        arguments = ("--local-socket", socket, "--write-env", str(path))
        planned = await operator.run(*arguments, "--dry-run")
        first, second = await operator.run(*arguments), await operator.run(*arguments)

    assert (planned.code, first.code, second.code) == (0, 0, 0)
    assert "equabot" in planned.report
    assert "Nothing had to be changed." in second.report
    assert [line.split("=")[0] for line in path.read_text().splitlines()] == [
        "MATTERMOST_ADMIN_BOT_TOKEN",
        *VARIABLES,
    ]
    assert operator.server.store.user_by_name["equa-admin"].roles == "system_user system_admin"


async def test_a_fresh_servers_token_that_was_lost(operator: Operator, tmp_path: Path) -> None:
    """Without it nothing else can be done, which is said with the way out."""
    del operator.environ["MATTERMOST_ADMIN_BOT_TOKEN"]
    async with local_mode(operator.server.store, tmp_path / "mm.socket") as socket:
        await operator.run("--local-socket", socket)
        with pytest.raises(StartupError, match="Without MATTERMOST_ADMIN_BOT_TOKEN"):
            await operator.run("--local-socket", socket)

    assert "--new-token" in operator.capsys.readouterr().err


async def test_no_local_socket_there(operator: Operator, tmp_path: Path) -> None:
    """The path and the setting are named."""
    with pytest.raises(StartupError, match="MM_SERVICESETTINGS_ENABLELOCALMODE=true") as failure:
        await operator.run("--local-socket", str(tmp_path / "none"))

    assert str(tmp_path / "none") in failure.value.message
