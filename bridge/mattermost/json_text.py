"""Read JSON that somebody else wrote. Pure: no I/O is imported here."""

import json
import re
from typing import Any

from bridge.errors import MattermostUnavailable

_DEEPEST = 200
_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[{]|[\]}]', re.DOTALL)


class MalformedError(MattermostUnavailable):
    """Mattermost sent data of an unexpected form; the message says what is wrong."""


def load_json(text: str | bytes) -> Any:
    """Parse JSON; raises `MalformedError`.

    Values nested deeper than Python's parser goes become null: Mattermost stores props of any depth, so one
    post could otherwise make a whole page of posts unreadable.
    """
    try:
        decoded = text if isinstance(text, str) else text.decode()
        try:
            return json.loads(decoded)
        except RecursionError:
            return json.loads(_shallow(decoded))
    except ValueError as error:
        raise MalformedError(f"Mattermost sent broken JSON ({type(error).__name__}).") from None


def _shallow(text: str) -> str:
    """Replace values deeper than `_DEEPEST` by null."""
    kept: list[str] = []
    depth = kept_up_to = 0
    for token in _TOKEN.finditer(text):
        if token[0] in "[{":
            depth += 1
            if depth == _DEEPEST + 1:
                kept.append(text[kept_up_to : token.start()] + "null")
        elif token[0] in "]}":
            if depth == _DEEPEST + 1:
                kept_up_to = token.end()
            depth -= 1
    return "".join((*kept, text[kept_up_to:]))
