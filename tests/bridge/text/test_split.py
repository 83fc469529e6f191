"""A long text is divided so that every part can stand alone."""

import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bridge.text.split import split

_markdown = MarkdownIt("commonmark", {"html": False})
_FENCE_LINE = re.compile(r"^[ >*+\-\d.)]*(?:`{3,}|~{3,}).*$", re.MULTILINE)


def _fenced(prefix: str, marks: str, info: str, code: str) -> str:
    return "".join(f"{prefix}{line}\n" for line in ("", marks + info, *code.split("\n"), marks))


_blocks = st.one_of(
    st.text("ab é.!?\n", max_size=150),
    st.sampled_from(["# Heading\n", "* one\n* two\n", "> quoted\n", "`code`", "~~gone~~ ", "👩‍👩‍👧‍👦"]),
    st.builds(
        _fenced,
        st.sampled_from(["", "  ", "   ", "> "]),
        st.sampled_from(["```", "````", "~~~"]),
        st.sampled_from(["", "py", " python title=x"]),
        st.text("xy \n", max_size=250),
    ),
)
_texts = st.lists(_blocks, max_size=12).map("".join)


def _solid(text: str) -> str:
    return re.sub(r"\s", "", _FENCE_LINE.sub("", text))


def _open_fences(text: str) -> int:
    tokens = _markdown.parse(text + "\n")
    sizes = [(t.map, t.content.count("\n")) for t in tokens if t.type == "fence"]
    return sum(lines is not None and lines[1] - lines[0] - 1 == content for lines, content in sizes)


def _code(text: str) -> str:
    return "".join(token.content for token in _markdown.parse(text) if token.type == "fence")


@settings(deadline=None)
@given(_texts, st.integers(100, 300))
def test_no_part_exceeds_the_limit_or_is_blank(text: str, limit: int) -> None:
    """Every part can be posted."""
    parts = split(text, limit)

    assert all(part.strip() and len(part) <= limit for part in parts)


@settings(deadline=None)
@given(_texts, st.integers(100, 300))
def test_nothing_but_blank_space_is_lost(text: str, limit: int) -> None:
    """Without the fences the parts say what the text said."""
    assert "".join(map(_solid, split(text, limit))) == _solid(text)


@settings(deadline=None)
@given(_texts, st.integers(100, 300))
def test_fences_are_balanced_in_every_part(text: str, limit: int) -> None:
    """A part leaves no code open, but the last one if the text did."""
    parts = split(text, limit)

    assert sum(map(_open_fences, parts)) == _open_fences(text)


@settings(deadline=None)
@given(_texts, st.integers(100, 300))
def test_code_stays_code(text: str, limit: int) -> None:
    """What was fenced code is fenced code in the parts."""
    parts = split(text, limit)

    assert "".join(map(_code, parts)).split() == _code(text).split()


@settings(deadline=None)
@given(st.text(max_size=600), st.integers(100, 200))
def test_any_text_can_be_split(text: str, limit: int) -> None:
    """No text raises, exceeds the limit, or loses more than blank space."""
    parts = split(text, limit)

    assert all(len(part) <= limit for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())


@pytest.mark.parametrize("text", ["", " ", "\n\n \t\n"])
def test_a_blank_text_has_no_parts(text: str) -> None:
    """There is nothing to post."""
    assert split(text, 100) == []


def test_a_text_that_fits_is_left_alone() -> None:
    """Only blank space around it is taken off, not the indentation of its first line."""
    assert split("\n  * item\n\n```\nopen\n", 100) == ["  * item\n\n```\nopen"]


def test_a_limit_that_is_too_small_is_refused() -> None:
    """Fences need room."""
    with pytest.raises(ValueError, match="100 characters or more, not 99"):
        split("x", 99)


def test_it_is_cut_at_a_paragraph_first() -> None:
    """A paragraph in the second half of the room goes before a later line end or sentence."""
    first = "a" * 60
    second = "b. " * 10 + "\n" + "c " * 40

    assert split(f"{first}\n\n{second}", 100)[0] == first


def test_it_is_cut_at_a_line_next() -> None:
    """A line end goes before a later sentence."""
    parts = split("a" * 60 + "\n" + "b. " * 30, 100)

    assert parts[0] == "a" * 60


def test_it_is_cut_at_a_sentence_next() -> None:
    """A sentence end goes before a later space."""
    parts = split("a" * 60 + "! " + "b " * 30, 100)

    assert parts[0] == "a" * 60 + "!"


def test_it_is_cut_at_a_space_next() -> None:
    """A word stays whole."""
    parts = split("word " * 30, 100)

    assert [len(part) for part in parts] == [99, 49]
    assert " ".join(parts) == ("word " * 30).strip()


def test_a_word_that_is_too_long_is_cut_anywhere() -> None:
    """A text without spaces fills its parts."""
    assert split("x" * 250, 100) == ["x" * 100, "x" * 100, "x" * 50]


def test_a_text_of_exactly_the_limit_is_one_part() -> None:
    """The limit itself is allowed."""
    assert split("x" * 100, 100) == ["x" * 100]


@pytest.mark.parametrize("character", ["e\u0301", "👩‍👩‍👧‍👦", "👍🏽", "\ud83d\udc4d", "❤️"])
def test_a_character_of_several_code_points_stays_whole(character: str) -> None:
    """Accents, joined emoji, skin tones and surrogate pairs are not torn."""
    parts = split(character * 100, 100)

    assert all(part == character * (len(part) // len(character)) for part in parts)
    assert sum(map(len, parts)) == 100 * len(character)


def test_marks_without_end_are_cut_all_the_same() -> None:
    """A text of combining marks alone does not get stuck."""
    assert all(unicodedata.combining(mark) for mark in "\u0301")
    assert [len(part) for part in split("\u0301" * 250, 100)] == [100, 100, 50]


def test_code_is_closed_and_reopened_with_its_info_string() -> None:
    """The language survives the cut, and every line of code."""
    code = "\n".join(f"line {number}" for number in range(20))
    parts = split(f"Look:\n\n```python\n{code}\n```\n\nDone.", 100)

    assert parts[0].startswith("Look:\n\n```python\nline 0\n")
    assert all(part.startswith("```python\n") for part in parts[1:])
    assert all(part.endswith("\n```") for part in parts[:-1])
    assert parts[-1].endswith("line 19\n```\n\nDone.")
    assert "".join(map(_code, parts)) == code + "\n"


@pytest.mark.parametrize("marks", ["~~~", "`````"])
def test_a_fence_keeps_its_kind_and_length(marks: str) -> None:
    """A shorter or other fence within the code does not end it."""
    code = "```\nnested\n```\n" * 10
    parts = split(f"{marks}md\n{code}{marks}", 100)

    assert all(part.startswith(f"{marks}md\n") and part.endswith(f"\n{marks}") for part in parts)
    assert "".join(map(_code, parts)) == code


def test_a_long_line_of_code_is_cut_hard_and_stays_code() -> None:
    """Spaces within code are content."""
    line = "a  b " * 60
    parts = split(f"```\n{line}\n```", 100)

    assert all(part.startswith("```\n") and part.endswith("\n```") for part in parts)
    assert "".join(part[4:-4] for part in parts) == line


def test_a_part_does_not_end_with_a_fence_just_opened() -> None:
    """Code of which nothing fits begins in the next part."""
    parts = split("a" * 90 + "\n```py\n" + "x = 1\n" * 10 + "```", 100)

    assert parts[0] == "a" * 90
    assert parts[1].startswith("```py\nx = 1\n")


def test_a_part_does_not_begin_with_an_empty_fence() -> None:
    """A closing fence stays with its code."""
    code = "x" * 30 + "\n"
    parts = split("```\n" + code * 2 + "x" * 24 + "\n```\n" + "after " * 20, 100)

    assert parts[0] == "```\n" + code * 2 + "x" * 24 + "\n```"
    assert parts[1].startswith("after ")


@pytest.mark.parametrize(
    ("opening", "indent", "reopening"),
    [
        ("- ", "  ", "- "),
        ("1. ", "   ", "1. "),
        ("> ", "> ", "> "),
        ("- a\n\n  ", "  ", "  "),
        ("1.  a\n\n    ", "    ", "-   "),
        ("> 1.  a\n>\n>     ", ">     ", "> -   "),
        ("1.   a\n\n     ", "     ", "-    "),
        ("- a\n  - b\n    - c\n\n      ", "      ", "-   - "),
        ("1.  a\n    - b\n      - c\n        - d\n\n          ", "          ", "-   -   - "),
    ],
)
def test_code_in_a_list_or_quote_is_reopened_where_it_stood(
    opening: str, indent: str, reopening: str
) -> None:
    """The reopened fence has the container's width, so that lines and closing fence still belong to it."""
    code = "\n".join(f"{indent}line {number}" for number in range(30))
    parts = split(f"{opening}```py\n{code}\n{indent}```", 100)

    assert all(part.startswith(f"{reopening}```py\n{indent}line ") for part in parts[1:])
    assert "".join(map(_code, parts)) == "".join(f"line {number}\n" for number in range(30))
    assert not any(map(_open_fences, parts))


def test_a_long_line_of_code_in_a_quote_stays_in_it() -> None:
    """What follows a cut within a line is quoted too."""
    parts = split("> ```\n> " + "x" * 250 + "\n> ```", 100)

    assert "".join(map(_code, parts)).replace("\n", "") == "x" * 250


@pytest.mark.parametrize("marks", ["```", "~~~"])
def test_a_cut_does_not_open_a_fence(marks: str) -> None:
    """Marks in the middle of a line do not come to stand at the beginning of a part."""
    text = "a" * 60 + f" {marks} b" * 20

    assert not any(part.startswith(marks) for part in split(text, 100))


def test_an_info_string_that_leaves_no_room_is_not_repeated() -> None:
    """The code matters more."""
    parts = split("```" + "i" * 150 + "\n" + "x\n" * 100 + "```", 100)

    assert all(len(part) <= 100 for part in parts)
    assert parts[-1].startswith("```\nx\n")
    assert not any(map(_open_fences, parts))


_TABLE = "| Name | Shares |\n|:-----|-------:|\n"


def _rows(count: int) -> str:
    return "".join(f"| Holder {number:03} | {number} |\n" for number in range(count))


def test_a_table_that_is_cut_repeats_its_head() -> None:
    """Every part is a table by itself, and every row stands in one part."""
    parts = split(f"Rows:\n\n{_TABLE}{_rows(40)}\nDone.", 200)

    assert parts[0].startswith(f"Rows:\n\n{_TABLE}| Holder 000")
    assert all(part.startswith(f"{_TABLE}| Holder") for part in parts[1:-1])
    assert parts[-1] == "Done."
    assert all(len(part) <= 200 for part in parts)
    rows = [part.removeprefix("Rows:\n\n").removeprefix(_TABLE) for part in parts[:-1]]
    assert "\n".join(rows) == _rows(40).rstrip()


def test_a_table_that_fits_moves_whole_into_the_next_part() -> None:
    """It needs no second head then."""
    table = f"{_TABLE}{_rows(5)}"

    assert split(f"{'a' * 120}\n\n{table}\nDone.", 200) == ["a" * 120, f"{table}\nDone."]


def test_the_head_of_a_table_does_not_stay_behind() -> None:
    """A head without rows says nothing."""
    parts = split(f"{'a' * 150}\n\n{_TABLE}{_rows(40)}", 200)

    assert parts[0] == "a" * 150
    assert all(part.startswith(_TABLE) for part in parts[1:])


def test_a_table_in_code_is_code() -> None:
    """No head comes into it."""
    parts = split(f"```\n{_TABLE}{_rows(40)}```", 200)

    assert "".join(map(_code, parts)) == f"{_TABLE}{_rows(40)}"


@settings(deadline=None)
@given(st.integers(0, 40), st.integers(0, 150), st.integers(0, 150), st.integers(120, 300))
def test_every_row_of_a_table_stands_in_one_part(count: int, before: int, behind: int, limit: int) -> None:
    """Under a head, wherever the table begins and ends."""
    parts = split(f"{'a ' * before}\n\n{_TABLE}{_rows(count)}\n{'b ' * behind}", limit)

    assert all(len(part) <= limit for part in parts)
    lines = [line for part in parts for line in part.split("\n")]
    assert [f"{line}\n" for line in lines if line.startswith("| Holder")] == _rows(count).splitlines(
        keepends=True
    )
    assert all(_TABLE.strip() in part for part in parts if "| Holder" in part)


@pytest.mark.parametrize(
    "span",
    [
        "**bold words here**",
        "__bold words here__",
        "~~words no longer true~~",
        "[a link with words](https://example.com/a b)",
        "[a link (with) words][reference]",
        "![an image of words](https://example.com/a.png)",
        "$$ a + b = c $$",
        "$$\na + b\n\n= c\n$$",
        "`code with words`",
        "**bold over\ntwo lines**",
    ],
)
@pytest.mark.parametrize("before", range(80, 100, 3))
def test_a_cut_does_not_tear(span: str, before: int) -> None:
    """The whole of it stands in one part."""
    text = f"{'word ' * (before // 5)}{'x' * (before % 5)} {span} and so on, {'word ' * 20}"

    assert sum(span in part for part in split(text, 100)) == 1


def test_what_is_too_long_is_torn_all_the_same() -> None:
    """No part exceeds the limit."""
    parts = split(f"**{'word ' * 60}**", 100)

    assert all(len(part) <= 100 for part in parts)
