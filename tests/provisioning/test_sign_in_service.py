"""What a browser is handed, and what it becomes."""

import pytest

from bridge.errors import NotSignedIn
from bridge.models.equa import Organization, Person
from provisioning.sign_in_service import SignInService
from tests.support.provisioning import Process, an_organization


async def test_a_ticket_leads_to_its_own_team(process: Process, ada: Person, acme: Organization) -> None:
    """Whichever teams its holder is in besides."""
    sign_in_service = SignInService(process.provisioner)
    for organization in (acme, an_organization("Borealis Labs")):
        session = await sign_in_service.open(ada, organization)
        ticket = await sign_in_service.issue_ticket(ada.id, organization.id)

        result = await sign_in_service.enter(ticket)

        assert result.path == f"/{session.team_name}/channels/town-square"
        assert result.sign_in == session


@pytest.mark.parametrize("name", ["/evil.example", "..", "a/b", "", "A", None])
async def test_a_name_that_is_none_leads_nowhere_else(
    process: Process, ada: Person, acme: Organization, name: str | None
) -> None:
    """Whoever has put it there."""
    sign_in_service = SignInService(process.provisioner)
    await sign_in_service.open(ada, acme)
    ticket = await sign_in_service.issue_ticket(ada.id, acme.id)
    await process.pool.execute("update mattermost_org_mappings set mattermost_team_name = $1", name)

    assert (await sign_in_service.enter(ticket)).path == "/"


async def test_a_token_is_known_until_it_is_replaced(
    process: Process, ada: Person, acme: Organization
) -> None:
    """Then the new one is, and the old one signs nobody in."""
    sign_in_service = SignInService(process.provisioner, "pat")
    session = await sign_in_service.open(ada, acme)
    token = sign_in_service.ready_token(session, "")
    assert token is not None
    assert (await sign_in_service.enter(token)).sign_in.token == token
    await process.pool.execute(
        "update mattermost_user_mappings set token_created = now() - interval '31 days'"
    )

    replaced = await sign_in_service.open(ada, acme)

    assert replaced.token != token
    assert (await sign_in_service.enter(replaced.token)).sign_in.user_id == session.user_id
    with pytest.raises(NotSignedIn):
        await sign_in_service.enter(token)


async def test_an_organization_has_a_team_from_the_first_visit_on(
    process: Process, ada: Person, acme: Organization
) -> None:
    """Before it, its name is needed."""
    sign_in_service = SignInService(process.provisioner)
    assert not await sign_in_service.has_team(acme.id)

    await sign_in_service.open(ada, acme)

    assert await sign_in_service.has_team(acme.id)
