"""By which number people sign in with Equa, and that their accounts have it whatever happens."""

import asyncio
from dataclasses import replace

import pytest

from bridge.models.equa import Organization, Person
from bridge.sandbox.mattermost import RestFault
from bridge.sandbox.mattermost.passwords import give_service
from bridge.sandbox.mattermost.sessions import log_in
from provisioning.provisioner import Provisioner
from provisioning.sync import TeamSync
from tests.support.crashes import WAYS, Crash, Crashes, When
from tests.support.provisioning import Chat, Process, a_person, an_organization
from tests.support.rosters import crew_of, roster, some_people


@pytest.fixture
async def provider(process: Process) -> Provisioner:
    return replace(process.provisioner, provider=True)


def known_by(chat: Chat) -> list[tuple[str, bool]]:
    """Return by which service each person's account is known, and whether the bridge has its number."""
    return [(user.auth_service, user.auth_data.isdigit()) for user in chat.people()]


async def numbers(process: Process) -> list[tuple[str, bool]]:
    rows = await process.pool.fetch("select auth_data, auth_ready from mattermost_user_mappings")
    return [(str(row["auth_data"]), row["auth_ready"]) for row in rows]


async def test_a_new_account_is_made_for_it(
    chat: Chat, process: Process, provider: Provisioner, ada: Person, acme: Organization
) -> None:
    """With no call more than without."""
    await provider.open_session(ada, acme)

    (user,) = chat.people()
    assert (user.auth_service, user.password) == ("gitlab", "")
    assert await numbers(process) == [(user.auth_data, True)]
    assert not [call for call in process.asked if "auth" in call]


async def test_an_account_of_before_is_switched_at_the_next_visit(
    chat: Chat, process: Process, provider: Provisioner, ada: Person, acme: Organization
) -> None:
    """Once; its token and its sessions stay."""
    before = await process.provisioner.open_session(ada, acme)
    assert known_by(chat) == [("equa", False)]

    after = await provider.open_session(ada, acme)
    process.asked.clear()
    again = await provider.open_session(ada, acme)

    (user,) = chat.people()
    assert before.token == after.token == again.token
    assert await numbers(process) == [(user.auth_data, True)]
    assert len(process.asked) == 1


async def test_an_adopted_account_is_switched_and_has_no_password_any_more(
    chat: Chat, provider: Provisioner, ada: Person, acme: Organization
) -> None:
    chat.store.create_user("adam", email=ada.email)

    await provider.open_session(ada, acme)

    (user,) = chat.people()
    assert (user.auth_service, user.password) == ("gitlab", "")


async def test_a_sync_switches_all_of_a_team(
    chat: Chat, process: Process, provider: Provisioner, acme: Organization
) -> None:
    """Those who never came too; one that Mattermost refuses holds nobody up, and is tried again."""
    crew, people = crew_of(process), some_people(3)
    await crew.run(acme, roster(people))
    crew = replace(crew, sync=TeamSync(provider, crew.sync.bulk))
    refused = chat.people()[0]
    chat.server.faults.rest(
        RestFault(status=400, error_id="x.app_error", method="PUT", path=f"/users/{refused.id}/auth", times=1)
    )

    for expected in (2, 3):
        await crew.run(acme, roster(people))
        assert [user.auth_service for user in chat.people()].count("gitlab") == expected


@pytest.mark.parametrize("when", WAYS)
async def test_a_switch_may_crash_anywhere(
    chat: Chat, process: Process, provider: Provisioner, ada: Person, when: When
) -> None:
    """The next visit finishes it, with the number that both have then."""
    acme = an_organization("Acme Corp")
    await process.provisioner.open_session(ada, acme)
    (user,) = chat.people()
    for at in range(1, 60):
        give_service(chat.store, user, "equa", f"made-up-{at}")
        await process.pool.execute("update mattermost_user_mappings set auth_data = null, auth_ready = false")
        crashes = Crashes(at, when)
        await asyncio.wait({asyncio.ensure_future(crashes.provisioner(provider).open_session(ada, acme))})
        await provider.open_session(ada, acme)
        assert await numbers(process) == [(user.auth_data, True)]
        if not crashes.happened:
            break
    assert at > 8


async def test_a_first_visit_may_crash_at_any_of_its_first_calls(
    chat: Chat, process: Process, provider: Provisioner, acme: Organization
) -> None:
    """While the account is made: there is one, and its number is that of both."""
    for at in range(1, 10):
        person, crashes = a_person(f"Person{at}"), Crashes(at, "after")
        work = asyncio.ensure_future(crashes.provisioner(provider).open_session(person, acme))
        await asyncio.wait({work})
        assert isinstance(work.exception(), Crash)
        await provider.open_session(person, acme)
    stored = {number for number, ready in await numbers(process) if ready}
    assert stored == {user.auth_data for user in chat.people()}
    assert len(stored) == at


@pytest.mark.parametrize("when", WAYS)
async def test_leaving_may_crash_anywhere(
    chat: Chat, process: Process, provider: Provisioner, ada: Person, when: When
) -> None:
    """Once it is done no session is left, whatever has happened before."""
    acme = an_organization("Acme Corp")
    for at in range(1, 30):
        await provider.open_session(ada, acme)
        (user,) = chat.people()
        session = log_in(chat.store, user)
        crashes = Crashes(at, when)
        work = asyncio.ensure_future(crashes.provisioner(provider).leave(ada.id, acme.id))
        await asyncio.wait({work})
        await provider.leave(ada.id, acme.id)
        assert session.id not in chat.store.sessions
        assert not chat.tokens(user)
        await process.pool.execute("update memberships set modified = modified - interval '1 hour'")
        if not crashes.happened:
            break
    assert at > 6
