"""Mattermost's identifiers and its millisecond clock. Pure but for the random source.

The alphabet is that of server/public/model/utils.go (`NewId`): 26 characters of z-base-32.
"""

import random
import re
from typing import Any

ALPHABET = "ybndrfg8ejkmcpqxot1uwisza345h769"
_ID = re.compile(r"[a-z0-9]{26}")


def new_id(source: random.Random) -> str:
    """Return 26 characters of `ALPHABET`, 128 bits of it random as in the real server."""
    bits = source.getrandbits(128) << 2
    return "".join(ALPHABET[(bits >> shift) & 31] for shift in range(125, -1, -5))


def is_id(value: Any) -> bool:
    """Tell whether the value has the form of an id (`IsValidId`)."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None
