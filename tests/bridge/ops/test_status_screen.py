"""The screen of `status`: everything is there, and fits."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from bridge.models.status import LastHour, ProcessStatus, Slowest, Status, Today, Waiting
from bridge.ops.status_screen import WIDTH, duration, screen

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
PROCESS = ProcessStatus("bridge-1", 214, "1.0.0", 8040, 4, "connected", 0.5, 0, 0, 3)
HOUR = LastHour(214, 2, 12, 3.1, 75, Slowest(UUID(int=1), "acme-corp", 12.3, 31))


def status(
    processes: tuple[ProcessStatus, ...] = (PROCESS,),
    backlog: tuple[Waiting, ...] = (Waiting("mention", 3, 2.1, 4, 0.5),),
    hour: LastHour = HOUR,
) -> Status:
    return Status(AT, "15.18", 20, processes, backlog, hour, 7, 2, 185, Today(12345, 2345, 1.5, 3))


def test_a_bridge_at_work() -> None:
    assert screen(status()) == [
        "2026-01-02 03:04:05 UTC · PostgreSQL 15.18, schema 20",
        "",
        "process                   websocket      heard   queue   jobs   seen        up",
        "bridge-1:214              connected      0.5 s       0      3  4.0 s       2 h",
        "",
        "backlog                        waiting      oldest     running      oldest",
        "mention                              3       2.1 s           4       0.5 s",
        "",
        "last hour          214 answered, 2 failed, 12 refused",
        "answers took       3.1 s; one in twenty over 1 min",
        "slowest            acme-corp: 12.3 s, 31 answers",
        "channels unread    7",
        "approvals pending  2, the oldest for 3 min",
        "tokens today       12,345 in, 2,345 out, cost 1.50; 3 runs unknown",
    ]


def test_nobody_is_there() -> None:
    lines = screen(status((), (), LastHour(0, 0, 0, None, None, None)))

    assert "no process is alive on this database" in lines
    assert "nothing waits" in lines
    assert not [line for line in lines if line.startswith(("slowest", "answers took"))]


def test_it_fits_whatever_there_is() -> None:
    """Long names and large numbers; no name reaches the terminal as a command."""
    process = ProcessStatus("h" * 80, 4194304, "1.0.0", 8e7, 29.9, "disconnected", 86399, 99999, 9, 6000)
    waiting = Waiting("agent_message", 10**7, 8e7, 6000, 8e7)
    slowest = Slowest(UUID(int=1), "\x1b[2J" + "o" * 80, 3599.9, 10**6)
    hour = LastHour(10**7, 10**6, 10**6, 3599, 86399, slowest)

    lines = screen(status((process,) * 2, (waiting,), hour))

    assert max(map(len, lines)) <= WIDTH
    assert "\x1b" not in "".join(lines)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "-"), (-0.1, "0.0 s"), (59.94, "59.9 s"), (60, "1 min"), (7199, "1 h"), (90000, "1 d")],
)
def test_duration(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text
