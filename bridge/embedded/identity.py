"""Who PostgreSQL runs as: it refuses to be root."""

import os
import pwd
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import structlog

from bridge.embedded import binaries, launch, watch
from bridge.embedded.process import output
from bridge.errors import StartupError

_log = structlog.get_logger(__name__)

_SCRIPT = (sys.executable, "-I", "-S")
"""Runs one without what is installed beside it."""


@dataclass(frozen=True, slots=True)
class Identity:
    """How a program is launched, and the owner of its files."""

    how: str
    """What `launch` does: stay the `same`, enter a user `namespace`, or become another `user`."""
    uid: int
    gid: int

    def command(self, directory: Path, *program: str | Path) -> list[str]:
        """Return the command line that runs a program in a directory and ends it with this process."""
        bridge, signalled = str(os.getpid()), sys.platform == "linux"
        watching = () if signalled else (*_SCRIPT, watch.__file__, bridge)
        launching = (*_SCRIPT, launch.__file__, self.how, bridge if signalled else "watched", str(directory))
        return [*watching, *launching, *map(str, program)]

    def own(self, path: Path) -> None:
        if os.geteuid() == 0 and path.lstat().st_uid != self.uid:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def own_all(self, top: Path) -> None:
        """Own a tree; its top comes last, so that an interrupted change is seen and finished."""
        if os.geteuid() == 0 and top.lstat().st_uid != self.uid:
            for path in (*top.rglob("*"), top):
                self.own(path)


async def choose(programs: Path, data_dir: Path) -> tuple[Identity, int]:
    """Return who can run PostgreSQL for files in `data_dir`, and PostgreSQL's major version."""
    said = ""
    for identity in _candidates(data_dir):
        status, said = await output(identity.command(data_dir.parent, programs / "postgres", "--version"))
        if status == 0:
            return identity, binaries.major(said)
        _log.debug("postgres_cannot_run", identity=identity.how, output=said)
    if os.geteuid() != 0:
        raise StartupError(f"PostgreSQL in {programs} cannot run: {said}")
    raise StartupError(
        "PostgreSQL refuses to run as root, and nobody else can run it here. Either set DATABASE_URL,"
        " or run the bridge as a normal user, or allow user namespaces"
        f" (sysctl user.max_user_namespaces, or the container's seccomp profile). It said: {said}"
    )


def _candidates(data_dir: Path) -> Iterator[Identity]:
    if os.geteuid() != 0:
        yield Identity("same", os.geteuid(), os.getegid())
        return
    users = {entry.pw_uid: entry for entry in pwd.getpwall() if entry.pw_uid != 0}
    if owner := users.get(data_dir.stat().st_uid):
        yield _user(owner)
    # initdb wants its user to have a name, so the namespace's only user is one that has.
    yield Identity(f"namespace:{max(users, default=65534)}", 0, os.getegid())
    for name in ("postgres", "nobody"):
        yield from (_user(entry) for entry in users.values() if entry.pw_name == name)


def _user(entry: pwd.struct_passwd) -> Identity:
    return Identity(f"user:{entry.pw_uid}:{entry.pw_gid}", entry.pw_uid, entry.pw_gid)
