"""Pending post ids: for 30 seconds, and as many as there is room for."""

import pytest

from bridge.sandbox.mattermost import ApiError, Store
from bridge.sandbox.mattermost.runtime import PENDING_SIZE, PendingPosts


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_an_id_is_claimed_settled_and_forgotten_after_30_seconds() -> None:
    """While it is claimed a second claim fails; settled it gives the post; later it is free."""
    clock = Clock()
    pending = PendingPosts(Store(clock=clock))
    assert pending.claim("p") == ""
    with pytest.raises(ApiError, match="pending"):
        pending.claim("p")
    pending.finish("p", "post")
    clock.now += 29.9
    assert pending.claim("p") == "post"
    clock.now += 0.2
    assert pending.claim("p") == ""


def test_a_freed_id_can_be_claimed_again() -> None:
    """As after a failure."""
    pending = PendingPosts(Store())
    pending.claim("p")
    pending.free("p")
    assert pending.claim("p") == ""


def test_an_empty_id_is_never_remembered() -> None:
    """It is always free."""
    pending = PendingPosts(Store())
    pending.finish("", "post")
    assert [pending.claim("") for _ in range(2)] == ["", ""]


def test_the_oldest_is_forgotten_when_there_is_no_room() -> None:
    """The cache has a size."""
    pending = PendingPosts(Store())
    pending.finish("first", "post")
    for number in range(PENDING_SIZE):
        pending.finish(str(number), "post")
    assert pending.claim("first") == ""
