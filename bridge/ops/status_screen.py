"""The screen of `equabot-bridge status`, in 80 columns. Pure: no I/O is imported here."""

from collections.abc import Sequence

from bridge.models.status import LastHour, ProcessStatus, Status, Today, Waiting

WIDTH = 80

_NAME = 25
"""Characters of a name in the first column."""


def screen(status: Status) -> list[str]:
    """Return its lines."""
    at = status.at.strftime("%Y-%m-%d %H:%M:%S")
    return [
        f"{at} UTC · PostgreSQL {status.postgresql}, schema {status.schema}",
        "",
        *_processes(status.processes),
        "",
        *_backlog(status.backlog),
        "",
        *_last_hour(status.last_hour),
        f"channels unread    {status.unread}",
        f"approvals pending  {status.approvals}{_since(status.oldest_approval)}",
        f"tokens today       {_today(status.today)}",
    ]


def _processes(processes: Sequence[ProcessStatus]) -> list[str]:
    if not processes:
        return ["no process is alive on this database"]
    head = f"{'process':<{_NAME}} {'websocket':<13}{'heard':>7}{'queue':>8}{'jobs':>7}{'seen':>7}{'up':>10}"
    return [head, *map(_process, processes)]


def _process(process: ProcessStatus) -> str:
    pid = f":{process.pid}"
    name = f"{_cut(process.host, _NAME - len(pid))}{pid}"
    socket = process.socket or "none"
    heard = "-" if process.heard is None else duration(process.heard)
    counts = f"{process.queue:>8,}{process.jobs:>7,}"
    return (
        f"{name:<{_NAME}} {socket:<13}{heard:>7}{counts}{duration(process.seen):>7}{duration(process.up):>10}"
    )


def _backlog(backlog: Sequence[Waiting]) -> list[str]:
    if not backlog:
        return ["nothing waits"]
    head = f"{'backlog':<{_NAME}} {'waiting':>12}{'oldest':>12}{'running':>12}{'oldest':>12}"
    return [head, *map(_kind, backlog)]


def _kind(waiting: Waiting) -> str:
    oldest = duration(waiting.oldest_waiting), duration(waiting.oldest_running)
    return (
        f"{waiting.kind:<{_NAME}} {waiting.waiting:>12,}{oldest[0]:>12}{waiting.running:>12,}{oldest[1]:>12}"
    )


def _last_hour(hour: LastHour) -> list[str]:
    counts = f"{hour.answered:,} answered, {hour.failed:,} failed, {hour.refused:,} refused"
    lines = [f"last hour          {counts}"]
    if hour.median is not None:
        lines.append(f"answers took       {duration(hour.median)}; one in twenty over {duration(hour.p95)}")
    if hour.slowest:
        name = _cut(hour.slowest.team or str(hour.slowest.organization_id), 30)
        times = f"{duration(hour.slowest.median)}, {hour.slowest.answers:,} answers"
        lines.append(f"slowest            {name}: {times}")
    return lines


def _today(today: Today) -> str:
    text = f"{today.prompt_tokens:,} in, {today.completion_tokens:,} out"
    if today.cost:
        text += f", cost {today.cost:,.2f}"
    return f"{text}; {today.unreported:,} runs unknown" if today.unreported else text


def _since(seconds: float | None) -> str:
    return "" if seconds is None else f", the oldest for {duration(seconds)}"


def duration(seconds: float | None) -> str:
    """Return a time in its largest unit, in seven characters at most."""
    if seconds is None:
        return "-"
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{int(seconds // length)} {unit}"
    return f"{max(seconds, 0):.1f} s"


def _cut(name: str, width: int) -> str:
    """Return the name in so many characters, without what a terminal would take for a command."""
    shown = "".join(each if each.isprintable() else "?" for each in name)
    return shown if len(shown) <= width else f"{shown[: width - 1]}…"
