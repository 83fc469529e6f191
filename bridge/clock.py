"""A clock that keeps running while the machine sleeps. Pure: no I/O is imported here."""

import sys
import time
from collections.abc import Callable

Clock = Callable[[], float]
"""Returns seconds since some moment."""

if sys.platform == "linux":

    def boot_time() -> float:
        """Return the seconds since the machine was started, those included in which it was suspended.

        The event loop's clock stands still meanwhile (clock_gettime(2): CLOCK_MONOTONIC), also in a virtual
        machine that is moved to another host; other people's deadlines do not.
        """
        return time.clock_gettime(time.CLOCK_BOOTTIME)

else:
    boot_time = time.monotonic
