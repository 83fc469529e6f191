"""The file that keeps tokens."""

import stat
from pathlib import Path

import pytest

from bridge.errors import StartupError
from bridge.ops.setup.env_file import read, write


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """A missing file is an empty one."""
    path = tmp_path / "bridge.env"
    assert read(path) == {}

    write(path, {"A_TOKEN": "one"})
    write(path, {"B_TOKEN": "two"})

    assert read(path) == {"A_TOKEN": "one", "B_TOKEN": "two"}


def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    """Also a file that everybody could read before."""
    path = tmp_path / "bridge.env"
    path.write_text("A_TOKEN=old\n")
    path.chmod(0o644)

    write(path, {"A_TOKEN": "new"})

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["bridge.env"]


def test_other_lines_stay(tmp_path: Path) -> None:
    """Comments, other variables and their order; a changed one moves to the end."""
    path = tmp_path / "bridge.env"
    path.write_text("# tokens\nA_TOKEN=old\n\nOTHER=a=b\n")

    write(path, {"A_TOKEN": "new"})

    assert path.read_text() == "# tokens\n\nOTHER=a=b\nA_TOKEN=new\n"
    assert read(path)["OTHER"] == "a=b"


def test_a_file_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    """With its name and the reason, whatever it is that cannot be done."""
    for act in (lambda: read(tmp_path), lambda: write(tmp_path / "none" / "bridge.env", {"A": "b"})):
        with pytest.raises(StartupError, match=str(tmp_path)):
            act()
    assert list(tmp_path.iterdir()) == []
