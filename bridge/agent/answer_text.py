"""The text of an answer while it comes in. Pure: no I/O is imported here."""

from typing import Final

from bridge.text.fences import fences
from bridge.text.storable import storable

ANSWER_LIMIT: Final = 200_000
"""Characters of an answer; a longer one is cut, and says so."""

CUT: Final = "\n\n(The answer was too long for this chat and is cut here.)"
_LONGEST_FENCE = 100
"""Characters of the line that closes a fence."""
_HIGH_HALVES = "\ud800", "\udbff"
"""The first halves of a character that is cut in two, from the first to the last."""


class AnswerText:
    """Pieces, and snapshots that replace them."""

    def __init__(self) -> None:
        self.length = 0
        self._parts: list[str] = []
        self._has_pieces = False
        self._fresh: list[str] = []
        self._given = 0
        """Characters that `fresh` has returned."""
        self._has_diverged = False

    def __str__(self) -> str:
        return "".join(self._parts)

    def add(self, piece: str) -> None:
        """Add a piece."""
        self._has_pieces = True
        self._parts.append(piece)
        self._fresh.append(piece)
        self.length += len(piece)

    def replace(self, snapshot: str) -> None:
        """Replace the pieces by the whole text; a server that sends snapshots of pieces gets them joined."""
        before = str(self)
        if not self._has_pieces and not snapshot.startswith(before):
            snapshot = before + snapshot
        self._has_diverged = self._has_diverged or before[: self._given] != snapshot[: self._given]
        self._parts, self.length = [snapshot], len(snapshot)
        self._fresh = [snapshot[self._given :]]

    def fresh(self, held: int = 0) -> str:
        """Return what was added since the last call, without the last `held` characters.

        Nothing more is returned once a snapshot has contradicted what was. The first half of a cut character
        waits for the second.
        """
        text = "".join(self._fresh)
        end = max(0, len(text) - held)
        if end and _HIGH_HALVES[0] <= text[end - 1] <= _HIGH_HALVES[1]:
            end -= 1
        self._fresh = [text[end:]]
        self._given += end
        return "" if self._has_diverged else _joined(text[:end])


def _joined(text: str) -> str:
    """Return the text with the halves of cut characters joined.

    JavaScript cuts strings between the halves of a character, and JSON carries them as they are.
    """
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def clean(text: str) -> str:
    """Return the text as it can be stored."""
    return storable(_joined(text)).strip()


def cut(text: str) -> str:
    """Return at most `ANSWER_LIMIT` characters of the text, with the remark that it is cut.

    The remark stands outside of code: a fence that the cut leaves open is closed.
    """
    kept = text[: ANSWER_LIMIT - len(CUT) - _LONGEST_FENCE].rstrip()
    return kept + _closing(kept) + CUT


def _closing(text: str) -> str:
    last = next(reversed(fences(text, _LONGEST_FENCE)), None)
    return last.ending if last and last.closing == len(text) else ""


def says_something(text: str) -> bool:
    """Return whether the text has a character that people can see."""
    return any(character.isprintable() and not character.isspace() for character in text)
