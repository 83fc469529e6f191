"""Locks that the kernel gives back when their holder dies, however it dies."""

import asyncio
import fcntl
import os
from pathlib import Path
from typing import BinaryIO

from bridge.errors import StartupError


def own(path: Path) -> BinaryIO:
    """Lock a file until it is closed, and write our pid into it; never wait."""
    lock = _open(path)
    if not _take(lock):
        with lock:
            pid = lock.read(20).decode(errors="replace").strip() or "unknown"
        raise StartupError(
            f"The data directory {path.parent} is in use by process {pid}. Stop it, or set BRIDGE_DATA_DIR"
            " to another directory, or let both use one PostgreSQL through DATABASE_URL."
        )
    lock.truncate()
    lock.write(f"{os.getpid()}\n".encode())
    lock.flush()
    return lock


async def inherited(path: Path, max_wait: float) -> BinaryIO:
    """Lock a file that the processes of a server are to inherit, once those of the server before are gone.

    A flock belongs to the open file, so it is held for as long as any process has it open: unlike a pid
    in a file this cannot be mistaken. Raises `StartupError` after `max_wait` seconds.
    """
    lock = _open(path)
    try:
        async with asyncio.timeout(max_wait):
            while not _take(lock):  # noqa: ASYNC110  # another process gives it back
                await asyncio.sleep(0.01)
    except BaseException as error:
        lock.close()
        if isinstance(error, TimeoutError):
            raise StartupError(f"A server that ran in {path.parent} before does not end.") from None
        raise
    return lock


def _open(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b", buffering=0)


def _take(lock: BinaryIO) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
