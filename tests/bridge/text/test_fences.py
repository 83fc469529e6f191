"""Where code begins and ends in a text."""

import pytest

from bridge.text.fences import around, fences


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
