"""`equabot-bridge audit ORG`: list what was decided, stopped, changed and refused in an organization."""

import json
import re
import sys
from argparse import Namespace
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta

from bridge import config
from bridge.commands.organization import find_organization
from bridge.db.audit import Audit
from bridge.db.pool import open_pool
from bridge.db.teams import Teams
from bridge.errors import UsageError
from bridge.log import configure
from bridge.models.audit import AUDIT_KINDS, COLUMNS, AuditFilter, AuditKind, AuditRow, cells, shown
from bridge.runtime.database import any_database
from bridge.text import moments
from bridge.text.spreadsheet import csv_text

_AGO = re.compile(r"([0-9]{1,5})([dh])")


async def run(options: Namespace, environ: Mapping[str, str]) -> int:
    """Print the rows, the newest first."""
    settings = config.load(environ)
    configure("error", settings.log_format)
    wanted = AuditFilter(
        _moment(options.since, "--since", moments.beginning),
        _moment(options.until, "--until", moments.end),
        _kinds(options.kind),
    )
    async with any_database(settings) as dsn, await open_pool(dsn, max_size=2) as pool:
        organization = await find_organization(Teams(pool), options.organization)
        if options.csv:
            print(csv_text([COLUMNS]), end="")
        found = False
        async for page in Audit(pool).pages(organization, wanted):
            found = found or bool(page)
            print(_text(page, options), end="")
    if not found:
        print("The audit has no such rows of this organization.", file=sys.stderr)
    return 0


def _moment(text: str | None, option: str, read: Callable[[str], datetime]) -> datetime | None:
    if text is None:
        return None
    if match := _AGO.fullmatch(text):
        unit = timedelta(days=1) if match[2] == "d" else timedelta(hours=1)
        return datetime.now(UTC) - int(match[1]) * unit
    try:
        return read(text)
    except ValueError:
        raise UsageError(
            f"{option} has to be a day (2026-11-27), a moment (2026-11-27T14:05:00Z), 30d, or 12h."
        ) from None


def _kinds(named: Iterable[str] | None) -> frozenset[AuditKind] | None:
    if named is None:
        return None
    if unknown := set(named) - set(AUDIT_KINDS):
        raise UsageError(f"There is no kind {min(unknown)}; there are {', '.join(AUDIT_KINDS)}.")
    return frozenset(kind for kind in AUDIT_KINDS if kind in set(named))


def _text(page: Iterable[AuditRow], options: Namespace) -> str:
    if options.csv:
        return csv_text(map(cells, page))
    line = _as_json if options.json else _for_people
    return "".join(f"{line(row)}\n" for row in page)


def _as_json(row: AuditRow) -> str:
    return json.dumps(shown(row))


def _for_people(row: AuditRow) -> str:
    entry, actor = row.entry, row.entry.actor
    who = f"@{row.username}" if row.username else str(actor.person_id or actor.user_id or "nobody")
    role = f" ({actor.role})" if actor.role else ""
    details = " ".join(f"{name}={json.dumps(value)}" for name, value in shown(row)["details"].items())
    moment = row.at.isoformat(sep=" ", timespec="seconds").removesuffix("+00:00")
    parts = (moment, f"{entry.kind}: {entry.outcome}", f"{who}{role}", entry.via, entry.subject, details)
    return "  ".join(part for part in parts if part)
