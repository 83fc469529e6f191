"""What no event has told is put right now and then, by one process for all."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from bridge.db.periodic_tasks import PeriodicTasks
from bridge.runtime.reconcile import Reconciler, Rhythm
from bridge.sandbox import demo_data
from bridge.sandbox.equa import away
from handlers.http.app_keys import SERVICES
from tests.support.front import ACME, BOREALIS
from tests.support.mattermost import eventually
from tests.support.services import built as process
from tests.support.syncing import Desk, desk


@pytest.fixture
async def built(dsn: str) -> AsyncIterator[Desk]:
    """Acme and Borealis have teams, and everybody of Acme is in it."""
    async with desk(dsn) as front, front.working():
        await front.sync()
        await front.sync(front.front.cookie(demo_data.ELIF), BOREALIS.id)
        yield front


def reconciler(built: Desk) -> Reconciler:
    found = built.reconciler
    assert found
    return found


def people(built: Desk, team: str = "acme-corp") -> set[str]:
    chat = built.chat
    return {user.first_name for user in chat.people() if chat.is_in(chat.team(team), user)}


def metric(built: Desk, name: str) -> float:
    """Return a sample of the process's metrics; 0 if there is none."""
    lines = reconciler(built).metrics.render().decode().splitlines()
    found = [line for line in lines if line.startswith(f"equabot_bridge_reconcile_{name} ")]
    return float(found[0].rpartition(" ")[2]) if found else 0


async def later(built: Desk, time: timedelta = timedelta(hours=6)) -> None:
    """Let time pass for the chores."""
    await built.pool.execute("update chores set finished = finished - $1::interval", time)


async def test_what_no_event_has_told_is_put_right(built: Desk) -> None:
    """In every organization, and it shows how much that was."""
    store = built.equa.store
    store.remove_member(ACME.id, demo_data.BEN.id)
    store.add_member(BOREALIS.id, store.users[demo_data.HANA.id])

    assert await reconciler(built).look()

    assert people(built) == {"Ada", "Chloe", "Dmitri"}
    assert people(built, "borealis-labs") == {"Elif", "Femi", "Dmitri", "Hana"}
    assert metric(built, 'people_total{change="added"}') == 1
    assert metric(built, 'people_total{change="created"}') == 1
    assert metric(built, 'people_total{change="removed"}') == 1
    assert metric(built, 'organizations_total{outcome="done"}') == 2
    assert metric(built, "success_timestamp_seconds") > 1_700_000_000


async def test_invite_ids_do_not_live_long(built: Desk) -> None:
    """Mattermost lets everybody join who knows one."""
    known = {team.name: team.invite_id for team in built.chat.teams()}

    assert await reconciler(built).look()

    assert all(known[name] != built.chat.team(name).invite_id for name in ("acme-corp", "borealis-labs"))


async def test_it_is_done_every_six_hours(built: Desk) -> None:
    """Restarts do not count, nor does which process has done it."""
    assert await reconciler(built).look()
    assert not await reconciler(built).look()
    await later(built, timedelta(hours=5, minutes=59))
    assert not await reconciler(built).look()
    await later(built, timedelta(minutes=1))
    assert await reconciler(built).look()


async def test_two_processes_do_it_once(built: Desk, dsn: str) -> None:
    """The other one finds that it is done."""
    async with process(built.settings, dsn, built.pool) as other:
        assert other.reconciler
        asked = built.equa.controls.calls["GET /organization/{organization}/member"]

        done = await asyncio.gather(reconciler(built).look(), other.reconciler.look())

    assert sorted(done) == [False, True]
    assert built.equa.controls.calls["GET /organization/{organization}/member"] == asked + 2


async def test_teams_that_are_kept_by_hand_are_left_alone(built: Desk) -> None:
    """Their `auto_sync` is off."""
    await built.pool.execute(
        "update mattermost_org_mappings set auto_sync = false where organization_id = $1", ACME.id
    )
    built.equa.store.remove_member(ACME.id, demo_data.BEN.id)

    await reconciler(built).look()

    assert "Ben" in people(built)
    assert metric(built, 'organizations_total{outcome="done"}') == 1


async def test_one_that_fails_does_not_keep_the_others_from_their_turn(built: Desk) -> None:
    """It shows in the metrics which error that was; the last success stays where it was."""
    store = built.equa.store
    extra = [demo_data._account(100 + number, f"extra{number}", "Extra", str(number)) for number in range(8)]
    for account in extra:
        store.add_member(ACME.id, store.add_account(account))
    await reconciler(built).look()
    success = metric(built, "success_timestamp_seconds")
    for account in extra:
        store.remove_member(ACME.id, account.id)
    store.add_member(BOREALIS.id, store.users[demo_data.HANA.id])
    await later(built)

    assert await reconciler(built).look()

    assert "Hana" in people(built, "borealis-labs")
    assert metric(built, 'organizations_total{outcome="sync_refused"}') == 1
    assert metric(built, "success_timestamp_seconds") < success
    assert not await reconciler(built).look()


async def test_while_equa_is_away_it_is_tried_again_soon(built: Desk) -> None:
    """Nobody is removed meanwhile."""
    built.equa.controls.fail(away())

    assert await reconciler(built).look()
    assert await PeriodicTasks(built.pool).age("reconcile") is None

    built.equa.controls.clear()
    assert people(built) == {"Ada", "Ben", "Chloe", "Dmitri"}


async def test_one_that_never_succeeds_grows_old(built: Desk) -> None:
    """Since when it is due is kept for all processes, so that neither failures nor restarts make it young."""
    built.equa.controls.fail(away())
    fresh = time.time()
    assert await reconciler(built).look()
    assert fresh - 60 < metric(built, "begun_timestamp_seconds") <= time.time()

    await later(built, timedelta(days=1))
    await reconciler(built).look()

    assert fresh - 86_460 < metric(built, "begun_timestamp_seconds") < fresh - 86_340
    assert metric(built, "success_timestamp_seconds") == 0


async def test_a_restarted_process_tells_at_once_how_old_it_is(built: Desk) -> None:
    """Long before its first look, which is minutes away."""
    await PeriodicTasks(built.pool).done("reconcile without failure")
    await later(built, timedelta(days=1))
    running = asyncio.create_task(reconciler(built).run())

    await eventually(lambda: 0 < metric(built, "success_timestamp_seconds") < time.time() - 86_000)

    assert metric(built, "begun_timestamp_seconds") > time.time() - 60
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_it_looks_again_and_again(built: Desk) -> None:
    """Through outages."""
    quick = replace(reconciler(built), rhythm=Rhythm(every=timedelta(0), look=timedelta(milliseconds=20)))
    running = asyncio.create_task(quick.run())
    built.equa.store.remove_member(ACME.id, demo_data.BEN.id)
    await eventually(lambda: "Ben" not in people(built))
    built.equa.store.remove_member(ACME.id, demo_data.CHLOE.id)
    await eventually(lambda: "Chloe" not in people(built))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_without_a_service_account_there_is_none(dsn: str) -> None:
    """Nobody could read the rosters."""
    async with desk(dsn, EQUA_SERVICE_EMAIL="", EQUA_SERVICE_PASSWORD="") as built:
        assert built.reconciler is None
        assert built.front.app[SERVICES].syncing
