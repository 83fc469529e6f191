"""Text that PostgreSQL and Mattermost can store. Pure: no I/O is imported here."""

import re
import unicodedata

_UNSEEN = frozenset("\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\U0001d159\U00016fe4")
"""Letters and signs without a shape."""
_LINE_END = re.compile("\r\n?")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_has_control = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]").search
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def storable(text: str) -> str:
    """Drop control characters except tabs and line ends, and replace lone surrogates.

    PostgreSQL refuses NUL, and nothing can encode half a surrogate pair. Every line ends with a line feed.
    """
    if not _has_control(text):
        return text
    return _SURROGATE.sub("\ufffd", _CONTROL.sub("", _LINE_END.sub("\n", text)))


def as_it_came(text: str) -> str:
    """Replace NUL and lone surrogates, which cannot be stored, and nothing else."""
    return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def one_line(text: str) -> str:
    """Return the text on one line and trimmed, with a space for each control character."""
    return _UNPRINTABLE.sub(" ", text).strip()


def is_seen(character: str) -> bool:
    """Return whether a character has a shape of its own: no mark, format sign, tag or filler."""
    return unicodedata.category(character)[0] not in "CMZ" and character not in _UNSEEN
