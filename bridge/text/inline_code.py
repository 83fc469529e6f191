"""Where code within a line of text begins and ends. Pure: no I/O is imported here."""

import re

TICKS = re.compile("`+")

_MOST_RUNS = 20

_PARAGRAPH_END = re.compile(r"\n[ \t]*(?=\n)")


def code_span_end(text: str, start: int, stop: int) -> int | None:
    """Return the end of the code that the run of backticks at `start` opens; None if it opens none.

    The next run of the same length before `stop`, the end of the paragraph, closes it, unless too many longer
    runs stand between.
    """
    opening = TICKS.match(text, start)
    marks = opening[0] if opening else "`"
    position = start + len(marks)
    for _ in range(_MOST_RUNS):
        position = text.find(marks, position, stop)
        if position < 0:
            return None
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
