"""`equabot-bridge doctor` as an operator runs it."""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import structlog
from asyncpg import Pool

from bridge.cli import main, parser
from bridge.commands import doctor
from tests.support.daemon import running
from tests.support.installation import APP, Installation, installation
from tests.support.nginx import serving
from tests.support.programs import required_program


@pytest.fixture(autouse=True)
def log() -> Iterator[None]:
    """The command configures the log."""
    yield
    structlog.reset_defaults()


@pytest.fixture
async def install(dsn: str, pool: Pool) -> AsyncIterator[Installation]:
    async with installation(dsn, pool) as built:
        yield built


async def look(install: Installation, *arguments: str) -> int:
    return await doctor.run(parser().parse_args(["doctor", *arguments]), install.environ)


async def test_all_is_well(install: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    """A line each, exit code 0, no secret."""
    assert await look(install) == 0

    lines = capsys.readouterr().out.splitlines()
    assert all(line.startswith("✓ ") for line in lines)
    assert {"configuration", "Mattermost", "agent"} <= {line.split()[1] for line in lines}
    secret = [
        value for name, value in install.environ.items() if name.endswith(("TOKEN", "PASSWORD", "KEYS"))
    ]
    assert not any(value in line for line in lines for value in secret)


async def test_one_thing_is_not(install: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    """It stands out with what to do, and the exit code is 1."""
    install.agent.enabled = False

    assert await look(install) == 1

    *_, line, todo = capsys.readouterr().out.splitlines()
    assert line.startswith("✗ agent ")
    assert todo.strip().startswith("→ ")


async def test_json_for_machines(install: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    """One object, with the verdict in front."""
    install.front.policy = "frame-ancestors 'none'"

    assert await look(install, "--json") == 1

    shown = json.loads(capsys.readouterr().out)
    assert shown["ok"] is False
    assert [each["subject"] for each in shown["findings"] if each["mark"] == "bad"] == ["frame"]


async def test_it_changes_nothing(install: Installation) -> None:
    """Only setup and the daemon repair anything."""
    install.store.settings.patch({"TeamSettings": {"MaxUsersPerTeam": 50}})
    await install.pool.execute("delete from schema_migrations where version > 1")
    tokens = len(install.store.tokens)

    await look(install)

    assert install.store.settings.get("TeamSettings", "MaxUsersPerTeam") == 50
    assert len(install.store.tokens) == tokens
    assert await install.pool.fetchval("select count(*) from schema_migrations") == 1


async def test_behind_the_real_proxy_with_the_real_bridge(install: Installation, tmp_path: Path) -> None:
    """What an operator has in the end: Mattermost as it is, nginx in front, the daemon behind."""
    install.front.policy = ""  # then the sandbox sends what Mattermost sends
    program, environ = (
        required_program("nginx"),
        {name: text for name, text in install.environ.items() if text and name != "BRIDGE_PORT"},
    )
    prefix = tmp_path / "nginx"
    prefix.mkdir()
    async with running(environ, tmp_path / "daemon.log") as daemon:
        upstreams = {"MATTERMOST_UPSTREAM": install.mattermost.url, "BRIDGE_UPSTREAM": daemon.url}
        async with serving(program, prefix, {**upstreams, "FRAME_ANCESTORS": APP}) as proxy:
            install.environ |= {"MATTERMOST_PUBLIC_URL": proxy.url, "BRIDGE_PORT": str(daemon.port)}
            install.store.settings.patch({"ServiceSettings": {"SiteURL": proxy.url}})
            await install.let_in(daemon.url)
            found = await install.look()

    assert {subject: each.mark for subject, each in found.items() if each.mark != "good"} == {}


@pytest.mark.parametrize(
    ("command", "environ", "code"),
    [
        ("doctor", {"MATTERMOST_URL": "chat"}, 2),
        ("doctor", {}, 1),
        ("setup", {}, 2),
        ("setup", {"MATTERMOST_URL": "http://127.0.0.1:9", "MATTERMOST_ADMIN_BOT_TOKEN": "x"}, 1),
    ],
)
def test_exit_codes(
    command: str, environ: dict[str, str], code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """2 for a wrong configuration, 1 for what does not work; neither is a bug, which would be raised."""
    for name, value in {"BRIDGE_DATA_DIR": str(tmp_path), **environ}.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(SystemExit) as ended:
        main([command])

    assert ended.value.code == code
