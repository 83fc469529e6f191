"""Who is mentioned by a message. Pure.

Rules: server/channels/app/mention_parser_standard.go, server/channels/app/notification.go.
"""

import re

_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)
_WORD = re.compile(r"(?<![\w@])@([\w.\-]+)")
EVERYBODY = frozenset(("all", "channel"))


def mentioned_names(message: str) -> frozenset[str]:
    """Return the lower-cased names after `@` outside code, with and without their final punctuation."""
    if "@" not in message:
        return frozenset()
    found: set[str] = set()
    for word in _WORD.findall(_CODE.sub(" ", message).lower()):
        found.add(word)
        trimmed = word.rstrip(".-_:")
        if trimmed:
            found.add(trimmed)
    return frozenset(found)
