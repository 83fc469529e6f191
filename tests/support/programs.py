"""Programs that tests run: finding them, and ending them with the tests."""

import os
import shutil
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from bridge.embedded.identity import Identity


def required_program(*names: str) -> str:
    """Return the path of the first of these names that is installed.

    Without any of them the test is skipped, but on CI it fails: skipped there, it would never run.
    """
    path = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"  # where Debian puts servers
    for name in names:
        found = shutil.which(name, path=path)
        if found is not None:
            return found
    reason = f"{' or '.join(names)} is not installed"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def tethered(*command: str) -> Sequence[str]:
    """Return a command line for the same program that Linux interrupts when this process dies.

    No server is left behind then, even if the tests are killed.
    """
    if sys.platform != "linux":
        return command
    return Identity("same", os.geteuid(), os.getegid()).command(Path.cwd(), *command)


def lives(process: psutil.Process) -> bool:
    """Return whether a process has not ended; it may stay in the system's table until somebody asks how."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def servers(data_dir: Path) -> list[psutil.Process]:
    """Return every process of PostgreSQL that works in the data directory."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if Path(process.cwd()).is_relative_to(data_dir):
                found.append(process)
    return found
