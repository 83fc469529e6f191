"""How long a request is tried."""

import pytest

from bridge.mattermost.rest.responses import NoAnswer, Overloaded, Passing, Pending, Throttled
from bridge.mattermost.rest.retry_policy import RetryPolicy

PATIENCE = RetryPolicy(tries=3, first_delay=1, longest_delay=3, longest_wait=10)


@pytest.mark.parametrize("error", [Throttled("."), Overloaded("."), NoAnswer(".")])
def test_delays_grow_up_to_the_last_try(error: Passing) -> None:
    """Each delay is drawn from a growing range; after the last try there is none."""
    first, second, last = (PATIENCE.delay(error, tried) for tried in (1, 2, 3))

    assert first is not None
    assert second is not None
    assert 1 <= first <= 2
    assert 1.5 <= second <= 3
    assert last is None


def test_post_being_created_is_waited_for_without_counting() -> None:
    """Only the deadline ends the wait for one's own first try."""
    delay = PATIENCE.delay(Pending("."), 50)

    assert delay is not None
    assert delay <= 3


def test_wait_that_the_server_asks_for_is_kept() -> None:
    """Never sooner than asked, and spread a little."""
    delay = PATIENCE.delay(Throttled(".", retry_after=5), 1)

    assert delay is not None
    assert 5 < delay <= 7


def test_long_wait_is_left_to_the_caller() -> None:
    """Nobody is kept hanging for minutes inside one call."""
    assert PATIENCE.delay(Throttled(".", retry_after=11), 1) is None


def test_deadline_of_what_must_not_be_repeated() -> None:
    """A POST of unknown outcome is sent again only for so long as its caller says."""
    assert RetryPolicy().deadline(repeatable=False) == 0
    assert RetryPolicy(resend_for=25).deadline(repeatable=False) == 25
    assert RetryPolicy(total=20).deadline(repeatable=True) == 20
