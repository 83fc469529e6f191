"""`equabot-bridge sync ORG`: make an organization's team match its roster."""

import itertools
import sys
from argparse import Namespace
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TextIO

from bridge import config
from bridge.commands.organization import find_organization
from bridge.config import Settings
from bridge.db import locks
from bridge.db.pool import open_pool
from bridge.errors import Busy, ConfigurationError, OwnTokenRefused, StartupError, SyncRefused
from bridge.log import configure
from bridge.metrics import Metrics
from bridge.models.equa import OrganizationId
from bridge.runtime.clients import open_clients
from bridge.runtime.database import any_database
from bridge.runtime.services import make_services
from provisioning.own_tokens import VARIABLES
from provisioning.report import Progress, Report
from provisioning.roster import RosterSnapshot, listed
from provisioning.roster_reader import RosterReader
from provisioning.sync import Preview, TeamSync
from provisioning.sync_plan import Failure
from provisioning.tables import Tables

_WIDTH = 30
"""Of the progress bar, in characters."""

_MAX_WAIT = 60
"""How often another sync is waited for, half a minute each time."""

_NEEDED = (
    "MATTERMOST_URL",
    "MATTERMOST_ADMIN_BOT_TOKEN",
    "EQUA_API_URL",
    "EQUA_SERVICE_EMAIL",
    "EQUA_SERVICE_PASSWORD",
)


async def run(options: Namespace, environ: Mapping[str, str]) -> int:
    """Sync, or show what would be done; 1 if it failed for somebody."""
    settings = config.load(environ)
    configure("error", settings.log_format)
    async with _opened(settings) as (sync, roster_reader):
        organization = await find_organization(sync.provisioner.tables.teams, options.organization)
        if options.dry_run:
            snapshot = await roster_reader.read(organization)
            return _previewed(await sync.preview(organization, snapshot), snapshot)
        return _reported(await _synced(sync, roster_reader, organization, force=options.force))


async def _synced(
    sync: TeamSync, roster_reader: RosterReader, organization: OrganizationId, *, force: bool
) -> Report:
    """Sync, after another one of the same organization if there is one."""
    for number in itertools.count():
        named, snapshot = await roster_reader.named(organization)
        try:
            return await sync.run(named, snapshot, force=force, on_progress=Bar(sys.stderr).show)
        except SyncRefused as error:
            raise SyncRefused(f"{error.message} --force does it all the same.") from error
        except OwnTokenRefused as error:
            raise StartupError(
                f"Mattermost refuses a token: `equabot-bridge doctor` says which of {VARIABLES} it is."
            ) from error
        except Busy:
            if number == _MAX_WAIT:
                raise
            print("another sync of this organization goes on: waiting for it", file=sys.stderr)
    raise AssertionError("it is tried until it ends")


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[tuple[TeamSync, RosterReader]]:
    _require(settings)
    async with (
        any_database(settings) as dsn,
        await open_pool(dsn, max_size=4) as pool,
        open_clients(settings, Metrics()) as clients,
        locks.opened(dsn) as held_locks,
    ):
        services = await make_services(settings, clients, pool, Tables.of(pool), held_locks)
        assert services.team_sync
        assert services.roster_reader
        yield services.team_sync, services.roster_reader


def _require(settings: Settings) -> None:
    missing = [name for name in _NEEDED if not getattr(settings, name.lower())]
    if missing:
        raise ConfigurationError([f"{name}: missing, needed to sync" for name in missing])


def _previewed(preview: Preview, snapshot: RosterSnapshot) -> int:
    """Print what would be done, a person a line."""
    plan, facts = preview.plan, preview.facts
    names = {person: one.member.name for person, one in listed(snapshot.roster).items()}
    for newcomer in plan.open:
        print(f"+ {newcomer.person_id}  {newcomer.name}, whose account would be opened or repaired")
    for member in plan.add:
        print(f"+ {member.person_id}  {names[member.person_id]}")
    for person in plan.remove:
        user = facts.users.get(facts.accounts[person]) if person in facts.accounts else None
        print(f"- {person}  {user.username if user else 'without an account'}")
    _print_failures(plan.failed)
    added, kept = len(plan.open) + len(plan.add), len(plan.unchanged) + len(plan.adopt)
    print(f"{added} would be added, {len(plan.remove)} removed, {kept} stay as they are")
    if plan.refusal:
        print(f"{plan.refusal} --force would do it all the same.", file=sys.stderr)
    return int(bool(plan.refusal))


def _reported(report: Report) -> int:
    _print_failures(report.failed)
    counts = report.counts
    print(
        f"{counts.added} added, {counts.created} of them with a new account,"
        f" {counts.removed} removed, {report.unchanged} as they were"
    )
    return int(bool(report.failed))


def _print_failures(failures: tuple[Failure, ...]) -> None:
    for failure in failures:
        print(f"! {failure.person_id or 'the roster'}  {failure.message}", file=sys.stderr)


@dataclass(slots=True)
class Bar:
    """Progress: a bar on a terminal, elsewhere a line for each tenth."""

    out: TextIO
    tenth: int = 0

    async def show(self, progress: Progress) -> None:
        done, total = progress.done, progress.total
        if not total:
            return
        tenth = 10 * done // total
        if self.out.isatty():
            bar, end = "#" * (_WIDTH * done // total), "\n" if done >= total else "\r"
            print(f"[{bar:<{_WIDTH}}] {done} of {total}", end=end, file=self.out, flush=True)
        elif tenth > self.tenth:
            print(f"{done} of {total}", file=self.out, flush=True)
        self.tenth = tenth
