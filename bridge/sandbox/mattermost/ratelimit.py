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
    """Remembers for each key when its bucket will be empty again, in seconds."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._empty_at: dict[str, float] = {}

    def check(self, key: str) -> Verdict:
        """Count one request; while the limit is off nothing is counted and no header is sent."""
        settings = self._state.settings.sections["RateLimitSettings"]
        if not settings["Enable"]:
            return Verdict(limited=False, headers={})
        interval = 1.0 / settings["PerSec"]
        capacity = (settings["MaxBurst"] + 1) * interval
        now = self._state.now() / 1000
        filled = max(self._empty_at.get(key, now), now) + interval
        limited = filled - now > capacity
        if not limited:
            self._empty_at[key] = filled
        remaining = 0 if limited else int((capacity - filled + now) / interval)
        headers = {
            "X-RateLimit-Limit": str(settings["MaxBurst"] + 1),
            "X-RateLimit-Remaining": str(remaining),
            "X-RateLimit-Reset": str(math.ceil(self._empty_at[key] - now)),
        }
        if limited:
            headers["Retry-After"] = str(math.ceil(filled - now - capacity))
        return Verdict(limited, headers)
