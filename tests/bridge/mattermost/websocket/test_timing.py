"""The websocket's numbers."""

from itertools import islice

from bridge.mattermost.websocket.timing import Timing


def test_delays_grow_from_short_to_the_longest() -> None:
    """Full jitter: anything from nothing to a bound that doubles."""
    timing = Timing(first_delay=1, longest_delay=30)
    drawn = [list(islice(timing.delays(), 12)) for _ in range(5_000)]

    assert [round(max(delays)) for delays in zip(*drawn, strict=True)] == [1, 2, 4, 8, 16, *[30] * 7]
    assert min(min(delays) for delays in drawn) >= 0


def test_refused_token_is_tried_every_ten_to_twenty_seconds() -> None:
    """Neither often nor all at the same moment."""
    delays = [Timing().unauthorised_delay() for _ in range(500)]

    assert 10 <= min(delays) < 12
    assert 18 < max(delays) <= 20


def test_deaf_connection_is_noticed_well_within_a_minute() -> None:
    """Which is what is promised."""
    timing = Timing()

    assert timing.ping_every + timing.ping_answer <= 30
    assert timing.close < 1
