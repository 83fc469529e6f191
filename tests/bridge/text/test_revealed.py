"""What an agent hides in a text shows."""

import pytest

from bridge.text.revealed import not_shown, revealed, revealed_command


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("rm -rf /tmp/x\u00a0/", "rm -rf /tmp/x\ufffd/"),
        ("echo \u202etxt\u2066", "echo \ufffdtxt\ufffd"),
        ("a\u200bb\u00adc\u3164d\U000e0041e\ufe0ff\u180eg", "a\ufffdb\ufffdc\ufffdd\ufffde\ufffdf\ufffdg"),
        ("a\rb\x1b[2Kc\x00", "a\ufffdb\ufffd[2Kc\ufffd"),
        (
            "cat 'Übung.txt' | grep e\u0301 \\\n\tnaïve 日本",
            "cat 'Übung.txt' | grep e\u0301 \\\n\tnaïve 日本",
        ),
    ],
)
def test_a_command_hides_nothing(command: str, shown: str) -> None:
    assert revealed_command(command) == shown


def test_prose_does_not_turn_its_direction() -> None:
    """Other signs without a shape belong to scripts and emoji."""
    assert revealed("pay 1\u202e00\U000e0041 👨\u200d👩") == "pay 1\ufffd00\ufffd 👨\u200d👩"


def test_what_is_missing_is_counted() -> None:
    assert not_shown(0) == ""
    assert not_shown(96_000) == " … (96,000 more characters are not shown)"
