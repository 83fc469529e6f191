"""The meaning of a finish reason, in the words of all servers. Pure: no I/O is imported here.

Servers spell them `max_tokens`, `MAX_TOKENS`, `maxTokens` or `model_length`; an unknown one is an end.
"""

import re
from typing import Literal

Ending = Literal["whole", "limit", "filtered", "failed"]
"""`limit`: cut at a number of tokens; `filtered`: withheld by a content filter."""

_FAILED = re.compile(
    r"error|fail|abort|cancel|time_?(d_)?out|interrupt|malformed|insufficient|unavailable|overload|network"
    r"|exception|tool|function"
)
_FILTERED = re.compile(
    r"filter|safety|sensitive|blocklist|prohibited|recitation|spii|refus|policy|moderat|guardrail|toxic"
)
_LIMIT = re.compile(r"length|max_(\w+_)?tokens?|limit|context_window|truncat|incomplete")


def ending(reason: str) -> Ending:
    """Return the kind of end that a finish reason names."""
    word = snake(reason)
    if _FAILED.search(word):
        return "failed"
    if _FILTERED.search(word):
        return "filtered"
    return "limit" if _LIMIT.search(word) else "whole"


def snake(word: str) -> str:
    """Return a word as `snake_case`: servers write `RateLimitError`, `rate-limit-error` and `RATE_LIMIT`."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", word)
    return re.sub(r"[^a-z0-9]+", "_", apart.lower()).strip("_")
