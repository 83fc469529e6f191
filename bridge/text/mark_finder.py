"""One pattern for many marks, quick on text without them. Pure: no I/O is imported here."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence

_SIGNS = re.compile(r"(\\?.)((?:\\[\[|]|[/A-Za-z\uff5c])?)(.*)", re.DOTALL)

_FOLLOWING = {"<": r"(?=[/A-Za-z\uff5c]|\|[/\w])", r"\[": r"(?=[/A-Za-z]|\[[\sA-Za-z])"}
"""What a mark with such a first character goes on with."""


def mark_finder(kinds: Mapping[str, Sequence[str]]) -> re.Pattern[str]:
    """Return a pattern of all marks, in either case; `kind_of` says which was found.

    Each mark begins with a character that stands for itself. The pattern begins with the set of these
    characters, so that the regular expression engine passes over all others without trying the rest, and it
    tries only the marks whose second character fits, where that is a sign.
    """
    marks: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for kind, patterns in kinds.items():
        for index, pattern in enumerate(patterns):
            first, second, rest = _SIGNS.findall(pattern)[0]
            marks[first][second].append(f"(?P<{kind}_{index}>{second}{rest})")
    branches = (
        f"(?<={first}){_FOLLOWING.get(first, '')}(?:{_alternatives(by_second)})"
        for first, by_second in marks.items()
    )
    return re.compile(f"[{''.join(marks)}](?:{'|'.join(branches)})")


def _alternatives(by_second: Mapping[str, Sequence[str]]) -> str:
    return "|".join(
        f"(?i:{f'(?={second})' if second else ''}(?:{'|'.join(patterns)}))"
        for second, patterns in by_second.items()
    )


def kind_of(found: re.Match[str]) -> str:
    """Return the kind of the mark that was found."""
    return (found.lastgroup or "").rpartition("_")[0]
