"""Mattermost's rate limit: a leaky bucket for each address, off unless `RateLimitSettings.Enable`.

Rules: server/channels/app/ratelimit.go on github.com/throttled/throttled (GCRA).
"""

import math
from dataclasses import dataclass

from bridge.sandbox.mattermost.state import State


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a request may pass, and the headers of its answer."""

    limited: bool
    headers: dict[str, str]


class RateLimiter:
    """Remembers for each key when its bucket will be empty again, in microseconds."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._empty_at: dict[str, int] = {}

    def check(self, key: str) -> Verdict:
        """Count one request; while the limit is off nothing is counted and no header is sent."""
        settings = self._state.settings.sections["RateLimitSettings"]
        if not settings["Enable"]:
            return Verdict(limited=False, headers={})
        limit = settings["MaxBurst"] + 1
        interval = 1_000_000 // settings["PerSec"]
        now = self._state.now() * 1000
        filled = max(self._empty_at.get(key, now), now) + interval
        remaining = limit * interval - (filled - now)
        if remaining >= 0:
            self._empty_at[key] = filled
        headers = {
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": str(max(remaining, 0) // interval),
            "X-RateLimit-Reset": str(_seconds(self._empty_at[key] - now)),
        }
        if remaining < 0:
            headers["Retry-After"] = str(_seconds(-remaining))
        return Verdict(remaining < 0, headers)


def _seconds(microseconds: int) -> int:
    """Round up, as the real server does."""
    return math.ceil(microseconds / 1_000_000)
