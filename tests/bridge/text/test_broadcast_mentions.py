"""An agent's text alarms nobody and can be stored."""

import html
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.text.broadcast_mentions import without_broadcast_mentions

_pieces = st.sampled_from(
    [
        "@",
        "all",
        "ALL",
        "Here",
        "channel",
        "&#64;",
        "&#x40;",
        "&commat;",
        "&#97;ll",
        "\\",
        ".",
        "-",
        ":",
        "_",
        "```",
        "~~~",
        "`",
        "-",
        ">",
        "x",
        "é",
        "\u200b",
        " ",
        "\n",
        "\r",
        "\x00",
        "\x7f",
        "```\n",
        "\n```\n",
        "    ",
    ]
)
_texts = st.lists(_pieces, max_size=30).map("".join)


def _notifies(text: str) -> bool:
    """Do what mention_parser_standard.go does, as if nothing were code."""
    read = re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", html.unescape(text))
    words = re.findall(r"[\w:.@-]+", read)
    return any(_is_alarm(word.lstrip(":.-_")) for word in words)


def _is_alarm(word: str) -> bool:
    candidates = [word, word.rstrip(".-:_"), *re.split(r"[.:-]", word)]
    return any(candidate.lower() in ("@all", "@channel", "@here") for candidate in candidates)


@pytest.mark.parametrize(
    "text",
    [
        "@all",
        "@here!",
        "(@Channel)",
        "**@ALL**",
        "@all.",
        "x.@here",
        ":@all",
        "@all_",
        "@all-hands",
        "`@all`",
        "\\@all",
        "&#64;all",
        "&#0064;all",
        "&#X40;all",
        "&commat;all",
        "@&#97;ll",
        "@&#x4C;&#97;",
        "@a\x00ll",
        "[@all](https://example.com)",
        "    @all",
        "> @here",
    ],
)
def test_a_call_to_everybody_is_broken(text: str) -> None:
    """However it is written, in any case."""
    assert not _notifies(without_broadcast_mentions(text))


def test_the_break_cannot_be_seen() -> None:
    """Only a zero-width space is added."""
    assert without_broadcast_mentions("Hello @all, it is done.") == "Hello @\u200ball, it is done."


@pytest.mark.parametrize(
    "text", ["@allison", "@hereford", "@all_hands", "all", "@ all", "channel@", "@equabot", "&#65;all"]
)
def test_other_words_are_left_alone(text: str) -> None:
    """Names that only begin like a call still reach their people."""
    assert without_broadcast_mentions(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "```\n@all\n```",
        "~~~java\n@Channel(`x`)\n~~~",
        "text\n```\n@here\n````",
        "```\n~~\n@all",
        "````\n```\n@all\n````",
    ],
)
def test_fenced_code_is_left_alone(text: str) -> None:
    """Code can be copied as it is."""
    assert without_broadcast_mentions(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "```\ncode\n```\n@all",
        "```\ncode\n```\u00a0\n@all",
        "~~~\ncode\n~~~ ~~~\n@all",
        "para\n    ```\ncode\n```\n@all",
        "- ```\n  @all",
        "> ```\n@all",
        "``` `\n@all",
        "~~~ `\n@all",
        "word ```\n@all",
    ],
)
def test_what_one_parser_may_take_for_text_is_broken(text: str) -> None:
    """A fence counts only where Mattermost and CommonMark agree."""
    assert "@\u200ball" in without_broadcast_mentions(text)


@pytest.mark.parametrize(
    ("text", "stored"),
    [("a\x00b\x1b[1m\x7f\x85", "ab[1m"), ("a\r\nb\rc\td", "a\nb\nc\td"), ("\ud83d!", "\ufffd!"), ("", "")],
)
def test_what_cannot_be_stored_is_taken_out(text: str, stored: str) -> None:
    """Control characters go, line ends become one, surrogates without a partner are replaced."""
    assert without_broadcast_mentions(text) == stored


@settings(deadline=None)
@given(_texts)
def test_outside_of_fences_nothing_notifies(text: str) -> None:
    """No combination of spellings gets through."""
    assert not _notifies(without_broadcast_mentions(text.replace("```", "").replace("~~~", "")))


@settings(deadline=None)
@given(st.one_of(_texts, st.text()))
def test_twice_is_the_same_as_once(text: str) -> None:
    """An answer may pass more than once."""
    assert without_broadcast_mentions(without_broadcast_mentions(text)) == without_broadcast_mentions(text)


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="@&")))
def test_text_without_calls_stays_as_it_is(text: str) -> None:
    """Nothing else is changed."""
    assert without_broadcast_mentions(text) == text


@settings(deadline=None)
@given(st.text())
def test_the_result_can_be_encoded(text: str) -> None:
    """PostgreSQL takes it: UTF-8 without NUL."""
    assert b"\x00" not in without_broadcast_mentions(text).encode()
