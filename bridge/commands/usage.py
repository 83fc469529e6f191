"""`equabot-bridge usage [ORG]`: show what agents did in which time, and what that took."""

import json
from argparse import Namespace
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

from bridge import config
from bridge.commands.organization import find_organization
from bridge.db.pool import open_pool
from bridge.db.teams import Teams
from bridge.db.usage_report import UsageReports
from bridge.errors import UsageError
from bridge.log import configure
from bridge.models.equa import OrganizationId
from bridge.models.usage_report import LONGEST, By, Days, Figures, Line, Report, days_between, read_day
from bridge.runtime.database import any_database
from handlers.http.usage import shown_as_json

_HEADS = (
    "questions",
    "answered",
    "failed",
    "stopped",
    "refused",
    "no reply",
    "tokens in",
    "tokens out",
    "cost",
    "first s",
    "last s",
    "+1",
    "-1",
)


async def run(options: Namespace, environ: Mapping[str, str]) -> int:
    """Print the figures."""
    settings = config.load(environ)
    configure("error", settings.log_format)
    days = _days(options)
    async with any_database(settings) as dsn, await open_pool(dsn, max_size=2) as pool:
        organization = None
        if options.organization is not None:
            organization = await find_organization(Teams(pool), options.organization)
        by: By = options.by or ("organization" if organization is None else "day")
        report = await UsageReports(pool).report(days, by, organization)
    print(_as_json(days, by, organization, report) if options.json else _for_people(by, report))
    return 0


def _days(options: Namespace) -> Days:
    first, last = _day(options.first, "--from"), _day(options.last, "--to")
    try:
        return days_between(first, last, datetime.now(UTC).date())
    except ValueError:
        raise UsageError(f"--from may not be after --to, and {LONGEST - 1} days at most before it.") from None


def _day(text: str | None, option: str) -> date | None:
    try:
        return None if text is None else read_day(text)
    except ValueError:
        raise UsageError(f"{option} has to be a day such as 2026-11-27.") from None


def _as_json(days: Days, by: By, organization: OrganizationId | None, report: Report) -> str:
    about = {
        "organizationId": None if organization is None else str(organization),
        "from": days.first.isoformat(),
        "to": days.last.isoformat(),
        "by": by,
    }
    return json.dumps({**about, **shown_as_json(report)})


def _for_people(by: By, report: Report) -> str:
    """Return a table: a row for each line, and the total."""
    rows = [
        (by, *_HEADS),
        *((_name(each), *_cells(each.figures)) for each in report.lines),
        ("total", *_cells(report.total)),
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(_row(row, widths) for row in rows)


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = cells
    numbers = (cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))
    return "  ".join((first.ljust(widths[0]), *numbers))


def _name(line: Line) -> str:
    username = f"@{line.username}" if line.username else None
    return " ".join(filter(None, (line.name, username))) or line.key


def _cells(figures: Figures) -> Sequence[str]:
    more = "+" if figures.unknown_tokens else ""
    return (
        str(figures.questions),
        str(figures.answered),
        str(figures.failed),
        str(figures.stopped),
        str(figures.refused),
        str(figures.no_reply),
        f"{figures.prompt_tokens}{more}",
        f"{figures.completion_tokens}{more}",
        _cost(figures.cost, figures.unknown_cost),
        _seconds(figures.first_text),
        _seconds(figures.last_text),
        str(figures.up),
        str(figures.down),
    )


def _cost(cost: Decimal | None, unknown: int) -> str:
    if cost is None:
        return "-"
    return f"{cost:.4f}{'+' if unknown else ''}"


def _seconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds:.1f}"
