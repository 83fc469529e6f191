"""What a whole message asks of the bot itself; anything else is a question."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.text.commands import Command, Number, Use, command, word


@pytest.mark.parametrize(
    ("message", "meaning"),
    [
        ("new", "new"),
        ("  NEW!\n", "new"),
        ("@equabot new", "new"),
        ("new, @equabot", "new"),
        ("help", "help"),
        ("@equabot help.", "help"),
        ("/help", "help"),
        ("Neues  Gespräch", "new"),
        ("@equabot nueva conversación.", "new"),
        ("nueva conversacio\u0301n", "new"),
        ("Заново!", "new"),
        ("@equabot 重新开始。", "new"),
        ("새 대화", "new"),
        ("¡Ayuda!", "help"),
        ("@equabot Hilfe", "help"),
        ("YARDIM", "help"),
        ("ヘルプ\uff01", "help"),
        ("ﾍﾙﾌﾟ", "help"),
        ("Hilfe bei der Gründung", None),
        ("new 3", None),
        ("new shares", None),
        ("what is new", None),
        ("help me", None),
        ("@equabot", None),
        ("", None),
        ("2", Number(2)),
        ("#2.", Number(2)),
        ("@equabot 2)", Number(2)),
        ("2 shares", None),
        ("2026", None),
        ("use Borealis", Use("Borealis", certain=False)),
        ("Use  “Borealis Labs”.", Use("Borealis Labs", certain=False)),
        ("@equabot use Borealis!", Use("Borealis", certain=True)),
        ("@equabot use 2", Use("2", certain=True)),
        ("use", None),
        ("use this\nand that", None),
        ("use " + "x" * 300, None),
    ],
)
def test_a_message_has_one_meaning(message: str, meaning: Command | None) -> None:
    """Case, punctuation around it and the bot's name do not matter."""
    assert command(message, "equabot") == meaning
    assert word(message, "equabot") == (meaning if isinstance(meaning, str) else None)


def test_after_a_list_a_line_may_be_a_name() -> None:
    """The other commands stay what they are; a text of several lines is a question."""
    assert command("Borealis", "equabot", listed=True) == Use("Borealis", certain=False)
    assert command("2", "equabot", listed=True) == Number(2)
    assert command("new", "equabot", listed=True) == "new"
    assert command("Nova", "equabot", listed=True) == Use("Nova", certain=False)
    assert command("nowy", "equabot", listed=True) == Use("nowy", certain=False)
    assert command("one\ntwo", "equabot", listed=True) is None


@given(st.text(max_size=400), st.booleans())
def test_any_text_has_a_meaning_or_none(message: str, listed: bool) -> None:  # noqa: FBT001
    """Nothing that somebody writes is an error, and what it means does not depend on the bot's name."""
    found = command(message, "equabot", listed=listed)
    assert found is None or found in ("new", "help") or isinstance(found, Use | Number)
