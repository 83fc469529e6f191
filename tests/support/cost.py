"""What work costs in processor time, whatever else the machine is doing."""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import thread_time


@contextmanager
def without_collection() -> Iterator[None]:
    """Leave out what a collection costs among the objects of thousands of tests."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def seconds(work: Callable[[], object], enough: float) -> float:
    """Return the shortest of a dozen runs, or the first that is short enough."""

    def once() -> float:
        started = thread_time()
        work()
        return thread_time() - started

    return least(once, enough)


def least(measure: Callable[[], float], enough: float) -> float:
    """Return the least of a dozen figures, or the first that is small enough: one may be disturbed."""
    found = float("inf")
    for _ in range(12):
        found = min(found, measure())
        if found <= enough:
            break
    return found
