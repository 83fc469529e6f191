"""The default channels: there, active, under their names, with the bots in them."""

import pytest
import structlog.testing

from bridge.errors import MattermostFull
from bridge.mattermost.rest.client import RestMattermost
from bridge.mattermost.rest.transport import Transport, client_session
from bridge.models.chat import Channel, Team
from bridge.models.equa import Organization
from bridge.sandbox.mattermost.channels import archive_channel, patch_channel
from provisioning.channels import ensure_channels
from provisioning.team_bots import NOTICES, TeamBots
from provisioning.teams import ensure_team
from tests.support.visits import CHANNELS, Chat, Process


class ReplyTarget:
    """Acme's team, and what is done about its channels."""

    def __init__(self, process: Process, organization: Organization, team: Team) -> None:
        self.process = process
        self.organization = organization
        self.team = team

    async def ensured(self, team_bots: TeamBots | None = None) -> dict[str, Channel]:
        provisioner = self.process.provisioner
        found = await ensure_channels(
            provisioner.admin,
            provisioner.tables,
            team_bots or provisioner.team_bots,
            self.organization.id,
            self.team,
        )
        return dict(found)


@pytest.fixture
async def place(process: Process, acme: Organization) -> ReplyTarget:
    return ReplyTarget(
        process, acme, await ensure_team(process.provisioner.admin, process.provisioner.tables, acme)
    )


async def test_a_new_team_gets_its_channels(chat: Chat, place: ReplyTarget) -> None:
    """Five of them, the first shown as General, all open, with the bot in each."""
    found = await place.ensured()

    team = chat.team("acme-corp")
    assert set(found) == CHANNELS
    assert chat.channels(team, chat.bot) >= CHANNELS
    shown = {name: chat.store.channel(team, name).display_name for name in found}
    assert shown == {
        "town-square": "General",
        "announcements": "Announcements",
        "cap-table": "Cap table",
        "documents": "Documents",
        "agent": "Agent",
    }


async def test_when_all_is_well_mattermost_is_asked_once(chat: Chat, place: ReplyTarget) -> None:
    """For the channels of the bot, which show everything; nothing is written."""
    await place.ensured()
    place.process.asked.clear()

    await place.ensured()

    assert place.process.asked == ["/users/{id}/teams/{id}/channels"]


async def test_an_operators_title_stays(chat: Chat, place: ReplyTarget) -> None:
    """General is only a first suggestion."""
    await place.ensured()
    town_square = chat.store.channel(chat.team("acme-corp"), "town-square")
    patch_channel(chat.store, town_square, {"display_name": "Lobby"})

    await place.ensured()

    assert town_square.display_name == "Lobby"


async def test_an_archived_channel_is_restored(chat: Chat, place: ReplyTarget) -> None:
    """It keeps its id and its posts."""
    before = await place.ensured()
    documents = chat.store.channel(chat.team("acme-corp"), "documents")
    archive_channel(chat.store, chat.store.admin, documents)

    after = await place.ensured()

    assert documents.delete_at == 0
    assert after["documents"].id == before["documents"].id
    assert not any(channel.delete_at for channel in after.values())


async def test_a_renamed_channel_gets_its_name_back(chat: Chat, place: ReplyTarget) -> None:
    """Links lead there; how it is shown is left to people."""
    before = await place.ensured()
    agent = chat.store.channel(chat.team("acme-corp"), "agent")
    patch_channel(chat.store, agent, {"name": "robots", "display_name": "Robots"})

    after = await place.ensured()

    assert (after["agent"].id, after["agent"].name) == (before["agent"].id, "agent")
    assert (agent.name, agent.display_name) == ("agent", "Robots")


async def test_a_renamed_channel_whose_name_is_taken_is_left_alone(chat: Chat, place: ReplyTarget) -> None:
    """Whoever has the name now is the default channel."""
    await place.ensured()
    team = chat.team("acme-corp")
    old = chat.store.channel(team, "documents")
    patch_channel(chat.store, old, {"name": "papers"})
    new = chat.store.create_channel(team, "documents")

    found = await place.ensured()

    assert (found["documents"].id, old.name) == (new.id, "papers")
    assert "documents" in chat.channels(team, chat.bot)


async def test_a_private_channel_is_used_and_told_of(chat: Chat, place: ReplyTarget) -> None:
    """It stays private; the bots have to be in it to post there."""
    team = chat.team("acme-corp")
    private = chat.store.create_channel(team, "cap-table", private=True)

    with structlog.testing.capture_logs() as logs:
        found = await place.ensured()

    assert (found["cap-table"].id, private.type) == (private.id, "P")
    assert "cap-table" in chat.channels(team, chat.bot)
    assert [line["channel"] for line in logs if line["event"] == "channel_is_private"] == ["cap-table"]


async def test_a_bot_that_was_thrown_out_is_put_back(chat: Chat, place: ReplyTarget) -> None:
    """Into the team and into its channels."""
    await place.ensured()
    team = chat.team("acme-corp")
    chat.store.leave(team, chat.bot)

    await place.ensured()

    assert chat.channels(team, chat.bot) >= CHANNELS


async def test_where_mattermost_creates_the_channels_they_are_used(
    chat: Chat, process: Process, acme: Organization
) -> None:
    """With `ExperimentalDefaultChannels` a new team has them."""
    chat.set("TeamSettings", ExperimentalDefaultChannels=["announcements", "cap-table", "documents", "agent"])
    team = await ensure_team(process.provisioner.admin, process.provisioner.tables, acme)

    await ReplyTarget(process, acme, team).ensured()

    assert {each.name for each in chat.store.channels_of_team[team.id].values()} == CHANNELS
    assert chat.channels(chat.team("acme-corp"), chat.bot) == CHANNELS


async def test_without_a_bot_the_channels_are_there_all_the_same(chat: Chat, place: ReplyTarget) -> None:
    """Messaging does not need one."""
    found = await place.ensured(TeamBots(agent_channel="ask-us", bot=None))

    assert set(found) == {*NOTICES, "ask-us"}
    assert chat.store.channel(chat.team("acme-corp"), "ask-us").display_name == "Ask us"


async def test_an_account_for_notices_is_where_notices_are(chat: Chat, place: ReplyTarget) -> None:
    """Then the bot is in its own channel only."""
    notices = chat.store.create_bot("equa-admin-bot")
    team = chat.team("acme-corp")
    async with client_session() as session:
        transport = Transport(session, chat.server.url, chat.bot_token, lambda *_: None)
        await place.ensured(
            TeamBots(
                agent_channel="agent",
                bot=RestMattermost(transport),
                notices=RestMattermost(transport.acting(chat.store.create_token(notices).token)),
            )
        )

    assert chat.channels(team, notices) >= set(NOTICES)
    assert "agent" not in chat.channels(team, notices)
    assert "agent" in chat.channels(team, chat.bot)
    assert not chat.channels(team, chat.bot) & {"announcements", "cap-table", "documents"}


async def test_a_full_team_says_what_the_operator_can_do(chat: Chat, place: ReplyTarget) -> None:
    """Archived channels do not count."""
    chat.set("TeamSettings", MaxChannelsPerTeam=3)

    with pytest.raises(MattermostFull, match="MM_TEAMSETTINGS_MAXCHANNELSPERTEAM"):
        await place.ensured()
