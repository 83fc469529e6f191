"""What sounds like reasoning; only answers of agents that are not known yet are held back for it."""

import pytest

from bridge.text.thinking_aloud import sounds_like_reasoning


@pytest.mark.parametrize(
    "text",
    [
        "Okay, so the user wants to know who is on the team.",
        "Alright, let me see. The table has three rows.",
        "Hmm, two grants are open.",
        "We need to list the members. The organization is Acme.",
        "I should look at the cap table first.",
        "The question is about shares. The user's organization has three.",
        "First, I look at the minutes.",
        "嗯\uff0c用户想知道谁在团队里。",
        "\n\nThinking about the shares",
    ],
)
def test_a_model_that_thinks_aloud_is_recognized(text: str) -> None:
    assert sounds_like_reasoning(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "The cap table has 3 rows.",
        "Okay. Here is the table.",
        "First, the board has to approve it.",
        "# The minutes\n\nI found two decisions.",
        "I found three users.",
        "Well done: all grants are signed.",
        "Let me know if you need more.",
        "So far nobody has signed.",
        "团队有三位成员。",
        "The table has " + "three rows and " * 30 + "the user",
    ],
)
def test_an_ordinary_answer_does_not_sound_like_that(text: str) -> None:
    assert not sounds_like_reasoning(text)
