"""What became of a file. Pure: no I/O is imported here."""

from dataclasses import dataclass
from typing import Literal

LONGEST_TEXT = 60_000
"""Characters of one document that are read."""

Failure = Literal[
    "unsupported", "switched_off", "too_large", "protected", "empty", "broken", "slow", "too_many", "gone"
]

SENTENCES: dict[Failure, str] = {
    "unsupported": "I read text, PDF, Word, Excel and PowerPoint files, and pictures.",
    "switched_off": "I am not given such files here.",
    "too_large": "it is too large for me.",
    "protected": "it is protected by a password.",
    "empty": "there is no text in it.",
    "broken": "it is damaged, or is not what its name says.",
    "slow": "it took me too long.",
    "too_many": "there are too many files at once.",
    "gone": "it is not there any more.",
}
"""Why a file was not read: for people, and for the agent."""


@dataclass(frozen=True, slots=True)
class Text:
    """The text of a document, or its beginning."""

    text: str
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as a data URL."""

    url: str


Result = Text | Picture | Failure
