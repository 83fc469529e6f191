"""Teams: one an organization, found again, repaired, and never somebody else's."""

from uuid import UUID

import pytest
from asyncpg import Pool

from bridge.errors import MattermostUnavailable, NameTaken
from bridge.models.chat import Team
from bridge.models.equa import Organization, OrganizationId
from bridge.sandbox.mattermost import RestFault
from bridge.sandbox.mattermost.teams import archive_team
from provisioning.names import team_names
from provisioning.teams import ensure_team
from tests.support.provisioning import Chat, Process, an_organization


async def ensured(process: Process, organization: Organization) -> Team:
    return await ensure_team(process.provisioner.admin, process.provisioner.tables, organization)


async def test_a_new_organization_gets_a_team(chat: Chat, process: Process, acme: Organization) -> None:
    """Named after it, for invited people only."""
    team = await ensured(process, acme)

    created = chat.team("acme-corp")
    assert team.id == created.id
    assert (created.display_name, created.type, created.allow_open_invite) == ("Acme Corp", "I", False)


async def test_the_team_is_found_again(chat: Chat, process: Process, acme: Organization) -> None:
    """Whatever the organization is called by now."""
    first = await ensured(process, acme)

    assert (await ensured(process, Organization(acme.id, "Acme International"))).id == first.id
    assert len(chat.teams()) == 1


async def test_two_organizations_of_one_name_have_two_teams(chat: Chat, process: Process) -> None:
    """The second one's name ends in a piece of its id."""
    one, other = an_organization("Acme Corp"), an_organization("Acme Corp")

    assert (await ensured(process, one)).name == "acme-corp"
    assert (await ensured(process, other)).name == f"acme-corp-{other.id.hex[:4]}"


async def test_a_team_that_somebody_else_made_is_not_taken(
    chat: Chat, process: Process, acme: Organization
) -> None:
    """Whatever it says about itself."""
    foreign = chat.store.create_team("acme-corp", "Acme Corp")
    foreign.description = foreign.company_name = f"equabot-bridge {acme.id}"

    assert (await ensured(process, acme)).id != foreign.id


async def test_a_name_that_an_archived_team_has_is_taken(
    chat: Chat, process: Process, acme: Organization
) -> None:
    """Somebody may take it out of the archive again."""
    foreign = chat.store.create_team("acme-corp", "Acme Corp")
    archive_team(chat.store, foreign)

    assert (await ensured(process, acme)).id != foreign.id
    assert foreign.delete_at


async def test_when_every_name_is_taken_nothing_is_created(
    chat: Chat, process: Process, acme: Organization
) -> None:
    """Somebody means harm, and the operator reads of it in the log."""
    for name in team_names(acme):
        chat.store.create_team(name)

    with pytest.raises(NameTaken):
        await ensured(process, acme)


async def test_teams_of_earlier_databases_are_left_alone(
    chat: Chat, process: Process, acme: Organization, pool: Pool
) -> None:
    """Whoever begins with an empty database again and again has a new team each time."""
    teams = set()
    for _ in range(8):
        await pool.execute("truncate mattermost_org_mappings, attempts cascade")
        teams.add((await ensured(process, acme)).id)

    assert len(teams) == 8


async def test_an_archived_team_is_restored(chat: Chat, process: Process, acme: Organization) -> None:
    """It keeps its id, and with it everything in it."""
    team = await ensured(process, acme)
    archive_team(chat.store, chat.team("acme-corp"))

    assert await ensured(process, acme) == team
    assert chat.team("acme-corp").delete_at == 0


async def test_a_renamed_team_is_followed(chat: Chat, process: Process, acme: Organization) -> None:
    """Its name in addresses is what people gave it."""
    await ensured(process, acme)
    chat.rename_team(chat.team("acme-corp"), "acme")

    assert (await ensured(process, acme)).name == "acme"
    mapping = await process.provisioner.tables.teams.find(acme.id)
    assert mapping
    assert mapping.name == "acme"
    assert len(chat.teams()) == 1


async def test_a_team_deleted_for_good_is_created_anew(
    chat: Chat, process: Process, acme: Organization
) -> None:
    """The mapping then names the new one."""
    first = await ensured(process, acme)
    chat.forget_team(chat.team("acme-corp"))

    second = await ensured(process, acme)

    assert second.id != first.id
    assert [team.id for team in chat.teams()] == [second.id]


async def test_a_lost_answer_creates_no_second_team(chat: Chat, process: Process, acme: Organization) -> None:
    """The request is sent again, refused, and the team recognized by its mark."""
    chat.server.faults.rest(RestFault(when="after", cut=True, method="POST", path="/teams", times=1))

    team = await ensured(process, acme)

    assert [each.id for each in chat.teams()] == [team.id]


async def test_what_an_interrupted_visit_created_is_found_under_its_name(
    chat: Chat, process: Process, acme: Organization
) -> None:
    """Also when the organization is renamed before the next one."""
    chat.server.faults.rest(RestFault(when="after", status=502, method="POST", path="/teams"))
    with pytest.raises(MattermostUnavailable):
        await ensured(process, acme)
    chat.server.faults.clear()

    team = await ensured(process, Organization(acme.id, "Umbrella"))

    assert (team.name, len(chat.teams())) == ("acme-corp", 1)


@pytest.mark.parametrize("name", ["x", "🚀", "株式会社", "Admin", "a" * 200, "\u202e\n"])
async def test_every_organization_gets_a_team(chat: Chat, process: Process, name: str) -> None:
    """Of one sign or two hundred, in any script."""
    organization = Organization(OrganizationId(UUID("8f3c1a2b-5d4e-4f60-9a1b-2c3d4e5f6071")), name)

    assert (await ensured(process, organization)).id == chat.teams()[0].id
