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
    """Return the shortest of a dozen runs, or the first that is short enough: one may be disturbed."""
    shortest = float("inf")
    for _ in range(12):
        started = thread_time()
        work()
        shortest = min(shortest, thread_time() - started)
        if shortest <= enough:
            break
    return shortest
