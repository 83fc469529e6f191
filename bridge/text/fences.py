"""Where a text has fenced code, and the lines that end and reopen it. Pure: no I/O is imported here."""

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.token import Token

_markdown = (
    MarkdownIt("zero").enable(["blockquote", "code", "fence", "heading", "hr", "list"]).disable("inline")
)

_LINE_END = re.compile("\r\n?|\n")
_LIST_MARKER = re.compile(r"[^\s>]")
_DEEP = re.compile("(?<!>) {4,}")


@dataclass(frozen=True, slots=True)
class Fence:
    """Fenced code as offsets into a text: the opening line, the code, the closing line."""

    start: int
    code: int
    closing: int
    """Where the closing line begins; the same as `end` if there is none."""
    end: int
    container: str
    """What stands before the opening marks: indentation, list markers, quote marks."""
    marks: str
    info: str

    @property
    def indent(self) -> str:
        """What stands before every further line."""
        return _LIST_MARKER.sub(" ", self.container)

    @property
    def ending(self) -> str:
        """The end of a part in which this fence is still open."""
        return f"\n{self.indent}{self.marks}"

    def opening(self, longest: int) -> str:
        """Return the beginning of a part that goes on with this code; too long an info string is left out."""
        # Four spaces would make the fence itself code, so the list it stood in is begun again.
        marks = _DEEP.sub(_bullets, self.container) + self.marks
        info = self.info if len(marks) + len(self.info) < longest else ""
        return f"{marks}{info}\n"


def fences(text: str, longest: int) -> list[Fence]:
    """Return the fences of a text in order, without those whose marks alone exceed `longest` characters."""
    if "```" not in text and "~~~" not in text:
        return []
    starts = [0, *(end.end() for end in _LINE_END.finditer(text)), len(text)]
    found = [_fence(token, text, starts) for token in _markdown.parse(text + "\n") if token.type == "fence"]
    return [fence for fence in found if len(fence.ending) <= longest]


def around(found: Sequence[Fence], position: int) -> Fence | None:
    """Return the fence that begins before `position` and does not end before or at it."""
    index = bisect_right(found, position - 1, key=lambda fence: fence.start) - 1
    return found[index] if index >= 0 and position < found[index].end else None


def _fence(token: Token, text: str, starts: Sequence[int]) -> Fence:
    first, behind = token.map or [0, 0]
    closed = behind - first - 1 > token.content.count("\n")
    line = text[starts[first] : starts[first + 1]].rstrip()
    container, marks, info = line.partition(token.markup)
    return Fence(
        start=starts[first],
        code=starts[first + 1],
        closing=starts[behind - 1 if closed else behind],
        end=starts[behind],
        container=container.expandtabs(4),
        marks=marks,
        info=info,
    )


def _bullets(spaces: re.Match[str]) -> str:
    """Return list markers as wide as the spaces; a marker's text begins at most five columns behind it."""
    whole, rest = divmod(len(spaces[0]), 4)
    if rest == 1:
        return "-   " * (whole - 1) + "-    "
    return "-   " * whole + "-".ljust(rest) * bool(rest)
