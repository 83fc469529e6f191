"""What somebody asks of the bot itself, as a whole message. Pure: no I/O is imported here."""

import re
from dataclasses import dataclass
from typing import Literal

from bridge.text.mentions import strip_mention

_LONGEST = 200
"""Characters of a command; an organization's name has fewer."""

_SPOKEN = re.compile(r"[\s/]*(?P<said>.*?)[\s.!,]*", re.DOTALL)
_NUMBER = re.compile(r"#?(?P<number>[0-9]{1,3})[.)]?")
_USE = re.compile(r"use[ \t]+(?P<name>[^\n]+)", re.IGNORECASE)
_QUOTES = "\"'`*_\u201c\u201d\u2018\u2019\u00ab\u00bb"


@dataclass(frozen=True, slots=True)
class Use:
    """Answer for another organization from now on."""

    name: str
    certain: bool
    """The message begins with the bot's name, so that it is no question."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number, which may be the answer to a list."""

    number: int


Word = Literal["new", "help"]
Command = Word | Use | Number

_WORDS: dict[str, Word] = {"new": "new", "help": "help"}


def word(message: str, username: str) -> Word | None:
    """Return the command of one word that the whole message is, with or without the bot's name."""
    return _WORDS.get(_said(message, username).casefold())


def command(message: str, username: str, *, listed: bool = False) -> Command | None:
    """Return the command that a direct message is; None for a question.

    `listed`: organizations were listed just before, so that a line may be the name of one of them.
    """
    said = _said(message, username)
    if len(said) > _LONGEST:
        return None
    if number := _NUMBER.fullmatch(said):
        return Number(int(number["number"]))
    if use := _USE.fullmatch(said):
        return Use(
            use["name"].strip().strip(_QUOTES).strip(), certain=strip_mention(message, username) != message
        )
    if found := word(message, username):
        return found
    return Use(said, certain=False) if listed and said and "\n" not in said else None


def _said(message: str, username: str) -> str:
    """Return a short message without the bot's name and without its last punctuation."""
    stripped = strip_mention(message, username).strip()
    if len(stripped) > _LONGEST:
        return stripped
    found = _SPOKEN.fullmatch(stripped)
    return found["said"] if found else stripped
