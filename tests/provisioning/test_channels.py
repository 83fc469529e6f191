"""The default channels: there, active, under their names, with the bots in them."""

from collections.abc import AsyncIterator

import pytest
import structlog.testing

from bridge.errors import MattermostFull
from bridge.mattermost.rest.client import RestMattermost
from bridge.mattermost.rest.transport import Transport, client_session
from bridge.models.chat import Channel, Team
from bridge.models.equa import Organization
from bridge.sandbox.mattermost import RestFault, User
from bridge.sandbox.mattermost.channels import archive_channel, patch_channel
from bridge.sandbox.mattermost.records import Channel as StoredChannel
from provisioning.channels import ChannelProvisioner
from provisioning.default_channels import NOTICES
from provisioning.team_bots import TeamBots
from provisioning.teams import ensure_team
from tests.support.provisioning import CHANNELS, Chat, Process


class TeamChannels:
    """Acme's team, and what is done about its channels."""

    def __init__(self, chat: Chat, process: Process, organization: Organization, team: Team) -> None:
        self.chat = chat
        self.process = process
        self.organization = organization
        self.team = team

    async def ensure(
        self, team_bots: TeamBots | None = None, *, thorough: bool = False
    ) -> dict[str, Channel]:
        provisioner = self.process.provisioner
        channels = ChannelProvisioner(
            provisioner.admin, provisioner.tables, team_bots or provisioner.team_bots
        )
        found = await channels.ensure(self.organization.id, self.team, thorough=thorough)
        return dict(found.by_name)

    def channel(self, name: str) -> StoredChannel:
        """Return the channel that has this name in Mattermost."""
        return self.chat.store.channel(self.chat.store.teams[self.team.id], name)

    def create(self, name: str, *, private: bool = False) -> StoredChannel:
        """Let a member make a channel of this name."""
        return self.chat.store.create_channel(
            self.chat.store.teams[self.team.id], name, "Made by a member", private=private
        )

    def rename(self, channel: StoredChannel, name: str) -> None:
        patch_channel(self.chat.store, channel, {"name": name})

    def members(self, channel: StoredChannel) -> set[str]:
        return {self.chat.user(user).username for user in self.chat.store.channel_members[channel.id]}

    def is_in_team(self, user: User) -> bool:
        return self.chat.is_in(self.chat.store.teams[self.team.id], user)

    async def system_posts(self) -> int:
        """Count the system posts in the default channels."""
        posts = [post for name in CHANNELS for post in self.chat.store.channel_posts[self.channel(name).id]]
        return sum(post.type.startswith("system_") and not post.delete_at for post in posts)

    async def problems(self) -> dict[str, int]:
        found = await self.process.provisioner.tables.teams.channel_problems()
        return {str(problem): count for problem, count in found.items()}


@pytest.fixture
async def acme_team(chat: Chat, process: Process, acme: Organization) -> TeamChannels:
    team = await ensure_team(process.provisioner.admin, process.provisioner.tables, acme)
    return TeamChannels(chat, process, acme, team)


@pytest.fixture
async def two_bots(chat: Chat) -> AsyncIterator[TeamBots]:
    """The bot that answers and another that posts the notices."""
    notices = chat.store.create_bot("equa-admin-bot")
    async with client_session() as session:
        transport = Transport(session, chat.server.url, chat.bot_token, lambda *_: None)
        yield TeamBots(
            agent_channel="agent",
            bot=RestMattermost(transport),
            notices=RestMattermost(transport.acting(chat.store.create_token(notices).token)),
            administrator=RestMattermost(transport.acting(chat.store.admin_token)),
        )


def default_channels(chat: Chat) -> None:
    """Let Mattermost create the channels with each team, as setup does."""
    chat.set("TeamSettings", ExperimentalDefaultChannels=["announcements", "cap-table", "documents", "agent"])


async def test_a_new_team_gets_its_channels(chat: Chat, acme_team: TeamChannels) -> None:
    """Five of them, the first shown as General, all open and with a purpose, with the bot in each."""
    found = await acme_team.ensure()

    assert set(found) == CHANNELS
    assert chat.channels(chat.team("acme-corp"), chat.bot) >= CHANNELS
    shown = {name: acme_team.channel(name).display_name for name in found}
    assert shown == {
        "town-square": "General",
        "announcements": "Announcements",
        "cap-table": "Cap Table",
        "documents": "Documents",
        "agent": "Agent",
    }
    assert all(acme_team.channel(name).purpose for name in found)


async def test_when_all_is_well_mattermost_is_asked_once(acme_team: TeamChannels) -> None:
    """For the channels of the bot, which show everything; nothing is written."""
    await acme_team.ensure()
    acme_team.process.asked.clear()

    await acme_team.ensure()

    assert acme_team.process.asked == ["/users/{id}/teams/{id}/channels"]


async def test_titles_and_purposes_that_people_choose_stay(acme_team: TeamChannels, chat: Chat) -> None:
    """The bridge's are only a first suggestion."""
    await acme_team.ensure()
    patch_channel(chat.store, acme_team.channel("town-square"), {"display_name": "Lobby", "purpose": ""})
    patch_channel(chat.store, acme_team.channel("agent"), {"display_name": "agent", "purpose": "Ask away"})

    await acme_team.ensure(thorough=True)

    lobby, agent = acme_team.channel("town-square"), acme_team.channel("agent")
    assert (lobby.display_name, lobby.purpose) == ("Lobby", "")
    assert (agent.display_name, agent.purpose) == ("agent", "Ask away")


async def test_channels_of_an_older_version_get_their_titles_once(
    chat: Chat, acme_team: TeamChannels
) -> None:
    """What an operator has written there stays."""
    await acme_team.ensure()
    patch_channel(chat.store, acme_team.channel("cap-table"), {"display_name": "Cap table", "purpose": ""})
    patch_channel(chat.store, acme_team.channel("documents"), {"display_name": "Papers", "purpose": "Mine"})
    await acme_team.process.pool.execute("update mattermost_channel_mappings set introduced = false")

    await acme_team.ensure()

    assert acme_team.channel("cap-table").display_name == "Cap Table"
    assert acme_team.channel("cap-table").purpose
    assert (acme_team.channel("documents").display_name, acme_team.channel("documents").purpose) == (
        "Papers",
        "Mine",
    )


@pytest.mark.parametrize("native", [True, False])
async def test_no_system_post_about_the_bridge_is_left(
    chat: Chat, process: Process, acme: Organization, two_bots: TeamBots, *, native: bool
) -> None:
    """Whoever creates the channels: a new team's first line is a person's."""
    if native:
        default_channels(chat)
    team = await ensure_team(process.provisioner.admin, process.provisioner.tables, acme)

    await TeamChannels(chat, process, acme, team).ensure(two_bots)

    left = [
        (channel.name, post.type)
        for channel in chat.store.channels_of_team[team.id].values()
        for post in chat.store.channel_posts[channel.id]
        if channel.name in CHANNELS and not post.delete_at
    ]
    assert left == []


async def test_system_posts_about_people_stay(chat: Chat, acme_team: TeamChannels) -> None:
    """Also if the administrator has added them."""
    ada = chat.store.create_user("ada")
    chat.store.join(chat.store.teams[acme_team.team.id], ada)

    await acme_team.ensure()

    posts = chat.store.channel_posts[acme_team.channel("town-square").id]
    assert [post.message for post in posts if not post.delete_at] == ["ada joined the team."]


async def test_an_archived_channel_is_restored(chat: Chat, acme_team: TeamChannels) -> None:
    """It keeps its id and its posts."""
    before = await acme_team.ensure()
    documents = acme_team.channel("documents")
    archive_channel(chat.store, chat.store.admin, documents)

    after = await acme_team.ensure()

    assert documents.delete_at == 0
    assert after["documents"].id == before["documents"].id
    assert not any(channel.delete_at for channel in after.values())


@pytest.mark.parametrize("name", ["agent", "cap-table"])
async def test_a_renamed_channel_gets_its_name_back(chat: Chat, acme_team: TeamChannels, name: str) -> None:
    """Links lead there; how it is shown is left to people."""
    before = await acme_team.ensure()
    channel = acme_team.channel(name)
    patch_channel(chat.store, channel, {"name": "robots", "display_name": "Robots"})

    after = await acme_team.ensure()

    assert (after[name].id, after[name].name) == (before[name].id, name)
    assert (channel.name, channel.display_name) == (name, "Robots")


@pytest.mark.parametrize("private", [True, False])
@pytest.mark.parametrize("archived", [True, False])
@pytest.mark.parametrize("name", ["agent", "cap-table"])
async def test_a_channel_that_took_the_name_is_never_used(
    chat: Chat, acme_team: TeamChannels, name: str, *, private: bool, archived: bool
) -> None:
    """The stored channel gets its name back, and no bot enters the other one."""
    before = await acme_team.ensure()
    own = acme_team.channel(name)
    acme_team.rename(own, "elsewhere")
    other = acme_team.create(name, private=private)
    if archived:
        archive_channel(chat.store, chat.store.admin, other)

    after = await acme_team.ensure()

    assert after[name].id == before[name].id == own.id
    assert own.name == name
    assert other.name == f"{name}-{other.id[:8]}"
    assert bool(other.delete_at) is archived
    assert acme_team.members(other) == set()
    assert await acme_team.problems() == {}


async def test_an_archived_channel_whose_name_is_taken_comes_back(
    chat: Chat, acme_team: TeamChannels
) -> None:
    """It was renamed before it was archived."""
    await acme_team.ensure()
    own = acme_team.channel("agent")
    acme_team.rename(own, "elsewhere")
    archive_channel(chat.store, chat.store.admin, own)
    other = acme_team.create("agent", private=True)

    await acme_team.ensure()

    assert (own.name, own.delete_at) == ("agent", 0)
    assert other.name != "agent"


async def test_two_default_channels_that_swapped_names_swap_back(acme_team: TeamChannels) -> None:
    """Each is what its id says."""
    await acme_team.ensure()
    agent, documents = acme_team.channel("agent"), acme_team.channel("documents")
    acme_team.rename(agent, "between")
    acme_team.rename(documents, "agent")
    acme_team.rename(agent, "documents")

    after = await acme_team.ensure()

    assert (agent.name, documents.name) == ("agent", "documents")
    assert (after["agent"].id, after["documents"].id) == (agent.id, documents.id)


async def test_a_private_channel_is_never_adopted(chat: Chat, acme_team: TeamChannels) -> None:
    """Not even before the bridge has a channel of that name; it loses the name."""
    private = acme_team.create("cap-table", private=True)

    found = await acme_team.ensure()

    assert found["cap-table"].id != private.id
    assert (found["cap-table"].type, found["cap-table"].name) == ("O", "cap-table")
    assert private.name == f"cap-table-{private.id[:8]}"
    assert acme_team.members(private) == set()


async def test_a_channel_that_is_gone_for_good_is_replaced(chat: Chat, acme_team: TeamChannels) -> None:
    """By one that is open, whatever private one has the name."""
    await acme_team.ensure()
    own = acme_team.channel("documents")
    chat.forget_channel(own)
    private = acme_team.create("documents", private=True)

    found = await acme_team.ensure()

    assert found["documents"].id not in {own.id, private.id}
    assert found["documents"].name == "documents"
    assert acme_team.channel("documents").purpose


async def test_a_name_that_cannot_be_taken_back_is_a_problem_until_it_can(
    chat: Chat, acme_team: TeamChannels
) -> None:
    """The stored channel is used under the name that it has, and the database says so."""
    await acme_team.ensure()
    own = acme_team.channel("cap-table")
    acme_team.rename(own, "elsewhere")
    other = acme_team.create("cap-table", private=True)
    taken = [acme_team.create(f"cap-table-{end}") for end in (other.id[:8], other.id)]

    with structlog.testing.capture_logs() as logs:
        found = await acme_team.ensure()

    assert (found["cap-table"].id, found["cap-table"].name) == (own.id, "elsewhere")
    assert await acme_team.problems() == {"renamed": 1}
    assert "channel_name_taken" in {line["event"] for line in logs}

    acme_team.rename(taken[1], "out-of-the-way")
    await acme_team.ensure()

    assert own.name == "cap-table"
    assert await acme_team.problems() == {}


@pytest.mark.parametrize("archived", [True, False])
async def test_an_archived_channel_that_cannot_be_renamed_is_archived_again(
    chat: Chat, acme_team: TeamChannels, *, archived: bool
) -> None:
    """Whoever wanted it out of sight."""
    await acme_team.ensure()
    acme_team.rename(acme_team.channel("agent"), "elsewhere")
    other = acme_team.create("agent", private=True)
    for end in (other.id[:8], other.id):
        acme_team.create(f"agent-{end}")
    if archived:
        archive_channel(chat.store, chat.store.admin, other)

    await acme_team.ensure()

    assert (other.name, bool(other.delete_at)) == ("agent", archived)


async def test_a_refused_repair_keeps_nobody_out(chat: Chat, acme_team: TeamChannels) -> None:
    """It is tried again later."""
    await acme_team.ensure()
    acme_team.rename(acme_team.channel("cap-table"), "elsewhere")
    fault = RestFault(status=403, error_id="api.context.permissions.app_error", method="PUT", path="/patch")
    chat.server.faults.rest(fault)

    found = await acme_team.ensure()

    assert found["cap-table"].name == "elsewhere"
    assert await acme_team.problems() == {"renamed": 1}
    chat.server.faults.clear()
    await acme_team.ensure()
    assert await acme_team.problems() == {}


async def test_a_refused_introduction_is_tried_again(chat: Chat, acme_team: TeamChannels) -> None:
    """The team is usable meanwhile."""
    fault = RestFault(
        status=403, error_id="api.context.permissions.app_error", method="DELETE", path="/posts"
    )
    chat.server.faults.rest(fault)
    await acme_team.ensure()
    assert await acme_team.system_posts() > 0

    chat.server.faults.clear()
    await acme_team.ensure()

    assert await acme_team.system_posts() == 0


async def test_a_default_channel_that_was_made_private_is_a_problem(
    chat: Chat, acme_team: TeamChannels
) -> None:
    """It stays what it is: what was written there since was not meant for everybody."""
    await acme_team.ensure()
    own = acme_team.channel("cap-table")
    own.type = "P"

    found = await acme_team.ensure()

    assert (found["cap-table"].id, own.type) == (own.id, "P")
    assert await acme_team.problems() == {"private": 1}


async def test_a_bot_that_was_thrown_out_is_put_back(chat: Chat, acme_team: TeamChannels) -> None:
    """Into the team and into its channels."""
    await acme_team.ensure()
    team = chat.team("acme-corp")
    chat.store.leave(team, chat.bot)

    await acme_team.ensure()

    assert chat.channels(team, chat.bot) >= CHANNELS


async def test_where_mattermost_creates_the_channels_they_are_used(
    chat: Chat, process: Process, acme: Organization
) -> None:
    """With `ExperimentalDefaultChannels` a new team has them."""
    default_channels(chat)
    team = await ensure_team(process.provisioner.admin, process.provisioner.tables, acme)

    await TeamChannels(chat, process, acme, team).ensure()

    assert {each.name for each in chat.store.channels_of_team[team.id].values()} == CHANNELS
    assert chat.channels(chat.team("acme-corp"), chat.bot) == CHANNELS


async def test_without_a_bot_the_channels_are_there_all_the_same(chat: Chat, acme_team: TeamChannels) -> None:
    """Messaging does not need one."""
    found = await acme_team.ensure(TeamBots(agent_channel="ask-us", bot=None))

    assert set(found) == {*NOTICES, "ask-us"}
    assert acme_team.channel("ask-us").display_name == "Ask Us"


async def test_an_account_for_notices_is_where_notices_are(
    chat: Chat, acme_team: TeamChannels, two_bots: TeamBots
) -> None:
    """Then the bot is in its own channel only."""
    await acme_team.ensure(two_bots)

    team, notices = chat.team("acme-corp"), chat.store.user_by_name["equa-admin-bot"]
    assert chat.channels(team, notices) >= set(NOTICES)
    assert "agent" in chat.channels(team, chat.bot)
    assert not chat.channels(team, chat.bot) & {"announcements", "cap-table", "documents"}


@pytest.mark.parametrize("native", [True, False])
async def test_the_bot_alone_is_in_the_agents_channel(
    chat: Chat, process: Process, acme: Organization, two_bots: TeamBots, *, native: bool
) -> None:
    """Of the bridge's accounts, so that `@equ` completes to it; the administrator is in no team."""
    if native:
        default_channels(chat)
    team = await ensure_team(process.provisioner.admin, process.provisioner.tables, acme)
    channels = TeamChannels(chat, process, acme, team)

    await channels.ensure(two_bots)

    assert channels.members(channels.channel("agent")) == {"equabot"}
    assert not channels.is_in_team(chat.store.admin)
    assert chat.channels(chat.team("acme-corp"), chat.store.admin) == set()


async def test_an_existing_team_is_cleaned_up_by_a_thorough_look(
    chat: Chat, acme_team: TeamChannels, two_bots: TeamBots
) -> None:
    """Administrator and notice account stand where an older version has left them."""
    await acme_team.ensure(two_bots)
    team, notices = chat.team("acme-corp"), chat.store.user_by_name["equa-admin-bot"]
    chat.store.join(team, chat.store.admin)
    for user in (chat.store.admin, notices):
        chat.store.join(acme_team.channel("agent"), user)

    await acme_team.ensure(two_bots, thorough=True)

    assert acme_team.members(acme_team.channel("agent")) == {"equabot"}
    assert chat.channels(team, notices) >= set(NOTICES)
    assert not chat.is_in(team, chat.store.admin)


async def test_an_administrator_who_posts_the_notices_stays_for_them(
    chat: Chat, acme_team: TeamChannels
) -> None:
    """One account may be both."""
    async with client_session() as session:
        transport = Transport(session, chat.server.url, chat.bot_token, lambda *_: None)
        administrator = RestMattermost(transport.acting(chat.store.admin_token))
        bots = TeamBots(
            agent_channel="agent",
            bot=RestMattermost(transport),
            notices=administrator,
            administrator=administrator,
        )
        await acme_team.ensure(bots)

    assert acme_team.members(acme_team.channel("agent")) == {"equabot"}
    assert chat.channels(chat.team("acme-corp"), chat.store.admin) >= set(NOTICES)


async def test_damage_is_seen_with_one_call_a_bot(chat: Chat, acme_team: TeamChannels) -> None:
    """The bot taken out, the name changed, the channel archived."""
    provisioner = acme_team.process.provisioner
    channels = ChannelProvisioner(provisioner.admin, provisioner.tables, provisioner.team_bots)
    agent, organization = acme_team.organization.id, acme_team.team.id

    async def intact() -> bool:
        acme_team.process.asked.clear()
        found = await channels.are_intact(agent, organization)
        assert acme_team.process.asked == ["/users/{id}/teams/{id}/channels"]
        return found

    await acme_team.ensure()
    assert await intact()
    chat.store.leave(acme_team.channel("agent"), chat.bot)
    assert not await intact()
    await acme_team.ensure()
    assert await intact()
    acme_team.rename(acme_team.channel("agent"), "elsewhere")
    assert not await intact()
    await acme_team.ensure()
    archive_channel(chat.store, chat.store.admin, acme_team.channel("agent"))
    assert not await intact()


async def test_a_full_team_says_what_the_operator_can_do(chat: Chat, acme_team: TeamChannels) -> None:
    """Archived channels do not count."""
    chat.set("TeamSettings", MaxChannelsPerTeam=3)

    with pytest.raises(MattermostFull, match="MM_TEAMSETTINGS_MAXCHANNELSPERTEAM"):
        await acme_team.ensure()
