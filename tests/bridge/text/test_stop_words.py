"""Which messages tell the bot to stop, and nothing else."""

import pytest

from bridge.text.stop_words import is_stop_word


@pytest.mark.parametrize(
    "message",
    [
        *("stop", "Stop!", " STOP. ", "please stop", "Please, stop!", "cancel", "abort"),
        *("stopp", "Hör auf!", "abbrechen", "arrête", "ARRÊTE !", "¡Para!", "fermati", "przestań"),
        *("стоп", "Стоп!", "停止", "停止。", "ストップ", "やめて", "그만", "रुको", "توقف", "iptal"),
        *(
            "\uff33\uff34\uff2f\uff30",
            "stop \U0001f6d1",
            "**stop**",
            "arre\u0302te",
        ),
    ],
)
def test_a_word_alone_stops(message: str) -> None:
    """In the languages that people write, in any case and with any marks around it."""
    assert is_stop_word(message)


@pytest.mark.parametrize(
    "message",
    [
        *("", "  ", "stop listening", "stop the press", "do not stop", "nonstop", "stops"),
        *("cancel my shares", "What does stop mean?", "停止交易", "stop " * 20),
    ],
)
def test_a_sentence_with_it_does_not(message: str) -> None:
    """It is a question like any other."""
    assert not is_stop_word(message)
