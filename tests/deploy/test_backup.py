"""The runbook's restore puts back what its backup takes, before anything could be made anew."""

import asyncio
import re
import shlex
from pathlib import Path
from typing import Any

from tests.support.deployment import DEPLOY, documents, interpolated

TEXT = (DEPLOY / "README.md").read_text()
COMPOSE: Any = interpolated(documents(DEPLOY / "compose.yaml")[0])

MADE_ANEW = {
    "postgres-socket",
    "mattermost-socket",
    # Passwords that `databases` sets again.
    "mattermost-database",
    "bridge-database",
    "mattermost-logs",
    # Unpacked at each start from what data has.
    "mattermost-plugins",
    "mattermost-client-plugins",
}
"""Volumes that need no backup."""


def test_what_is_backed_up_is_restored() -> None:
    """Each file that is written is read, and goes where it came from."""
    backup, restore = _commands()
    loop = re.search(r"for name in ([\w ]+); do\n(.*?)\ndone", restore, re.DOTALL)
    assert loop
    restore = restore.replace(loop[0], "\n".join(loop[2].replace("$name", name) for name in loop[1].split()))

    assert _moved(backup, ">") == _moved(restore, "<") != {}


def test_every_volume_is_in_the_backup_or_made_anew() -> None:
    """A volume that is added to compose.yaml has to be thought of here."""
    backup, restore = _commands()
    volumes = set(COMPOSE["volumes"])
    kept = {volume for _, volumes in _moved(backup, ">").values() for volume in volumes}

    assert kept | {"postgres-data"} | MADE_ANEW == volumes
    assert "pg_dump" in backup
    assert "pg_restore" in restore


def test_tokens_are_back_before_anything_could_make_new_ones() -> None:
    """Then the files, then the databases, each while nothing runs that uses them."""
    restore = _commands()[1]
    files = ["stop", "< bridge.env", "< mattermost.tar.gz"]
    steps = [*files, "up -d --wait postgres", "run --rm databases", "pg_restore", "up -d\n"]
    places = [restore.index(step) for step in steps]

    assert places == sorted(places)
    assert restore.count("dc up") == 2


async def test_restored_tokens_are_for_the_bridges_user_alone(tmp_path: Path) -> None:
    """Also where setup has left others, or a file that all may read."""
    kept = tmp_path / "bridge.env"
    kept.write_text("TOKEN_KEYS=k1:new\n")
    kept.chmod(0o644)
    line = next(line for line in _commands()[1].splitlines() if "< bridge.env" in line)
    arguments = shlex.split(line.partition(" setup ")[2].partition(" <")[0])
    path = arguments.pop()

    process = await asyncio.create_subprocess_exec(
        *("sh", *arguments, str(kept)), stdin=asyncio.subprocess.PIPE
    )
    await process.communicate(b"TOKEN_KEYS=k1:old\n")

    assert path == "/var/lib/equabot-bridge/bridge.env"
    assert process.returncode == 0
    assert kept.read_text() == "TOKEN_KEYS=k1:old\n"
    assert kept.stat().st_mode & 0o777 == 0o600


def _commands() -> list[str]:
    """Return those of the backup and those of the restore, continued lines joined, without comments."""
    section = TEXT.split("## Backup and restore\n")[1].split("\n## ")[0]
    found = re.findall(r"```(?:sh|bash)\n(.*?)```", section, re.DOTALL)
    return [re.sub(r"(?m)(^|\s{2,})#.*$", "", re.sub(r"\s\\\n\s*", " ", block)) for block in found[:2]]


def _moved(block: str, direction: str) -> dict[str, tuple[str, frozenset[str]]]:
    """Return of each file that is written or read the database and the volumes that it is about."""
    lines = (line.rpartition(f" {direction} ") for line in block.splitlines())
    return {
        file.split()[0]: (_database(command), _volumes_in(command)) for command, sign, file in lines if sign
    }


def _database(command: str) -> str:
    found = re.search(r"pg_(?:dump|restore) .* (\w+)$", command)
    return found[1] if found else ""


def _volumes_in(command: str) -> frozenset[str]:
    """Return the volumes whose mount points a command names, in full or below the directory of its `-C`."""
    below = re.findall(r"-C (\S+)", command)
    names = set(shlex.split(command)) | {
        f"{directory}/{word}" for directory in below for word in shlex.split(command)
    }
    mounts = [
        mount for service in ("setup", "mattermost") for mount in COMPOSE["services"][service]["volumes"]
    ]
    pairs = [mount.split(":")[:2] for mount in mounts if isinstance(mount, str)]
    return frozenset(
        source
        for source, target in pairs
        if target in names or any(n.startswith(f"{target}/") for n in names)
    )
