"""What growing answers may write: less when Mattermost is slow or refuses, and never before what is exact."""

from contextlib import ExitStack

import pytest

from bridge.errors import MattermostUnavailable
from handlers.jobs.write_budget import WriteBudget


class Watch:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_a_few_may_write_at_once() -> None:
    budget = WriteBudget(Watch())
    with ExitStack() as writes:
        while budget.is_open:
            writes.enter_context(budget.growing())
        assert budget._growing == 8
    assert budget.is_open


def test_what_is_exact_goes_first() -> None:
    """The more of it is under way, the less may grow; something always may."""
    budget = WriteBudget(Watch())
    with ExitStack() as writes:
        for _ in range(20):
            writes.enter_context(budget.first())
        assert budget.is_open
        with budget.growing():
            assert not budget.is_open


@pytest.mark.parametrize(("asked", "closed_for"), [(None, 5), (30, 30)])
def test_after_a_refusal_nothing_is_written_for_a_while(asked: float | None, closed_for: float) -> None:
    """As long as Mattermost asks for, or some seconds."""
    watch = Watch()
    budget = WriteBudget(watch)
    with pytest.raises(MattermostUnavailable), budget.growing():
        raise MattermostUnavailable("Mattermost asks for fewer requests.", retry_after=asked)

    watch.seconds = closed_for - 0.1
    assert not budget.is_open
    watch.seconds = closed_for
    assert budget.is_open


def test_a_slow_server_is_written_to_less_often() -> None:
    """And again as often as before, little by little, once it is quick."""
    watch = Watch()
    budget = WriteBudget(watch)

    def write(seconds: float) -> float:
        with budget.growing():
            watch.seconds += seconds
        return budget.slowdown

    assert write(0.1) == 1
    slow = write(3)
    assert slow == 6
    assert write(100) == 10
    assert [round(write(0.1), 2) for _ in range(3)] == [5.5, 3.25, 2.12]
