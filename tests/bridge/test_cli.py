"""The command line: complete help that costs nothing, and exit codes that a script can rely on."""

import argparse
import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from bridge import __version__
from bridge.cli import _explained, main, parser
from bridge.errors import StartupError

HEAVY = {"aiohttp", "asyncpg", "bridge.config", "cryptography", "pydantic", "structlog", "websockets"}


def subcommands(command: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    found = [action for action in command._actions if isinstance(action, argparse._SubParsersAction)]
    return dict(found[0].choices) if found else {}


def leaves(command: argparse.ArgumentParser, *path: str) -> Iterator[tuple[str, ...]]:
    """Yield a valid command line for everything that can be run."""
    for name, inner in subcommands(command).items():
        yield from leaves(inner, *path, name)
    if path and not subcommands(command):
        wanted = [action for action in command._actions if not action.option_strings]
        yield (*path, *("x" for _ in wanted))


def parsers(command: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield command
    for inner in subcommands(command).values():
        yield from parsers(inner)


def unexplained(command: argparse.ArgumentParser) -> set[str]:
    """Return the arguments and subcommands that the help says nothing about."""
    listed = [each for action in command._actions for each in getattr(action, "_choices_actions", [action])]
    expected = {action.dest for action in command._actions if action.dest not in ("command", "action")}
    return (expected | set(subcommands(command))) - {each.dest for each in listed if each.help}


async def run(*arguments: str, **environ: str) -> tuple[int | None, str, str]:
    """Run the command in a process of its own; returns its exit code, and what it said where."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bridge", *arguments),
        env={"PATH": os.environ["PATH"], **environ},
        stdout=PIPE,
        stderr=PIPE,
    )
    async with asyncio.timeout(60):
        said, complained = await process.communicate()
    return process.returncode, said.decode(), complained.decode()


@pytest.mark.parametrize("command", list(parsers(parser())), ids=lambda command: command.prog)
def test_help_is_complete(command: argparse.ArgumentParser) -> None:
    """Every command says what it does, what each argument means and where configuration comes from."""
    assert command.description
    assert "environment variables" in (command.epilog or "")
    assert unexplained(command) == set()


async def test_help_is_quick() -> None:
    """Whoever only looks something up does not wait for what a command works with."""
    script = f"""
import sys
from bridge.cli import main
try:
    main(["serve", "--help"])
finally:
    print(sorted(sys.modules.keys() & {HEAVY!r}), file=sys.stderr)
"""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", script, stdout=PIPE, stderr=PIPE)

    said, imported = await process.communicate()

    assert b"run the daemon" in said.lower()
    assert imported.decode().strip() == "[]"
    assert process.returncode == 0


@pytest.mark.parametrize("name", list(subcommands(parser())))
def test_every_command_can_be_run(name: str) -> None:
    """Each has its module, found by its name."""
    assert callable(import_module(f"bridge.commands.{name}").run)


async def test_a_wrong_configuration_is_told_in_a_sentence(tmp_path: Path) -> None:
    """Exit code 2, and nothing of how the program is made."""
    code, said, complained = await run("setup", BRIDGE_DATA_DIR=str(tmp_path), MATTERMOST_URL="chat")

    assert code == 2
    assert "MATTERMOST_URL" in said + complained
    assert "Traceback" not in said + complained


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])

    assert ended.value.code == 0
    assert capsys.readouterr().out == f"equabot-bridge {__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["dance"],
        ["serve", "now"],
        ["serve", "--fast"],
        ["why"],
        ["why", "a", "b"],
        ["keys"],
        ["keys", "drop"],
        ["demo", "--port", "http"],
        ["demo", "--port", "65536"],
        ["demo", "--port=-1"],
    ],
)
def test_a_wrong_command_ends_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """It says how it is used, on standard error."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)

    reported = capsys.readouterr()
    assert ended.value.code == 2
    assert reported.out == ""
    assert reported.err.startswith("usage: equabot-bridge")


@pytest.mark.parametrize("arguments", list(leaves(parser())), ids=" ".join)
def test_a_wrong_configuration_ends_with_2(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every command looks at the variables first, and tells what is wrong with them, not what they are."""
    monkeypatch.setenv("LOG_FORMAT", "no-such-format")

    with pytest.raises(SystemExit) as ended:
        main(arguments)

    reported = capsys.readouterr()
    assert ended.value.code == 2
    assert reported.out == ""
    assert reported.err == (
        "The configuration is wrong:\n  LOG_FORMAT: Input should be 'auto', 'json' or 'console'\n"
    )


@pytest.mark.parametrize("command", ["serve", "migrate"])
async def test_what_does_not_work_is_told_in_a_sentence(command: str, tmp_path: Path) -> None:
    """Exit code 1, and neither a traceback nor a word on standard output."""
    blocked = tmp_path / "file"
    blocked.touch()

    code, said, complained = await run(command, BRIDGE_DATA_DIR=str(blocked))

    assert code == 1
    assert said == ""
    assert complained.startswith(f"The embedded database in {blocked} cannot be used:")
    assert complained.count("\n") == 1


class BugError(Exception):
    """Nobody has foreseen it."""


def wrapped(error: Exception, groups: int) -> Exception:
    """Return the error as it comes out of so many task groups."""
    for _ in range(groups):
        error = ExceptionGroup("unhandled errors in a TaskGroup", [error])
    return error


@pytest.mark.parametrize(
    "groups", [0, 1, 3], ids=["alone", "in a task group", "in task groups of task groups"]
)
def test_task_groups_do_not_hide_what_was_foreseen(groups: int, capsys: pytest.CaptureFixture[str]) -> None:
    """A sentence for the operator stays one, however deep in the daemon it was raised."""
    assert _explained(wrapped(StartupError("The port is taken."), groups)) == 1
    assert capsys.readouterr().err == "The port is taken.\n"


@pytest.mark.parametrize("groups", [0, 1])
def test_a_bug_keeps_its_traceback(groups: int) -> None:
    """What nobody has foreseen is not made a sentence of, nor is it when it comes with something else."""
    error = wrapped(BugError(), groups)

    with pytest.raises(type(error)) as raised:
        _explained(error)

    assert raised.value is error
    with pytest.raises(ExceptionGroup):
        _explained(ExceptionGroup("both", [BugError(), StartupError("The port is taken.")]))


async def test_who_has_read_enough_hears_no_traceback() -> None:
    """As behind `head`: nobody reads the output any more."""
    reading, writing = os.pipe()
    os.close(reading)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bridge", "keys", "new"),
        env={"PATH": os.environ["PATH"], "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"},
        stdout=writing,
        stderr=PIPE,
    )
    os.close(writing)
    _, complained = await process.communicate()

    assert (process.returncode, complained.count(b"Error")) == (141, 0)
