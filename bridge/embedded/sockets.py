"""A short directory for the server's socket: its path may have 107 bytes, 103 on macOS."""

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bridge.embedded.identity import Identity

SOCKET = ".s.PGSQL.5432"
_PREFIX = "equabot-"
_LONGEST = 103


@contextmanager
def directory(link: Path, identity: Identity) -> Iterator[Path]:
    """Make a directory of mode 0700 in the temporary directory, for the time of the context.

    `link` points to it, so that other commands find it, and so that the next start removes it
    if we are killed.
    """
    remove(link)
    made = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=_base()))
    identity.own(made)
    link.symlink_to(made)
    try:
        yield made
    finally:
        remove(link)


def accepts(directory: Path) -> bool:
    """Return whether a server listens on the socket in the directory."""
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(directory / SOCKET)) == 0


def clear(directory: Path) -> None:
    """Remove the socket and its lock file that a killed server has left."""
    for stale in directory.glob(f"{SOCKET}*"):
        stale.unlink(missing_ok=True)


def remove(link: Path) -> None:
    """Remove the directory that a link of ours points to, and the link."""
    if not link.is_symlink():
        return
    made = link.readlink()
    if made.name.startswith(_PREFIX):
        shutil.rmtree(made, ignore_errors=True)
    link.unlink()


def _base() -> str:
    wanted = tempfile.gettempdir()
    longest = os.fsencode(f"{wanted}/{_PREFIX}12345678/{SOCKET}")
    return wanted if len(longest) <= _LONGEST else "/tmp"  # noqa: S108  # mkdtemp makes it private
