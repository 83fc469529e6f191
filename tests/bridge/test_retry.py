"""What failed is tried again as long as that can help and somebody still wants it."""

import random
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.errors import (
    AccountConflict,
    AgentFailed,
    AgentUnavailable,
    AnswerInterrupted,
    BridgeError,
    ChannelNotUsable,
    ConversationUnknown,
    DatabaseUnavailable,
    EquaUnavailable,
    MattermostRefused,
    MattermostUnavailable,
    OwnTokenRefused,
    TeamNotMapped,
    TokenRefused,
)
from bridge.retry import GiveUp, Retry, as_asked, decide, delays, seconds_asked

NOW = 1772366400.0
"""Sunday, 1 March 2026, 12:00 UTC."""

HOUR = 3600.0

_errors = st.sampled_from([AgentUnavailable, MattermostUnavailable, DatabaseUnavailable, EquaUnavailable])


def _refused(kind: type[MattermostRefused] = MattermostRefused) -> MattermostRefused:
    return kind("No.", http_status=403)


def _delay(error: BaseException, attempts: int = 1, age: float = 0, seed: int = 1) -> float:
    decision = decide(error, attempts, age, random.Random(seed))
    assert isinstance(decision, Retry)
    return decision.delay


@pytest.mark.parametrize(
    ("error", "attempts", "age", "again"),
    [
        (AgentUnavailable("Away."), 7, 300, True),
        (AgentUnavailable("Away."), 8, 300, False),
        (AgentUnavailable("Away."), 2, 599.9, False),
        (AnswerInterrupted("Half."), 1, 300, True),
        (AnswerInterrupted("Half."), 2, 0, False),
        (AgentFailed("Nonsense."), 1, 0, False),
        (MattermostUnavailable("Away."), 1000, 23 * HOUR, True),
        (MattermostUnavailable("Away."), 1000, 24 * HOUR, False),
        (DatabaseUnavailable("Away."), 1000, 23 * HOUR, True),
        (EquaUnavailable("Away."), 1000, 23 * HOUR, True),
        (_refused(), 1, 0, False),
        (_refused(TokenRefused), 1000, 23 * HOUR, True),
        (_refused(TokenRefused), 1000, 24 * HOUR, False),
        (OwnTokenRefused(), 1000, 23 * HOUR, True),
        (OwnTokenRefused(), 1000, 24 * HOUR, False),
        (AccountConflict("Taken."), 1, 0, False),
        (TeamNotMapped("No team."), 1000, 166 * HOUR, True),
        (TeamNotMapped("No team."), 1000, 168 * HOUR, False),
        (ChannelNotUsable("Archived."), 1000, 168 * HOUR, True),
        (ChannelNotUsable("Archived."), 1000, 192 * HOUR, False),
        (ConversationUnknown("Unknown."), 1, 0, True),
        (ConversationUnknown("Unknown."), 1, 120, False),
        (ValueError("x"), 2, HOUR, True),
        (ValueError("x"), 3, 0, False),
        (TimeoutError(), 2, 0, True),
    ],
)
def test_patience_depends_on_the_error(
    error: BaseException, attempts: int, age: float, *, again: bool
) -> None:
    """People wait ten minutes, outages pass within a day, a team may come in a week, a refusal stays one."""
    assert isinstance(decide(error, attempts, age), Retry) is again


def test_delays_grow_to_a_minute() -> None:
    """Each is between half of its bound and its bound."""
    seconds = [_delay(MattermostUnavailable("Away."), attempts) for attempts in (1, 2, 3, 7, 8, 100_000)]

    bounds = [1, 2, 4, 60, 60, 60]
    assert all(bound / 2 <= s <= bound for s, bound in zip(seconds, bounds, strict=True))


@pytest.mark.parametrize("kind", [TeamNotMapped, ChannelNotUsable])
def test_what_waits_for_people_is_tried_rarely(kind: type[BridgeError]) -> None:
    """From a minute to a quarter of an hour."""
    seconds = [_delay(kind("Not yet."), attempts) for attempts in (1, 2, 3, 4, 5, 100_000)]

    bounds = [60, 120, 240, 480, 900, 900]
    assert all(bound / 2 <= s <= bound for s, bound in zip(seconds, bounds, strict=True))


def test_a_refused_token_is_tried_slowly_from_the_first() -> None:
    """Somebody has to configure another one."""
    assert _delay(_refused(TokenRefused)) >= 30


def test_retry_after_is_honoured() -> None:
    """The other side knows best when it is back."""
    assert 20 <= _delay(MattermostUnavailable("Full.", retry_after=20)) <= 22


def test_retry_after_does_not_hold_us_for_hours() -> None:
    """Five minutes at most, with a little jitter."""
    assert 300 <= _delay(MattermostUnavailable("Full.", retry_after=86_400)) <= 330


def test_a_person_is_not_kept_waiting_past_their_patience() -> None:
    """If the agent is back too late, they hear of it now."""
    assert isinstance(decide(AgentUnavailable("Full.", retry_after=300), 2, 400), GiveUp)


@pytest.mark.parametrize("asked", [0, -5])
def test_retry_after_nothing_is_no_reason_to_hurry(asked: float) -> None:
    """A server that always says 0 is not hammered."""
    assert _delay(DatabaseUnavailable("Busy.", retry_after=asked), attempts=7) >= 30


@pytest.mark.parametrize(
    ("error", "attempts", "reason"),
    [
        (AgentUnavailable("Away."), 8, "agent_unavailable after 8 attempts: Away."),
        (AgentFailed("Nonsense."), 1, "agent_failed after 1 attempt: Nonsense."),
        (ValueError("secret"), 3, "internal_error after 3 attempts: ValueError"),
    ],
)
def test_giving_up_has_a_reason(error: BaseException, attempts: int, reason: str) -> None:
    """An unknown error is only named: its text may say anything."""
    assert decide(error, attempts, 0) == GiveUp(reason)


@settings(deadline=None)
@given(_errors, st.integers(0, 10**9), st.floats(0, 1e9), st.none() | st.floats(-10, 1e9), st.integers())
def test_every_delay_is_bounded(
    kind: type[AgentUnavailable], attempts: int, age: float, retry_after: float | None, seed: int
) -> None:
    """Neither at once nor never, whatever comes."""
    decision = decide(kind("Away.", retry_after=retry_after), attempts, age, random.Random(seed))

    assert isinstance(decision, GiveUp) or 0.5 <= decision.delay <= 330


@settings(deadline=None)
@given(st.integers())
def test_delays_are_jittered_up_to_a_growing_bound(seed: int) -> None:
    """From the first bound to the cap, without end."""
    seconds = list(islice(delays(0.5, 2, 3, random.Random(seed)), 50))

    assert all(0 <= s <= bound for s, bound in zip(seconds, [0.5, 1, 2, *[3] * 47], strict=True))
    assert len(set(seconds)) > 40


@pytest.mark.parametrize(
    ("asked", "least", "most"), [(None, 2, 2), (1, 2, 2), (60, 60, 66), (86_400, 300, 330)]
)
def test_who_is_asked_to_wait_waits(asked: float | None, least: float, most: float) -> None:
    """At least for its own delay, and never for longer than some minutes."""
    error = MattermostUnavailable("Fewer requests, please.", retry_after=asked)

    assert all(least <= as_asked(2, error, random.Random(seed)) <= most for seed in range(20))


def test_the_first_delay_respects_the_cap() -> None:
    """A first bound above the cap is the cap."""
    assert next(delays(100, 2, 1)) <= 1


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("", None),
        ("1", 1.0),
        ("120", 120.0),
        (" 1.5 ", 1.5),
        ("30, 30", 30.0),
        ("soon", None),
        ("-1", None),
        ("1772366420", 20.0),
        ("1772366300", 0.0),
        ("Sun, 01 Mar 2026 12:00:20 GMT", 20.0),
        ("Sun, 01 Mar 2026 12:00:20 -0000", 20.0),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0.0),
        ("Sun, 01 Mar 99999999999999999999 11:00:00 GMT", None),
    ],
)
def test_what_is_asked_is_seconds_or_a_moment(text: str, seconds: float | None) -> None:
    """A moment that has passed asks for no wait; what cannot be read asks for nothing."""
    assert seconds_asked(text, NOW) == seconds


@given(st.text(max_size=40) | st.from_regex(r"[0-9]{1,20}[ ,.]?.*"))
def test_whatever_is_asked_can_be_read(text: str) -> None:
    """A header that a server made up does no harm."""
    seconds = seconds_asked(text, NOW)

    assert seconds is None or seconds >= 0
