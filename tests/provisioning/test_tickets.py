"""Tickets: good once, for a minute, for who is in the team."""

import asyncio
import re

import pytest

from bridge.errors import NotAMember, NotSignedIn
from bridge.models.equa import Organization, Person
from provisioning.sign_in_service import SignInResult
from tests.support.provisioning import Chat, Process, a_person, an_organization


async def visited(process: Process, person: Person, organization: Organization) -> str:
    """Let a person in and return a ticket."""
    await process.provisioner.open_session(person, organization)
    return await process.sign_in.issue_ticket(person.id, organization.id)


async def test_a_ticket_signs_its_holder_in(process: Process, ada: Person, acme: Organization) -> None:
    """With the token that the visit has made."""
    session = await process.provisioner.open_session(ada, acme)
    ticket = await process.sign_in.issue_ticket(ada.id, acme.id)

    assert re.fullmatch("[a-z0-9]{26}", ticket)
    assert (await process.sign_in.enter(ticket)).sign_in == session


async def test_a_ticket_is_good_once(process: Process, ada: Person, acme: Organization) -> None:
    """Of many that show it at once one is signed in."""
    ticket = await visited(process, ada, acme)

    shown = [process.sign_in.enter(ticket) for _ in range(8)]
    results = await asyncio.gather(*shown, return_exceptions=True)

    assert sum(isinstance(result, SignInResult) for result in results) == 1
    assert sum(isinstance(result, NotSignedIn) for result in results) == 7


async def test_tickets_do_not_void_each_other(process: Process, ada: Person, acme: Organization) -> None:
    """A person may open Messaging in two tabs."""
    one = await visited(process, ada, acme)
    other = await visited(process, ada, acme)

    assert one != other
    assert await process.sign_in.enter(one) == await process.sign_in.enter(other)


async def test_a_ticket_ends_after_a_minute(process: Process, ada: Person, acme: Organization) -> None:
    """By the database's clock."""
    ticket = await visited(process, ada, acme)
    await process.pool.execute("update tickets set expires = expires - interval '61 seconds'")

    with pytest.raises(NotSignedIn):
        await process.sign_in.enter(ticket)


async def test_a_ticket_lives_for_a_minute(process: Process, ada: Person, acme: Organization) -> None:
    """Not much less either, because pages load slowly."""
    ticket = await visited(process, ada, acme)
    await process.pool.execute("update tickets set expires = expires - interval '50 seconds'")

    assert (await process.sign_in.enter(ticket)).sign_in.token


async def test_no_ticket_is_stored(process: Process, ada: Person, acme: Organization) -> None:
    """Who reads the table cannot sign in with it."""
    ticket = await visited(process, ada, acme)

    stored = await process.pool.fetchrow("select * from tickets")
    assert stored is not None
    assert ticket not in str(stored)
    assert ticket.encode() not in stored["hash"]


async def test_who_has_left_cannot_use_a_ticket(process: Process, ada: Person, acme: Organization) -> None:
    """Not even one that was issued a moment before."""
    ticket = await visited(process, ada, acme)
    await process.provisioner.leave(ada.id, acme.id)

    with pytest.raises(NotSignedIn):
        await process.sign_in.enter(ticket)


async def test_a_ticket_that_slipped_in_beside_the_leaving_is_void(
    process: Process, ada: Person, acme: Organization
) -> None:
    """The membership is looked at again when it is used."""
    ticket = await visited(process, ada, acme)
    await process.pool.execute("update memberships set state = 'leaving'")

    with pytest.raises(NotSignedIn):
        await process.sign_in.enter(ticket)


async def test_leaving_one_organization_voids_its_tickets_only(
    process: Process, ada: Person, acme: Organization
) -> None:
    """The other's stays good."""
    borealis = an_organization("Borealis Labs")
    await visited(process, ada, acme)
    ticket = await visited(process, ada, borealis)

    await process.provisioner.leave(ada.id, acme.id)

    assert (await process.sign_in.enter(ticket)).sign_in.token


async def test_only_members_get_tickets(process: Process, ada: Person, acme: Organization) -> None:
    """Neither strangers nor people who have left."""
    await visited(process, ada, acme)

    with pytest.raises(NotAMember):
        await process.sign_in.issue_ticket(a_person("Ben").id, acme.id)
    await process.provisioner.leave(ada.id, acme.id)
    with pytest.raises(NotAMember):
        await process.sign_in.issue_ticket(ada.id, acme.id)


@pytest.mark.parametrize("text", ["", "a" * 25, "A" * 26, "a" * 26, "a" * 26 + "\n", "\x00" * 26])
async def test_what_is_no_ticket_signs_nobody_in(process: Process, text: str) -> None:
    """Whatever it looks like."""
    with pytest.raises(NotSignedIn):
        await process.sign_in.enter(text)


async def test_a_ticket_whose_token_is_lost_signs_nobody_in(
    chat: Chat, process: Process, ada: Person, acme: Organization
) -> None:
    """Opening Messaging again makes a new one."""
    ticket = await visited(process, ada, acme)
    await process.provisioner.tables.accounts.drop_token(ada.id)

    with pytest.raises(NotSignedIn, match="open Messaging"):
        await process.sign_in.enter(ticket)


async def test_expired_tickets_are_purged(process: Process, ada: Person, acme: Organization) -> None:
    """The good ones stay."""
    await visited(process, ada, acme)
    await process.pool.execute("update tickets set expires = now() - interval '1 second'")
    await visited(process, ada, acme)

    assert await process.provisioner.tables.tickets.purge() == 1
    assert await process.pool.fetchval("select count(*) from tickets") == 1
