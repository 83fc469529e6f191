"""What somebody asks of the bot itself, as a whole message. Pure: no I/O is imported here."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from bridge.text.mentions import strip_mention

_LONGEST = 200
"""Characters of a command; an organization's name has fewer."""

_SPOKEN = re.compile(r"[\s/\u00a1]*(?P<said>.*?)[\s.!,\u2026\u3002\uff01]*", re.DOTALL)
_NUMBER = re.compile(r"#?(?P<number>[0-9]{1,3})[.)]?")
_USE = re.compile(r"use[ \t]+(?P<name>[^\n]+)", re.IGNORECASE)
_QUOTES = "\"'`*_\u201c\u201d\u2018\u2019\u00ab\u00bb"


def _folded(said: str) -> str:
    """Return words as they are compared: case, width and spaces do not matter."""
    return " ".join(unicodedata.normalize("NFKC", said).casefold().split())


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

_ENGLISH: Mapping[str, Word] = {"new": "new", "help": "help"}
"""After a list of organizations only these are commands: `Nova` may be the name of one."""

_NEW = (
    # English, German, Dutch, French, Spanish, Portuguese, Italian, Polish, Turkish
    *("new", "new chat", "new conversation", "start over"),
    *("neu", "neuer chat", "neues gespräch", "neue unterhaltung", "von vorne"),
    *("nieuw", "nieuw gesprek", "opnieuw beginnen"),
    *("nouveau", "nouvelle conversation", "recommencer"),
    *("nuevo", "nueva conversación", "empezar de nuevo"),
    *("novo", "nova conversa", "recomeçar"),
    *("nuovo", "nuova conversazione", "ricominciare"),
    *("nowy", "nowa rozmowa", "od nowa"),
    *("yeni", "yeni sohbet", "yeni konuşma"),
    # Russian and Ukrainian, Chinese, Japanese, Korean, Hindi, Arabic
    *("новый", "новый разговор", "новый чат", "заново", "новий", "нова розмова"),
    *("新对话", "新對話", "新的对话", "新建对话", "重新开始", "重新開始"),
    *("新規", "新しい会話", "新しいチャット"),
    *("새 대화", "새로운 대화", "새로 시작"),
    *("नया", "नई बातचीत", "नई चैट"),
    *("جديد", "محادثة جديدة"),
)
_HELP = (
    *("help", "hilfe", "hulp", "aide", "ayuda", "ajuda", "aiuto", "pomoc", "yard\u0131m", "yardim"),
    *("помощь", "помоги", "справка", "допомога", "帮助", "幫助", "ヘルプ", "助けて", "도움말", "도움"),
    *("मदद", "सहायता", "مساعدة"),
)
_WORDS: Mapping[str, Word] = {
    **{_folded(each): "new" for each in _NEW},
    **{_folded(each): "help" for each in _HELP},
}


def word(message: str, username: str) -> Word | None:
    """Return the command of one word that the whole message is, with or without the bot's name."""
    return _WORDS.get(_folded(_said(message, username)))


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
    if found := (_ENGLISH if listed else _WORDS).get(_folded(said)):
        return found
    return Use(said, certain=False) if listed and said and "\n" not in said else None


def _said(message: str, username: str) -> str:
    """Return a short message without the bot's name and without its last punctuation."""
    stripped = strip_mention(message, username).strip()
    if len(stripped) > _LONGEST:
        return stripped
    found = _SPOKEN.fullmatch(stripped)
    return found["said"] if found else stripped
