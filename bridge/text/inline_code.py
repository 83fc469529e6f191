"""Where code within a line of text begins and ends. Pure: no I/O is imported here."""

import re

TICKS = re.compile("`+")

_PARAGRAPH_END = re.compile(r"\n[ \t]*(?=\n)")


def code_span_end(text: str, start: int, stop: int) -> int | None:
    """Return the end of the code that the run of backticks at `start` opens; None if it opens none.

    It is closed by the next run of the same length before `stop`, the end of its paragraph. Callers go on
    behind a code span, and ask once for every length that has no closing: so all calls together are linear.
    """
    opening = TICKS.match(text, start)
    marks = opening[0] if opening else "`"
    position = start + len(marks)
    while (position := text.find(marks, position, stop)) >= 0:
        run = TICKS.match(text, position, stop)
        end = run.end() if run else position
        if end - position == len(marks):
            return end
        position = end
    return None


def paragraph_end(text: str, position: int) -> int:
    """Return where the next blank line begins, or the end of the text."""
    found = _PARAGRAPH_END.search(text, position)
    return found.end() if found else len(text)
