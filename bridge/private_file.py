"""Files that hold secrets: readable by their owner only, complete or not there, and kept through a crash."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def replace(path: Path, text: str) -> None:
    """Write a private file, or write it anew; whoever reads meanwhile finds the old text or the new."""
    with _complete(path, text) as complete:
        complete.replace(path)


def create(path: Path, text: str) -> None:
    """Write a private file unless there is one; of several processes that do so at once one wins."""
    with _complete(path, text) as complete, suppress(FileExistsError):
        path.hardlink_to(complete)


@contextmanager
def _complete(path: Path, text: str) -> Iterator[Path]:
    """Give a file with the text beside the path, which is gone at the end if it still has its own name."""
    complete = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(complete, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        yield complete
    finally:
        complete.unlink(missing_ok=True)
    _sync_directory(path.parent)


def _sync_directory(directory: Path) -> None:
    """Make a new name last: a key that is lost takes with it all that it has sealed."""
    opened = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
