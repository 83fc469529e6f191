"""What a reaction below an answer says about it. Pure: no I/O is imported here."""

import re
from typing import Literal

Rating = Literal[1, -1]
"""Helpful, or not."""

_THUMB = re.compile(
    r"(?:(?P<up>\+1|thumbsup)|-1|thumbsdown)(?:_(?:light|medium_light|medium|medium_dark|dark)_skin_tone)?"
)
"""The names of both thumbs (server/public/model/emoji_data.go); each skin tone is an emoji of its own."""


def rating(emoji: str) -> Rating | None:
    """Return how an emoji rates an answer; None if it does not."""
    thumb = _THUMB.fullmatch(emoji)
    if thumb is None:
        return None
    return 1 if thumb["up"] else -1
