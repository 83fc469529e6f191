"""What organizations have set about their agents."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from asyncpg import Pool, Record
from cachetools import TTLCache

from bridge.db.audit import Audit
from bridge.db.pool import database_errors
from bridge.errors import SettingsChanged
from bridge.models.audit import Actor, AuditEntry, Detail
from bridge.models.equa import OrganizationId
from bridge.models.organization_settings import (
    UNSET,
    Bounds,
    Budget,
    EffectiveSettings,
    OrganizationSettings,
    VersionedSettings,
    effective,
)

_SECONDS = 2.0
"""For which a process may go by settings that another one has replaced."""

_REPLACE = """
update organization_settings
set version = version + 1, approvers = $2, follow_ups = $3, budget_tokens = $4, budget_cost = $5,
    muted_notices = $6, modified = now()
where organization_id = $1 returning *
"""


@dataclass(frozen=True, slots=True)
class SettingsOfOrganizations:
    pool: Pool
    bounds: Bounds = field(default_factory=Bounds)
    _known: TTLCache[OrganizationId, EffectiveSettings] = field(
        default_factory=lambda: TTLCache(10_000, _SECONDS), repr=False, compare=False
    )

    async def effective(self, organization: OrganizationId) -> EffectiveSettings:
        """Return what holds in an organization, at most two seconds old."""
        return (await self.effective_of([organization]))[organization]

    async def current(self, organization: OrganizationId) -> EffectiveSettings:
        """Return what holds in an organization at this moment, for what cannot be undone."""
        return effective(self.bounds, (await self.stored(organization)).settings)

    async def effective_of(
        self, organizations: Collection[OrganizationId]
    ) -> Mapping[OrganizationId, EffectiveSettings]:
        """Return what holds in several organizations, at most two seconds old: one query at most."""
        known = {each: found for each in organizations if (found := self._known.get(each))}
        if missing := set(organizations) - known.keys():
            stored = await self._stored_of(missing)
            new = {each: effective(self.bounds, stored.get(each, UNSET).settings) for each in missing}
            self._known.update(new)
            known |= new
        return known

    async def stored(self, organization: OrganizationId) -> VersionedSettings:
        """Return what the organization has set, as it is now."""
        return (await self._stored_of([organization])).get(organization, UNSET)

    @database_errors
    async def _stored_of(
        self, organizations: Collection[OrganizationId]
    ) -> Mapping[OrganizationId, VersionedSettings]:
        rows = await self.pool.fetch(
            "select * from organization_settings where organization_id = any($1)", list(organizations)
        )
        return {row["organization_id"]: _from_row(row) for row in rows}

    @database_errors
    async def replace(
        self,
        organization: OrganizationId,
        wanted: OrganizationSettings,
        actor: Actor,
        *,
        is_expected: Callable[[int], bool],
    ) -> VersionedSettings:
        """Store other settings, with a row of the audit; raise `SettingsChanged` for an unexpected version.

        To store what is stored already changes nothing, whichever version is expected: so a request may be
        repeated whose response was lost.
        """
        async with self.pool.acquire() as connection, connection.transaction():
            await connection.execute(
                """insert into organization_settings (organization_id, version) values ($1, 0)
                   on conflict do nothing""",
                organization,
            )
            (row,) = await connection.fetch(
                "select * from organization_settings where organization_id = $1 for update", organization
            )
            before = _from_row(row)
            if before.settings == wanted:
                return before
            if not is_expected(before.version):
                raise SettingsChanged("Somebody else has changed these settings in the meantime.")
            (row,) = await connection.fetch(_REPLACE, organization, *_columns(wanted))
            after = _from_row(row)
            await Audit(self.pool).add(_entry(organization, before, after, actor), connection)
        self._known.pop(organization, None)
        return after


def _columns(settings: OrganizationSettings) -> tuple[object, ...]:
    return (
        settings.approvers,
        settings.follow_ups,
        settings.budget.tokens,
        settings.budget.cost,
        sorted(settings.muted_notices),
    )


def _from_row(row: Record) -> VersionedSettings:
    return VersionedSettings(
        row["version"],
        OrganizationSettings(
            approvers=row["approvers"],
            follow_ups=row["follow_ups"],
            budget=Budget(row["budget_tokens"], row["budget_cost"]),
            muted_notices=frozenset(row["muted_notices"]),
        ),
    )


def _entry(
    organization: OrganizationId, before: VersionedSettings, after: VersionedSettings, actor: Actor
) -> AuditEntry:
    return AuditEntry(
        organization,
        "settings_changed",
        "changed",
        "page",
        actor,
        f"settings:{after.version}",
        _changes(before.settings, after.settings),
    )


def _changes(before: OrganizationSettings, after: OrganizationSettings) -> dict[str, Detail]:
    """Return each setting that differs, as it was and as it is."""
    changes: dict[str, Detail] = {}
    now = _named(after)
    for name, was in _named(before).items():
        if was != now[name]:
            changes |= {f"{name}.from": was, f"{name}.to": now[name]}
    return changes


def _named(settings: OrganizationSettings) -> dict[str, Detail]:
    """Return the settings by their names in the API."""
    cost = settings.budget.cost
    return {
        "approvers": settings.approvers,
        "followUps": settings.follow_ups,
        "budget.tokens": settings.budget.tokens,
        "budget.cost": None if cost is None else format(cost.normalize(), "f"),
        "mutedNotices": sorted(settings.muted_notices),
    }
