"""Files that hold secrets."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from bridge import private_file

WAYS = [private_file.create, private_file.replace]


@pytest.mark.parametrize("write", WAYS, ids=lambda write: write.__name__)
def test_only_the_owner_may_read_it(tmp_path: Path, write: Callable[[Path, str], None]) -> None:
    """Whatever the process's umask is, and nothing else is left beside it."""
    before = os.umask(0)
    try:
        write(tmp_path / "secret", "text")
    finally:
        os.umask(before)

    assert (tmp_path / "secret").read_text() == "text"
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [tmp_path / "secret"]


def test_create_keeps_what_is_there(tmp_path: Path) -> None:
    """Another process may have been first."""
    private_file.create(tmp_path / "secret", "first")
    private_file.create(tmp_path / "secret", "second")

    assert (tmp_path / "secret").read_text() == "first"
    assert len(list(tmp_path.iterdir())) == 1


def test_replace_gives_a_new_file(tmp_path: Path) -> None:
    """A reader that has the old one open reads it to its end; wide permissions do not stay."""
    path = tmp_path / "secret"
    path.write_text("old")
    path.chmod(0o644)
    with path.open() as reader:
        private_file.replace(path, "new")
        assert reader.read() == "old"

    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("write", WAYS, ids=lambda write: write.__name__)
def test_where_nothing_can_be_written_nothing_is_left(
    tmp_path: Path, write: Callable[[Path, str], None]
) -> None:
    """The caller explains it."""
    with pytest.raises(FileNotFoundError):
        write(tmp_path / "missing" / "secret", "text")

    assert list(tmp_path.iterdir()) == []
