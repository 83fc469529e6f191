"""The quotes and lists that a line of Markdown stands in. Pure: no I/O is imported here.

Only the lines shortly before a place are read, so that a long text costs nothing where nobody looks.
"""

import re
from dataclasses import dataclass
from typing import Final

QUOTE: Final = 0
"""A container is this, or the width of a list item's marker and indentation."""

_QUOTE = re.compile(" {0,3}> ?")
_MARKER = re.compile(r" {0,3}(?:[-+*]|(?P<number>\d{1,9})[.)])(?=[ ]|\Z)")
_RULE = re.compile(r" {0,3}(?:(?:\*[ ]*){3,}|(?:-[ ]*){3,}|(?:_[ ]*){3,})\Z")
_OTHER_BLOCK = re.compile(r" {0,3}(?:#{1,6}(?: |\Z)|`{3,}[^`]*\Z|~{3,})")

_LINES_BACK = 100
"""Lines before a place that are read at most; a list that began earlier is taken for over."""

_BEGINNING = re.compile(r"(?:[-+*#]|1[.)])[ \t]+\S")


@dataclass(frozen=True, slots=True)
class LineStructure:
    """How a line stands in its text."""

    containers: tuple[int, ...]
    """From the outermost; without those that the line only continues by chance (a paragraph goes on)."""
    column: int
    """Where its content begins, with tabs expanded."""
    is_code: bool
    """It is indented code."""


def line_at(text: str, start: int, floor: int = 0, containers: tuple[int, ...] = ()) -> LineStructure:
    """Return how the line that begins at `start` stands.

    `floor` is the end of the last fence before it, and `containers` are those that the fence stood in.
    """
    position = _beginning(text, start, floor)
    scanner = _Scanner(containers if position == floor else ())
    while position < start:
        end = text.find("\n", position, start)
        scanner.read(text[position:end])
        position = end + 1
    end = text.find("\n", start)
    return scanner.read(text[start : end if end >= 0 else len(text)])


def _beginning(text: str, start: int, floor: int) -> int:
    """Return the beginning of the nearest line that is in no container of an earlier line."""
    position = start
    for _ in range(_LINES_BACK):
        if position <= floor:
            return floor
        before = max(text.rfind("\n", 0, position - 1) + 1, floor)
        is_blank = not text[before : position - 1].strip()
        if _BEGINNING.match(text, position) or (is_blank and text[position : position + 1].strip()):
            break
        if text[position] == ">" != text[before]:
            break
        position = before
    return position


class _Scanner:
    """Reads line after line as CommonMark does, as far as containers are concerned."""

    def __init__(self, containers: tuple[int, ...]) -> None:
        self.containers = list(containers)
        self.in_paragraph = False
        self.in_empty_item = False

    def read(self, line: str) -> LineStructure:
        line = line.expandtabs(4).rstrip()
        matched, column = self._continued(line)
        if column >= len(line):
            return self._blank(matched)
        opened, content = self._opened(line, column, is_new=matched < len(self.containers))
        rest = line[content:]
        goes_on = self.in_paragraph and not opened
        is_other = bool(_RULE.match(rest) or _OTHER_BLOCK.match(rest))
        is_code = rest.startswith("    ") and not goes_on
        if not (goes_on and matched < len(self.containers) and not is_other):
            self.containers[matched:] = opened
        self.in_paragraph = bool(rest) and not is_code and not is_other
        self.in_empty_item = not rest and bool(opened) and opened[-1] != QUOTE
        return LineStructure((*self.containers[:matched], *opened), content, is_code)

    def _continued(self, line: str) -> tuple[int, int]:
        """Return how many containers the line continues, and the column behind them."""
        column = 0
        for index, width in enumerate(self.containers):
            if width == QUOTE:
                if not (found := _QUOTE.match(line, column)):
                    return index, column
                column = found.end()
            elif line[column:].strip():
                if line[column : column + width].strip():
                    return index, column
                column += width
        return len(self.containers), column

    def _blank(self, matched: int) -> LineStructure:
        # An item may begin with one blank line, its own; a second one ends it.
        del self.containers[matched - self.in_empty_item if matched else 0 :]
        self.in_paragraph = self.in_empty_item = False
        return LineStructure(tuple(self.containers), 0, is_code=False)

    def _opened(self, line: str, column: int, *, is_new: bool) -> tuple[list[int], int]:
        """Return the containers that begin in the line, and the column behind them."""
        opened: list[int] = []
        while True:
            if found := _QUOTE.match(line, column):
                opened.append(QUOTE)
                column = found.end()
                continue
            found = _MARKER.match(line, column)
            if (
                not found
                or _RULE.match(line, column)
                or not self._begins_item(line, found, is_new=is_new or bool(opened))
            ):
                return opened, column
            end = found.end() + _spaces(line, found.end())
            opened.append(end - column)
            column = end

    def _begins_item(self, line: str, marker: re.Match[str], *, is_new: bool) -> bool:
        if not self.in_paragraph or is_new:
            return True
        return marker.end() < len(line) and marker["number"] in (None, "1")


def _spaces(line: str, column: int) -> int:
    """Return the width of the indentation behind a list marker that belongs to the marker."""
    width = len(line) - column - len(line[column:].lstrip(" "))
    return width if 1 <= width <= 4 and column + width < len(line) else 1
