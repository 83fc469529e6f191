"""Decide whether and when failed work is tried again. Pure: no I/O is imported here."""

import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from types import MappingProxyType

from bridge.errors import (
    AgentUnavailable,
    AnswerInterrupted,
    BridgeError,
    ChannelNotUsable,
    ConversationUnknown,
    OwnTokenRefused,
    TeamNotMapped,
    TokenRefused,
)

_DAY = 24 * 60 * 60.0

_LONGEST_FORCED = 300.0
"""Seconds; whoever asks us to wait for longer is asked again after these."""

_SECONDS = re.compile(r"\s*([0-9]{1,12}(?:\.[0-9]+)?)\s*(?:,|$)")
_EPOCH = 1e9
"""A larger number of seconds is a moment since 1970."""

_random = random.SystemRandom()


@dataclass(frozen=True, slots=True)
class Retry:
    """Try again after `delay` seconds."""

    delay: float


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Do not try again; the reason is for an operator."""

    reason: str


@dataclass(frozen=True, slots=True)
class _RetryLimits:
    """Until when something is tried, and the bounds of the delays between; times in seconds."""

    age: float
    attempts: float = float("inf")
    first: float = 1.0
    factor: float = 2.0
    cap: float = 60.0


_OUTAGE = _RetryLimits(age=_DAY)
_UNKNOWN = _RetryLimits(age=_DAY, attempts=3)
_FINAL = _RetryLimits(age=_DAY, attempts=0)

_LIMITS: Mapping[type[BridgeError], _RetryLimits] = MappingProxyType(
    {
        # The agent may have acted on the question already.
        AnswerInterrupted: _RetryLimits(age=600, attempts=2),
        # Somebody is waiting for the answer.
        AgentUnavailable: _RetryLimits(age=600, attempts=8),
        # It was known when its message was accepted. A crash of the database may have taken the question that
        # began it, which is stored again soon.
        ConversationUnknown: _RetryLimits(age=120),
        # Somebody has to configure a good token first.
        TokenRefused: _RetryLimits(age=_DAY, first=60),
        OwnTokenRefused: _RetryLimits(age=_DAY, first=60),
        # Somebody of the organization has to open Messaging first.
        TeamNotMapped: _RetryLimits(age=7 * _DAY, first=60, cap=900),
        # That repairs channels as well; what waited a week for its team still waits for them.
        ChannelNotUsable: _RetryLimits(age=8 * _DAY, first=60, cap=900),
    }
)


def decide(
    error: BaseException, attempts: int, age_seconds: float, rng: random.Random = _random
) -> Retry | GiveUp:
    """Return what to do after the last of so many attempts has failed with the error.

    `age_seconds` is how long ago the work was first to be done. A delay is at least what the other side
    asked for with `Retry-After`, up to five minutes.
    """
    limits = _limits(error)
    delay = _delay(error, attempts, limits, rng)
    if attempts >= limits.attempts or age_seconds + delay > limits.age:
        return GiveUp(_reason(error, attempts))
    return Retry(delay)


def delays(first: float, factor: float, cap: float, rng: random.Random = _random) -> Iterator[float]:
    """Yield seconds to wait, without end: anything up to a bound that grows from `first` to `cap`.

    Full jitter, so that many who failed together do not come back together.
    """
    bound = min(first, cap)
    while True:
        yield rng.uniform(0, bound)
        bound = min(bound * factor, cap)


def as_asked(delay: float, error: BaseException, rng: random.Random = _random) -> float:
    """Return the delay, or what the other side asked for with `Retry-After` if that is longer.

    Up to five minutes, and a little more so that not all who were asked to wait come back together.
    """
    asked = getattr(error, "retry_after", None) or 0.0
    return max(delay, min(asked, _LONGEST_FORCED) * rng.uniform(1, 1.1))


def seconds_asked(text: str, now: float) -> float | None:
    """Return the seconds that a `Retry-After` or `X-RateLimit-Reset` asks to wait; None if it says nothing.

    It holds seconds, a moment in seconds since 1970 as `now` is, or a date; proxies join two with a comma.
    """
    try:
        if number := _SECONDS.match(text):
            seconds = float(number[1])
            return max(0.0, seconds - now) if seconds > _EPOCH else seconds
        date = parsedate_to_datetime(text)
        return max(0.0, (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - now)
    except (ValueError, OverflowError):
        return None


def _limits(error: BaseException) -> _RetryLimits:
    for kind, limits in _LIMITS.items():
        if isinstance(error, kind):
            return limits
    if isinstance(error, BridgeError):
        return _OUTAGE if error.retryable else _FINAL
    return _UNKNOWN


def _delay(error: BaseException, attempts: int, limits: _RetryLimits, rng: random.Random) -> float:
    doublings = min(max(attempts - 1, 0), 30)
    bound = min(limits.first * limits.factor**doublings, limits.cap)
    return as_asked(rng.uniform(bound / 2, bound), error, rng)


def _reason(error: BaseException, attempts: int) -> str:
    times = "1 attempt" if attempts == 1 else f"{attempts} attempts"
    if isinstance(error, BridgeError):
        return f"{error.code} after {times}: {error.message}"
    return f"internal_error after {times}: {type(error).__name__}"
