"""What a process holds while time passes."""

import asyncio
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NoReturn

import psutil

_MIB = 2**20
_WARM = 0.25
"""The part of all samples in which a process still fills its caches."""


@dataclass(frozen=True, slots=True)
class Sample:
    at: float
    """Seconds."""
    memory: float
    """Resident, in MiB."""
    files: int
    """Open file descriptors."""
    connections: int
    """Those of them that are connections to the hosts, which are kept for half a minute."""


@dataclass(slots=True)
class Samples:
    """Of one process, taken again and again."""

    taken: list[Sample] = field(default_factory=list)
    idle: tuple[int, int] = (0, 0)
    """File descriptors before the load and some time after it."""

    async def take(self, pid: int, every: float, took: Callable[[Sample], None]) -> NoReturn:
        """Take samples until cancelled; `took` gets each."""
        process = psutil.Process(pid)
        while True:
            connections = len(process.net_connections("tcp"))
            memory = process.memory_info().rss / _MIB
            sample = Sample(time.monotonic(), memory, process.num_fds(), connections)
            self.taken.append(sample)
            took(sample)
            await asyncio.sleep(every)

    @property
    def warm(self) -> list[Sample]:
        """Those after the caches were filled."""
        return self.taken[int(len(self.taken) * _WARM) :]

    @property
    def slope(self) -> float:
        """How fast memory grows, in MiB an hour, by the line of least squares."""
        hours = [sample.at / 3600 for sample in self.warm]
        return statistics.linear_regression(hours, [sample.memory for sample in self.warm]).slope

    @property
    def memory(self) -> tuple[float, float]:
        """The middle of the first and of the last fifth."""
        return _ends([sample.memory for sample in self.warm])

    @property
    def connections(self) -> tuple[float, float]:
        return _ends([sample.connections for sample in self.warm])

    @property
    def files(self) -> tuple[float, float]:
        """File descriptors that are no connections to the hosts: those of the database, and files."""
        return _ends([sample.files - sample.connections for sample in self.warm])


def _ends(values: list[float] | list[int]) -> tuple[float, float]:
    part = max(len(values) // 5, 1)
    return statistics.median(values[:part]), statistics.median(values[-part:])
