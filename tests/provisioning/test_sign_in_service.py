"""What a browser is handed, and what it becomes."""

import pytest

from bridge.errors import NotSignedIn
from bridge.models.equa import Organization, Person
from provisioning.sign_in_service import Entrance
from tests.support.visits import Process, an_organization


async def test_a_ticket_leads_to_its_own_team(process: Process, ada: Person, acme: Organization) -> None:
    """Whichever teams its holder is in besides."""
    entrance = Entrance(process.sessions)
    for organization in (acme, an_organization("Borealis Labs")):
        session = await entrance.open(ada, organization)
        ticket = await entrance.token(session, ada.id, organization.id)

        arrival = await entrance.enter(ticket)

        assert arrival.path == f"/{session.team_name}/channels/town-square"
        assert arrival.sign_in == session


@pytest.mark.parametrize("name", ["/evil.example", "..", "a/b", "", "A", None])
async def test_a_name_that_is_none_leads_nowhere_else(
    process: Process, ada: Person, acme: Organization, name: str | None
) -> None:
    """Whoever has put it there."""
    entrance = Entrance(process.sessions)
    session = await entrance.open(ada, acme)
    ticket = await entrance.token(session, ada.id, acme.id)
    await process.pool.execute("update mattermost_org_mappings set mattermost_team_name = $1", name)

    assert (await entrance.enter(ticket)).path == "/"


async def test_a_token_is_known_until_it_is_replaced(
    process: Process, ada: Person, acme: Organization
) -> None:
    """Then the new one is, and the old one signs nobody in."""
    entrance = Entrance(process.sessions, "pat")
    session = await entrance.open(ada, acme)
    token = await entrance.token(session, ada.id, acme.id)
    assert (await entrance.enter(token)).sign_in.token == token
    await process.pool.execute(
        "update mattermost_user_mappings set token_created = now() - interval '31 days'"
    )

    replaced = await entrance.open(ada, acme)

    assert replaced.token != token
    assert (await entrance.enter(replaced.token)).sign_in.user_id == session.user_id
    with pytest.raises(NotSignedIn):
        await entrance.enter(token)


async def test_an_organization_has_a_team_from_the_first_visit_on(
    process: Process, ada: Person, acme: Organization
) -> None:
    """Before it, its name is needed."""
    entrance = Entrance(process.sessions)
    assert not await entrance.has_team(acme.id)

    await entrance.open(ada, acme)

    assert await entrance.has_team(acme.id)
