"""Where a text has fenced code, and the lines that end and reopen it. Pure: no I/O is imported here."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from bridge.text.containers import QUOTE, line_at

_CONTAINER = r"[ \t]*+(?:(?:>|(?:[-+*]|\d{1,9}[.)])(?=[ \t]))[ \t]*+)*+"
_OPENING = re.compile(
    rf"^(?P<container>{_CONTAINER})(?P<marks>`{{3,}}(?=[^`\n]*$)|~{{3,}})(?P<info>[^\n]*)$", re.MULTILINE
)
_LIST_MARKER = re.compile(r"[^\s>]")
_DEEP = re.compile("(?<!>) {4,}")

_MOST = 1_000
"""Lines that look like a fence; behind so many a text is treated as if it had no code."""
_MOST_LOOKS = 50
"""Fences for which earlier lines are read, to know the lists that they stand in."""
_DEEPEST, _WIDEST = 12, 40
"""Containers of a fence, and columns of one: beyond them nothing is taken for a fence."""


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
    containers: tuple[int, ...]
    """As in `bridge.text.containers`."""

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
    return [fence for fence in _fences(text) if len(fence.ending) <= longest]


def around(found: Sequence[Fence], position: int) -> Fence | None:
    """Return the fence that begins before `position` and does not end before or at it."""
    index = bisect_right(found, position - 1, key=lambda fence: fence.start) - 1
    return found[index] if index >= 0 and position < found[index].end else None


class FenceReader:
    """Reads the fences of a text in order."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._last = Fence(0, 0, 0, 0, "", "", "", ())
        self._looks = 0

    def at(self, start: int) -> Fence | None:
        """Return the fence that the line at `start` opens; None if it opens none."""
        opening = _OPENING.match(self.text, start)
        return self.opened_by(opening) if opening else None

    def opened_by(self, opening: re.Match[str]) -> Fence | None:
        """Return the fence of a line that looks like the opening of one."""
        self._looks += bool(opening["container"])
        containers = _containers(self.text, opening, self._last, looks_back=self._looks <= _MOST_LOOKS)
        if containers is None:
            return None
        self._last = _fence(self.text, opening, containers)
        return self._last


def _fences(text: str) -> Iterator[Fence]:
    reader, position = FenceReader(text), 0
    for _ in range(_MOST):
        opening = _OPENING.search(text, position)
        if not opening:
            return
        position = opening.end()
        if fence := reader.opened_by(opening):
            yield fence
            position = max(fence.end - 1, position)


def _containers(
    text: str, opening: re.Match[str], last: Fence, *, looks_back: bool
) -> tuple[int, ...] | None:
    """Return the containers that an opening line stands in; None if it opens no fence."""
    if not opening["container"]:
        return ()
    start, before = opening.start(), (last.end, last.containers)
    line = line_at(text, start, *before) if looks_back else line_at(opening[0], 0)
    content = opening[0].expandtabs(4)[line.column :]
    opens = not content.startswith("    ") and content.lstrip(" ").startswith(opening["marks"])
    is_usual = len(line.containers) <= _DEEPEST and max(line.containers, default=0) <= _WIDEST
    return line.containers if opens and is_usual else None


def _fence(text: str, opening: re.Match[str], containers: tuple[int, ...]) -> Fence:
    code = min(opening.end() + 1, len(text))
    closing = end = len(text)
    for found in _ends(containers).finditer(text, code):
        if not (marks := found["marks"]):
            closing = end = found.start()
            break
        if marks.startswith(opening["marks"]):
            closing, end = found.start(), min(found.end() + 1, len(text))
            break
    container, marks = opening["container"].expandtabs(4), opening["marks"]
    return Fence(opening.start(), code, closing, end, container, marks, opening["info"].strip(), containers)


@lru_cache(maxsize=256)
def _ends(containers: tuple[int, ...]) -> re.Pattern[str]:
    """Return a pattern of the lines that may end a fence: its closing marks, or a line outside."""
    behind = len(containers) - containers[::-1].index(QUOTE) if QUOTE in containers else 0
    widths = [" {0,3}> ?" if width == QUOTE else rf"(?: {{{width}}}| {{0,3}}\t)" for width in containers]
    quotes, lists = "".join(widths[:behind]), "".join(widths[behind:])
    inside = rf"{quotes}(?:{lists}|[ \t]*$)"
    return re.compile(rf"^(?:{inside} {{0,3}}(?P<marks>`{{3,}}|~{{3,}})[ \t]*$|(?!{inside}))", re.MULTILINE)


def _bullets(spaces: re.Match[str]) -> str:
    """Return list markers as wide as the spaces; a marker's text begins at most five columns behind it."""
    whole, rest = divmod(len(spaces[0]), 4)
    if rest == 1:
        return "-   " * (whole - 1) + "-    "
    return "-   " * whole + "-".ljust(rest) * bool(rest)
