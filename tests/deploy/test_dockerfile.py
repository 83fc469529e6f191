"""The images: small rules that keep them safe and the same tomorrow."""

import asyncio
import re
import shlex
import shutil
import sys
import tomllib
from json import loads
from pathlib import Path

import pytest
from aiohttp import web

from tests.support.agent import serving
from tests.support.deployment import DEPLOY, ROOT, VARIABLES, instructions, secrets
from tests.support.ports import reserved_port

BRIDGE = DEPLOY / "Dockerfile"
IMAGES = pytest.mark.parametrize(
    "dockerfile", [BRIDGE, DEPLOY / "proxy" / "Dockerfile"], ids=["bridge", "proxy"]
)


@IMAGES
def test_bases_have_a_version(dockerfile: Path) -> None:
    """A base is named with its whole version, so that tomorrow's build has the same."""
    bases = [arguments.split()[0] for name, arguments in instructions(dockerfile) if name == "FROM"]

    assert bases
    assert all(re.fullmatch(r"[a-z/]+:\d+\.\d+\.\d+-\S*", base) for base in bases)


async def test_images_are_pinned_by_digest_on_demand(tmp_path: Path) -> None:
    """In all three files, once; a second run renews the digests and changes nothing else."""
    for name in ("Dockerfile", "proxy/Dockerfile", "compose.yaml", "pin-images.sh"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(DEPLOY / name, tmp_path / name)
    before = [(tmp_path / name).read_text() for name in _PINNED]
    docker = tmp_path / "docker"
    answer = 'echo "sha256:$DIGIT$(printf %s "$6" | sha256sum | cut -c2-64)"'
    docker.write_text(f'#!/bin/sh\n[ "$1 $2 $3" = "buildx imagetools inspect" ] && {answer}\n')
    docker.chmod(0o700)

    for digit in "ab":
        process = await asyncio.create_subprocess_exec(
            tmp_path / "pin-images.sh",
            env={"PATH": f"{tmp_path}:/usr/bin:/bin", "DIGIT": digit},
            stdout=asyncio.subprocess.PIPE,
        )
        out, _ = await process.communicate()
        assert process.returncode == 0
        texts = [(tmp_path / name).read_text() for name in _PINNED]
        pins = [pin for text in texts for pin in re.findall(r"\S+@sha256:\S+", text)]
        assert {pin.partition("@")[0] for pin in pins} == {
            "python:3.11.14-slim-bookworm",
            "nginx:1.30.4-alpine",
            "postgres:16.11-alpine",
        }
        assert len(pins) == 5
        assert all(re.fullmatch(rf"\S+@sha256:{digit}[0-9a-f]{{63}}", pin) for pin in pins)
        assert [re.sub(r"@sha256:[0-9a-f]+", "", text) for text in texts] == before
        assert re.search(rf"MATTERMOST_TAG=release-10\.4@sha256:{digit}", out.decode())


_PINNED = ("Dockerfile", "proxy/Dockerfile", "compose.yaml")


@IMAGES
def test_runs_as_nobody_special(dockerfile: Path) -> None:
    """The last word on the user is a number other than root's."""
    users = [arguments for name, arguments in instructions(dockerfile) if name == "USER"]

    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", users[-1])


@IMAGES
def test_has_a_health_check_and_adds_nothing_from_elsewhere(dockerfile: Path) -> None:
    """ADD would fetch and unpack; COPY does neither."""
    names = [name for name, _ in instructions(dockerfile)]

    assert "HEALTHCHECK" in names
    assert "ADD" not in names


@IMAGES
def test_holds_no_secret(dockerfile: Path) -> None:
    """Neither as ENV nor as ARG: both stay in the image."""
    kept = " ".join(arguments for name, arguments in instructions(dockerfile) if name in ("ENV", "ARG"))

    assert not [name for name in secrets() if name in kept]


def test_installs_what_the_lock_says_and_nothing_else() -> None:
    """Every package comes with its hash, the project itself without looking for any."""
    commands = [
        arguments for name, arguments in instructions(BRIDGE) if name == "RUN" and "pip install" in arguments
    ]

    assert len(commands) == 2
    assert "--require-hashes -r requirements-tracing.lock" in commands[0]
    assert {"--no-deps", "--no-build-isolation"} <= set(commands[1].split())
    assert "index-url" not in " ".join(commands)


def test_copies_what_the_package_is_made_of() -> None:
    """The image has the same folders as the wheel, and the build context lets them through."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    copies = [arguments.split() for name, arguments in instructions(BRIDGE) if name == "COPY"]
    sources = {source for words in copies if not words[0].startswith("--from") for source in words[:-1]}
    allowed = {
        line.removeprefix("!")
        for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
        if line.startswith("!")
    }

    assert set(packages) <= sources
    assert sources == allowed
    assert all((ROOT / source).exists() for source in sources)


def test_sets_variables_that_the_bridge_has() -> None:
    """What is set for the bridge is read by it."""
    given = " ".join(arguments for name, arguments in instructions(BRIDGE) if name == "ENV")
    names = {pair.partition("=")[0] for pair in shlex.split(given)}

    assert names - {"PATH"} - {name for name in names if name.startswith(("PIP_", "PYTHON"))} <= VARIABLES


async def test_health_check_tells_whether_the_bridge_answers() -> None:
    """The image's own check succeeds with 200, and fails with anything else and with no bridge."""
    status = 200

    async def healthz(_: web.Request) -> web.Response:
        return web.Response(status=status)

    app, port = web.Application(), reserved_port()
    app.router.add_get("/healthz", healthz)
    async with serving(app, port):
        healthy = await _check(port)
        status = 503
        ill = await _check(port)
    gone = await _check(port)

    assert (healthy, ill, gone) == (0, 1, 1)


async def _check(port: int) -> int:
    check = next(arguments for name, arguments in instructions(BRIDGE) if name == "HEALTHCHECK")
    program, *arguments = loads(check.partition("CMD ")[2])
    assert program == "python"
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, env={"BRIDGE_PORT": str(port)}, stderr=asyncio.subprocess.DEVNULL
    )
    return await process.wait()
