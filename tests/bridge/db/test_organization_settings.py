"""Settings of organizations as several processes read them."""

from uuid import UUID

from asyncpg import Pool
from cachetools import TTLCache

from bridge.db.organization_settings import SettingsOfOrganizations
from bridge.models.audit import Actor
from bridge.models.equa import OrganizationId
from bridge.models.organization_settings import Bounds, Budget, OrganizationSettings
from tests.support.equa import Clock

ACME, BOREALIS = OrganizationId(UUID(int=0xA)), OrganizationId(UUID(int=0xB))


async def replace(settings: SettingsOfOrganizations, wanted: OrganizationSettings) -> None:
    await settings.replace(ACME, wanted, Actor(), is_expected=lambda _version: True)


async def test_every_process_goes_by_a_change_within_two_seconds(pool: Pool) -> None:
    """The one that has stored it at once; nothing of another organization changes."""
    clock = Clock()
    here = SettingsOfOrganizations(pool, Bounds("asker"))
    there = SettingsOfOrganizations(pool, Bounds("asker"), TTLCache(10, 2.0, timer=clock))
    both = (await here.effective(ACME), await there.effective(ACME))

    await replace(here, OrganizationSettings("admins"))

    assert [each.approvers for each in both] == ["asker", "asker"]
    assert (await here.effective(ACME)).approvers == "admins"
    assert (await there.effective(ACME)).approvers == "asker"
    assert (await there.current(ACME)).approvers == "admins"
    clock.now += 2
    assert (await there.effective(ACME)).approvers == "admins"
    assert (await there.effective(BOREALIS)).approvers == "asker"


async def test_each_change_is_a_version(pool: Pool) -> None:
    """To store the same again is none."""
    settings = SettingsOfOrganizations(pool)
    own = [OrganizationSettings(budget=Budget(tokens=number)) for number in (1, 2, 2, 1)]

    for each in own:
        await replace(settings, each)

    assert (await settings.stored(ACME)).version == 3
    assert (await settings.stored(BOREALIS)).version == 0
    assert await pool.fetchval("select array_agg(subject order by id) from audit") == [
        "settings:1",
        "settings:2",
        "settings:3",
    ]
