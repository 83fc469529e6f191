"""Questions at a terminal, and where there is none."""

import os
import sys
from collections.abc import Iterator

import pytest

from bridge.ops.setup.terminal import agrees, ask


@pytest.fixture
def keyboard(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Standard input is a terminal; what is written here is typed there."""
    typing, terminal = os.openpty()
    with os.fdopen(terminal, closefd=True) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        yield typing
    os.close(typing)


def test_an_answer(keyboard: int, capsys: pytest.CaptureFixture[str]) -> None:
    """The question goes to standard error; standard output is for tokens."""
    os.write(keyboard, b" http://bridge:8090 \n")

    assert ask("Where? ") == "http://bridge:8090"
    assert capsys.readouterr() == ("", "Where? ")


@pytest.mark.parametrize(("typed", "agreed"), [("y", True), ("Yes", True), ("", False), ("n", False)])
def test_agreement(keyboard: int, typed: str, *, agreed: bool) -> None:
    """Only a yes is one."""
    os.write(keyboard, f"{typed}\n".encode())

    assert agrees("Really? ") is agreed


def test_nobody_is_asked_without_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As in a container that ends by itself."""
    with open(os.devnull) as nothing:  # noqa: PTH123  # as a process gets it
        monkeypatch.setattr(sys, "stdin", nothing)
        assert ask("Where? ") == ""
    assert capsys.readouterr() == ("", "")
