"""The unit: how the bridge is started, stopped and kept in."""

import asyncio
import shutil
import sys
from pathlib import Path

import pytest

from bridge import cli
from bridge.worker import WorkerConfig
from tests.support.deployment import DEPLOY, VARIABLES

UNIT = DEPLOY / "systemd" / "equabot-bridge.service"
PROGRAM = "/opt/equabot-bridge/bin/equabot-bridge"
ANALYZE = shutil.which("systemd-analyze")


def _settings() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in UNIT.read_text().splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


def test_starts_a_command_that_exists() -> None:
    """What follows the program is understood by it."""
    program, *arguments = _settings()["ExecStart"][0].split()

    assert program == PROGRAM
    assert cli.parser().parse_args(arguments).command == "serve"


def test_sets_variables_that_the_bridge_reads() -> None:
    """Both directories are those that systemd makes."""
    settings = _settings()
    given = dict(pair.split("=", 1) for line in settings["Environment"] for pair in line.split())

    assert set(given) <= VARIABLES | {"TMPDIR"}
    assert given["BRIDGE_DATA_DIR"] == f"%S/{settings['StateDirectory'][0]}"
    assert given["TMPDIR"] == f"%t/{settings['RuntimeDirectory'][0]}"


def test_stop_reaches_the_bridge_first_and_gives_it_time() -> None:
    """It ends its PostgreSQL itself, after what is in hand is recorded."""
    settings = _settings()

    assert settings["KillMode"] == ["mixed"]
    assert int(settings["TimeoutStopSec"][0]) > WorkerConfig().stop + 10


def test_wrong_configuration_is_not_tried_again() -> None:
    """Status 2 needs a person."""
    assert _settings()["RestartPreventExitStatus"] == ["2"]
    assert _settings()["Restart"] == ["on-failure"]


@pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed")
async def test_systemd_understands_every_line(tmp_path: Path) -> None:
    """With a program that exists in the place of ours."""
    assert ANALYZE
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace(PROGRAM, sys.executable))
    process = await asyncio.create_subprocess_exec(
        *(ANALYZE, "verify", "--man=no", str(unit)), stderr=asyncio.subprocess.PIPE
    )
    _, complaints = await process.communicate()

    assert (process.returncode, complaints.decode()) == (0, "")
