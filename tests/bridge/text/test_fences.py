"""Where code begins and ends in a text."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bridge.text.containers import line_at
from bridge.text.fences import around, fences

_markdown = (
    MarkdownIt("zero").enable(["blockquote", "code", "fence", "heading", "hr", "list"]).disable("inline")
)

_blocks = st.sampled_from(
    [
        "a paragraph\nof two lines\n\n",
        "# heading\n",
        "---\n\n",
        "- item\n",
        "- item\n\n  in the item\n\n",
        "1. item\n",
        "1.  item\n\n    in the item\n\n",
        "- a\n  - b\n",
        "> quoted\n",
        "> - item\n>\n>   in it\n\n",
        "```\ncode\n```\n",
        "~~~py\ncode\n```\n~~~\n",
        "- ```\n  code\n\n  code\n  ```\n",
        "- a\n\n  ```\n  code\n  ```\n",
        "1.  a\n\n    ```\n    code\n    ```\n",
        "> ```\n> code\n> ```\n",
        "> ```\n> code\n\n",
        "- ```\n  code\n\nafter it\n\n",
        "    indented ```\n    ```\n\n",
        "a\n    ```\n\n",
        "``` not one ```\n\n",
        "\n",
    ]
)


def _pieces(text: str) -> list[tuple[str, str, str]]:
    return [
        (text[f.start : f.code], text[f.code : f.closing], text[f.closing : f.end]) for f in fences(text, 100)
    ]


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("no code", []),
        ("a ``` b ~~~ c", []),
        ("    ```\n    x", []),
        ("a\n```py\nx\n```\nb", [("```py\n", "x\n", "```\n")]),
        ("```\nx\n```", [("```\n", "x\n", "```")]),
        ("```\nx", [("```\n", "x", "")]),
        ("```", [("```", "", "")]),
        ("~~~\n```\n~~~~\n```\ny", [("~~~\n", "```\n", "~~~~\n"), ("```\n", "y", "")]),
        ("> ~~~\n> x\ny", [("> ~~~\n", "> x\n", "")]),
        ("- ```\n  x\n  ```\n", [("- ```\n", "  x\n", "  ```\n")]),
        ("- ```\n  x\n\n  y\nz", [("- ```\n", "  x\n\n  y\n", "")]),
    ],
)
def test_a_fence_is_its_opening_its_code_and_its_closing(
    text: str, pieces: list[tuple[str, str, str]]
) -> None:
    """As offsets; without a closing it goes on to the end of what it stands in."""
    assert _pieces(text) == pieces


def test_a_fence_is_open_behind_its_beginning_and_before_its_end() -> None:
    """A cut at either leaves it whole."""
    text = "a\n```\nx\n```\nb"
    found = fences(text, 100)

    assert [position for position in range(len(text) + 1) if around(found, position)] == list(range(3, 12))


@settings(deadline=None, max_examples=500)
@given(st.lists(_blocks, max_size=8).map("".join))
def test_fences_are_those_of_a_parser(text: str) -> None:
    """In lists and quotes, after anything, closed or not."""
    starts = [0, *(at + 1 for at, character in enumerate(text) if character == "\n"), len(text), len(text)]
    parsed = [token.map for token in _markdown.parse(text + "\n") if token.type == "fence" and token.map]

    found = [(text[fence.start : fence.end]).rstrip() for fence in fences(text, 1000)]
    assert found == [text[starts[first] : starts[behind]].rstrip() for first, behind in parsed]


@pytest.mark.parametrize(
    ("text", "is_code"),
    [
        ("    a", True),
        ("a\n    a", False),
        ("# a\n    a", True),
        ("- a\n\n    a", False),
        ("- a\n\n      a", True),
        ("1.  a\n\n    a", False),
        ("a\n\n\ta", True),
        ("> a\n    a", False),
        ("-\n\n    a", True),
    ],
)
def test_indented_code_depends_on_the_lines_before(text: str, is_code: bool) -> None:  # noqa: FBT001
    """A paragraph goes on, and the item of a list has an indentation of its own."""
    assert line_at(text, text.rfind("\n") + 1).is_code is is_code


def test_marks_without_end_are_no_fence() -> None:
    """There would be no room for anything else."""
    assert fences("`" * 50 + "\nx", 50) == []


@pytest.mark.parametrize(
    ("text", "indent", "opening"),
    [
        ("```py x", "", "```py x\n"),
        ("  ~~~~", "  ", "  ~~~~\n"),
        ("> > ```", "> > ", "> > ```\n"),
        ("12. ```", "    ", "12. ```\n"),
        ("-\t```", "    ", "-   ```\n"),
        ("1.  a\n\n    ```", "    ", "-   ```\n"),
        ("> 1.  a\n>\n>     ```", ">     ", "> -   ```\n"),
        ("```" + "i" * 30, "", "```\n"),
    ],
)
def test_a_fence_is_reopened_in_its_container(text: str, indent: str, opening: str) -> None:
    """With list markers where mere spaces would make it code; too long an info string is left out."""
    (fence,) = fences(text, 30)

    assert fence.indent == indent
    assert fence.opening(30) == opening
