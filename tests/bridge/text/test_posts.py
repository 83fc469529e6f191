"""The posts of an answer: while it grows each is safe and whole in itself, and the last ones are exact."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bridge.text.broadcast_mentions import without_broadcast_mentions
from bridge.text.fences import fences
from bridge.text.posts import posts_of, shown_so_far
from bridge.text.visible import late_ends, visible

_SIGN = "\u200b"
_pieces = st.sampled_from(
    [
        *("word ", "A sentence. ", "\n", "\n\n", " ", "* item\n", "# Title\n", "> quoted\n"),
        *("```py\n", "```\n", "\n```\n", "~~~\n", "`code` ", "`", "$$", "x^2", "**bold** ", "**", "__", "~~"),
        *("[a](https://a.example) ", "[a", "](https://", "![a](https://e.example/x.png) ", "<https://a.b> "),
        *("| a | b |\n", "|---|---|\n", "| 1 | 2 |\n", "| 3 "),
        *("@all ", "@channel", "@here, ", "@alliance ", "&#64;all "),
        *("<think>", "</think>\n", "<tool_call>", "</tool_call>", "NO_REPLY", "NO_REPLY\n", "MEDIA:/a.png\n"),
        *("[[reply_to_current]]", "analysis", "Error: ", "No response from ", "<", "&", "\ud83d", "\x00"),
        *("<|channel|>final", "<|message|>", "<img ", "src=x>", "![", "](", ")", ">", "[Tool Call: x]\n"),
    ]
)
_texts = st.one_of(st.lists(_pieces, max_size=30).map("".join), st.text(max_size=60))


def final(text: str) -> str:
    return without_broadcast_mentions(visible(text).text)


def bare(text: str) -> str:
    return text.replace(_SIGN, "")


@settings(max_examples=150)
@given(_texts, st.lists(st.integers(0, 400), max_size=12))
@example("one @all two\n```\n@all\n```\n", [9, 22])
@example("```\n@all x\n```\n", [8])
def test_whatever_the_cuts_each_step_shows_only_what_the_whole_shows(text: str, cuts: list[int]) -> None:
    """Apart from the lines that close its code, and from the sign that takes the alarm out of a mention."""
    whole, ends = final(text), late_ends(text)
    for cut in sorted({min(cut, len(text)) for cut in cuts}):
        shown = shown_so_far(text[:cut], late_ends=ends)
        if shown:
            fence = fences(shown, len(shown))[-1:]
            closed = shown[: fence[0].closing].rstrip("\n") if fence and fence[0].end == len(shown) else shown
            assert bare(whole).startswith(bare(closed).rstrip("\n")), (shown, whole)
        for part in posts_of(shown, 120):
            assert len(part) <= 120
            assert without_broadcast_mentions(part) == part


@settings(max_examples=150)
@given(_texts)
def test_the_code_of_each_step_is_closed(text: str) -> None:
    """What follows a post is never taken for code."""
    for end in range(0, len(text) + 1, 3):
        for part in posts_of(shown_so_far(text[:end]), 16_383):
            assert not [fence for fence in fences(part, len(part)) if fence.closing == fence.end == len(part)]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("The answer has grown to", "The answer has grown"),
        ("No res", ""),
        ("NO_REPLY", ""),
        ("See [the minutes](https://a.example/x y", "See"),
        ("See [the minutes] for", "See"),
        ("It is **very important that", "It is"),
        ("It is **bold** and", "It is **bold**"),
        ("Use `a ** b` here or", "Use `a ** b` here"),
        ("Hi.\n\n| Name | Share |\n", "Hi."),
        ("Hi.\n\n| Name | Share |\n|---|", "Hi."),
        ("Hi.\n\n| Name | Share |\n|---|---|\n| Ada | 6", "Hi.\n\n| Name | Share |\n|---|---|"),
        (
            "Hi.\n\n| Name | Share |\n|---|---|\n| Ada | 60 |\n| Bo",
            "Hi.\n\n| Name | Share |\n|---|---|\n| Ada | 60 |",
        ),
        ("Hi.\n\n```py\nx = 1\ny = ", "Hi.\n\n```py\nx = 1\ny =\n```"),
        ("Hi.\n\n```py\n", "Hi."),
        ("So $$x^2 + y", "So"),
        ("Dear @all of you", "Dear @\u200ball of"),
        ("Dear @al", "Dear"),
        ("Yes <tool_call>{", "Yes"),
    ],
)
def test_nothing_is_shown_in_part(text: str, shown: str) -> None:
    """No half link, emphasis, formula, row or tag; open code is closed."""
    assert shown_so_far(text) == shown


def test_an_answer_is_shown_from_its_first_words_on() -> None:
    """Nobody waits for its first line to end."""
    assert shown_so_far("The cap table has ") == "The cap table has"


def test_it_shows_most_of_what_there_is() -> None:
    text = "One sentence after the other, with `code`, **bold** and [a link](https://a.example). " * 40

    assert len(shown_so_far(text)) > 0.95 * len(text)
