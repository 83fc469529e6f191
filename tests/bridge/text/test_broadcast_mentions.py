"""An agent's text alarms nobody and can be stored."""

import html
import re
from collections.abc import Iterator

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
        "&#108;",
        "al",
        "l",
        "iance",
        "w",
        "http://a.b/",
        "www.a.b",
        "tel://",
        "&#95;",
        "&amp;",
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


_ESCAPABLE = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
_ENTITY = re.compile(r"&(?:#[xX][0-9a-fA-F]{1,8}|#[0-9]{1,8}|[A-Za-z][A-Za-z0-9]*);")
_ADDRESS = re.compile(r"(?<![^\W_])(?:https?|ftp|mailto|tel)://|(?<![^\s*_~)])www[0-9]{0,3}\.", re.IGNORECASE)
_EMOJI = re.compile(r"(?<!\w):[a-z0-9_+-]+:\B", re.ASCII)


def _texts_of(line: str, *, in_link: bool) -> Iterator[str]:
    """Yield the pieces of text that Mattermost's parser makes of a line, as if no block were code.

    Pieces are joined where one begins at the byte at which the last one ends. A backslash is no part of its
    piece, and an entity counts with the length of what it stands for. Within links pieces also end before
    some characters, and there are no addresses.
    """
    piece, end, at = "", 0, 0
    while at < len(line):
        text, source = line[at], 1
        begins, ends = at, at + 1
        if special := (not in_link and _ADDRESS.match(line, at)) or _EMOJI.match(line, at):
            yield piece
            piece, end, at = "", special.end(), special.end()
            continue
        if in_link and text in "wW:&!`":
            end = -1
        if text == "\\" and line[at + 1 : at + 2] in _ESCAPABLE:
            text, source, begins, ends = line[at + 1], 2, at + 1, at + 2
        elif (entity := _ENTITY.match(line, at)) and (read := html.unescape(entity[0])) != entity[0]:
            text, source, ends = read, len(entity[0]), at + len(read)
        if begins != end:
            yield piece
            piece = ""
        piece, end, at = piece + text, ends, at + source
    yield piece


def _notifies(text: str) -> bool:
    """Whether Mattermost notifies everybody: in a piece, without code spans, which could end anywhere."""
    pieces = (
        piece
        for line in re.split(r"[\r\n]", text)
        for in_link in {False, "[" in text}
        for piece in _texts_of(line, in_link=in_link)
    )
    return any(_is_alarm(word) for piece in pieces for word in _words(piece))


def _words(piece: str) -> Iterator[str]:
    """Yield runs of letters, digits and `:.-_@`, without such marks in front; emoji are none."""
    for run in re.findall(r"(?:[:.@-]|\w)+", piece):
        if not (run.startswith(":") and run.endswith(":")):
            yield run.lstrip(":.-_")


def _is_alarm(word: str) -> bool:
    candidates = [word, word.rstrip(".-:_")]
    if not word.startswith("@"):
        candidates += re.split(r"[.:-]", word)
    return any(candidate.lower() in ("@all", "@channel", "@here") for candidate in candidates)


@pytest.mark.parametrize(
    ("text", "notifies"),
    [
        ("@all", True),
        ("x.@all", True),
        ("@all_", True),
        ("@al&#108;iance", True),
        ("@here_http://a.b/", True),
        ("@channel_www.a.b", True),
        ("[@herewith](x)", True),
        ("x\\@all", True),
        ("@all\\_x", True),
        ("@alliance", False),
        ("@all_hands", False),
        ("me@all", False),
        ("@a&#108;&#108;", False),
        (":@all:", False),
    ],
)
def test_the_reference_reads_as_mattermost_does(text: str, notifies: bool) -> None:  # noqa: FBT001
    """Checked against the functions of 10.4 themselves."""
    assert _notifies(text) is notifies


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
        "@al&#108;iance",
        "@&#97;lliance",
        "@here_http://a.example/",
        "@HERE__https://a.example/",
        "@all_www.a.example",
        "@channel_ftp://x",
        "[@herewith](x)",
        "[@all_w](x)",
        "x\\@all",
        "@all\\_x",
        "@all&#95;x",
        "@allé",
        "@all\u0301",
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
        "```\n~~\n@all\n```",
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
        "```\n@all",
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


@settings(deadline=None, max_examples=1000)
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
