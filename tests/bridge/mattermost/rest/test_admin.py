"""What the administrator's interface asks a Mattermost for, and what it makes of the answers."""

from collections.abc import AsyncIterator

import pytest

from bridge.errors import (
    AccountConflict,
    EmailTaken,
    MattermostFull,
    MattermostUnavailable,
    NameTaken,
    TokenRefused,
)
from bridge.mattermost.rest.admin import RestAdmin
from bridge.mattermost.rest.retry_policy import RetryPolicy
from bridge.mattermost.rest.transport import Transport, client_session
from bridge.models.chat import ChannelId, NewUser, TeamId, TokenId, UserId
from bridge.sandbox.mattermost import RestFault, Server
from bridge.sandbox.mattermost.channels import archive_channel
from tests.support.mattermost import running_mattermost

NOBODY = "z" * 26


def ada(username: str = "ada", email: str = "ada@example.com", mark: str = "m4rk") -> NewUser:
    return NewUser(username, email, "Ada", "Moreno", mark)


def ben() -> NewUser:
    return NewUser("ben", "ben@example.com", "Ben", "Okafor", "another", email_notifications=False)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with running_mattermost() as running:
        yield running


@pytest.fixture
async def admin(server: Server) -> AsyncIterator[RestAdmin]:
    quick = RetryPolicy(first_delay=0.005, longest_delay=0.02)
    async with client_session() as session:
        yield RestAdmin(Transport(session, server.url, server.store.admin_token, lambda *_: None, quick))


async def test_what_is_not_there_is_none(admin: RestAdmin) -> None:
    """Of every kind."""
    assert await admin.user(UserId(NOBODY)) is None
    assert await admin.user_by_username("nobody") is None
    assert await admin.user_by_email("nobody@example.com") is None
    assert await admin.team(TeamId(NOBODY)) is None
    assert await admin.team_by_name("nowhere") is None
    assert await admin.channel(ChannelId(NOBODY)) is None
    assert await admin.tokens(UserId(NOBODY)) == []


async def test_an_account_is_found_by_id_name_and_address(admin: RestAdmin) -> None:
    """Each time with its mark."""
    user = await admin.create_user(ada())

    assert user.mark == "m4rk"
    assert await admin.user(user.id) == user
    assert await admin.user_by_username("ada") == user
    assert await admin.user_by_email("ada@example.com") == user


async def test_a_deactivated_account_is_found_and_activated(server: Server, admin: RestAdmin) -> None:
    """To activate an active one does nothing."""
    user = await admin.create_user(ada())
    server.store.users[user.id].delete_at = 1
    found = await admin.user(user.id)
    assert found
    assert found.delete_at

    await admin.activate_user(user.id)
    await admin.activate_user(user.id)

    assert await admin.user(user.id) == user


async def test_taken_names_and_addresses_are_told_apart(admin: RestAdmin) -> None:
    """By Mattermost's ids of the errors."""
    await admin.create_user(ada())

    with pytest.raises(NameTaken):
        await admin.create_user(ada(email="other@example.com"))
    with pytest.raises(EmailTaken):
        await admin.create_user(ada(username="other", mark="other"))
    with pytest.raises(NameTaken):
        await admin.create_user(ada(username="all", email="all@example.com", mark="other"))


async def test_an_account_has_no_password(server: Server, admin: RestAdmin) -> None:
    """It is another service's, which alone knows its mark; so no link to reset one is sent."""
    user = server.store.users[(await admin.create_user(ada())).id]

    assert (user.password, user.auth_service, user.auth_data) == ("", "equa", "m4rk")
    assert user.notify_props["email"] == "true"


async def test_an_account_may_be_created_quiet(server: Server, admin: RestAdmin) -> None:
    """Of all notifications only e-mail is off, and it can be switched on with an address."""
    await admin.create_user(ada())
    user = server.store.users[(await admin.create_user(ben())).id]
    as_by_default = server.store.user_by_name["ada"].notify_props
    assert user.notify_props == {**as_by_default, "email": "false"}

    for _ in range(2):
        assert await admin.set_email(UserId(user.id), "Okafor@example.com", notify=True)

    assert (user.email, user.email_verified) == ("okafor@example.com", True)
    assert user.notify_props == as_by_default


async def test_another_address_leaves_notifications_as_they_are(server: Server, admin: RestAdmin) -> None:
    """It counts as verified."""
    user = server.store.users[(await admin.create_user(ben())).id]

    assert await admin.set_email(UserId(user.id), "okafor@example.com")

    assert (user.email, user.email_verified) == ("okafor@example.com", True)
    assert user.notify_props["email"] == "false"


async def test_an_address_that_has_to_be_verified_first_is_not_there_yet(
    server: Server, admin: RestAdmin
) -> None:
    """The account stays as it is until the person has followed the link."""
    user = server.store.users[(await admin.create_user(ben())).id]
    server.store.settings.patch({"EmailSettings": {"RequireEmailVerification": True}})

    assert not await admin.set_email(UserId(user.id), "okafor@example.com", notify=True)

    assert (user.email, user.notify_props["email"]) == ("ben@example.com", "false")


async def test_an_address_may_be_refused(server: Server, admin: RestAdmin) -> None:
    """Because somebody has it, or the server wants others."""
    user = await admin.create_user(ben())
    await admin.create_user(ada())

    with pytest.raises(EmailTaken):
        await admin.set_email(user.id, "ada@example.com")
    server.store.settings.patch({"TeamSettings": {"RestrictCreationToDomains": "elsewhere.example"}})
    with pytest.raises(AccountConflict, match="does not accept"):
        await admin.set_email(user.id, "okafor@example.com")


async def test_a_team_is_created_found_and_restored(server: Server, admin: RestAdmin) -> None:
    """To restore one that is not archived does nothing."""
    team = await admin.create_team("acme", "Acme Corp", "m4rk")
    server.store.teams[team.id].delete_at = 1
    found = await admin.team_by_name("acme")
    assert found
    assert (found.id, found.mark, bool(found.delete_at)) == (team.id, "m4rk", True)

    await admin.restore_team(team.id)
    await admin.restore_team(team.id)

    assert await admin.team(team.id) == team
    with pytest.raises(NameTaken):
        await admin.create_team("acme", "Another", "m4rk")


async def test_members_come_and_go(admin: RestAdmin) -> None:
    """Every step may be repeated."""
    team = await admin.create_team("acme", "Acme Corp", "m4rk")
    user = await admin.create_user(ada())
    assert not await admin.is_in_team(team.id, user.id)
    assert await admin.channels_of(user.id, team.id) == []

    for _ in range(2):
        await admin.add_to_team(team.id, user.id)
    assert await admin.is_in_team(team.id, user.id)
    names = {channel.name for channel in await admin.channels_of(user.id, team.id)}
    assert names == {"town-square", "off-topic"}

    for _ in range(2):
        await admin.remove_from_team(team.id, user.id)
    assert not await admin.is_in_team(team.id, user.id)
    await admin.remove_from_team(TeamId(NOBODY), user.id)
    await admin.remove_from_team(team.id, UserId(NOBODY))


async def test_direct_channels_are_no_channels_of_a_team(server: Server, admin: RestAdmin) -> None:
    """Although Mattermost lists them with each."""
    team = await admin.create_team("acme", "Acme Corp", "m4rk")
    user = await admin.create_user(ada())
    server.store.direct(server.store.users[user.id], server.store.admin)

    assert await admin.channels_of(user.id, team.id) == []


async def test_channels_are_created_found_renamed_and_restored(server: Server, admin: RestAdmin) -> None:
    """Archived ones are found by name and id, but are in nobody's list."""
    team = await admin.create_team("acme", "Acme Corp", "m4rk")
    user = await admin.create_user(ada())
    await admin.add_to_team(team.id, user.id)
    channel = await admin.create_channel(team.id, "cap-table", "Cap Table", "Shares")
    await admin.add_to_channel(channel.id, user.id)
    await admin.add_to_channel(channel.id, user.id)
    stored = server.store.channels[channel.id]
    archive_channel(server.store, server.store.admin, stored)

    found = await admin.channel_by_name(team.id, "cap-table")
    assert found
    assert found.delete_at
    assert "cap-table" not in {each.name for each in await admin.channels_of(user.id, team.id)}
    with pytest.raises(NameTaken):
        await admin.create_channel(team.id, "cap-table", "Cap Table", "Shares")

    await admin.restore_channel(channel.id)
    await admin.restore_channel(channel.id)
    await admin.rename_channel(channel.id, "shares")
    await admin.describe_channel(channel.id, "Shares", "Who holds what")
    assert (stored.delete_at, stored.name) == (0, "shares")
    assert (stored.display_name, stored.purpose) == ("Shares", "Who holds what")
    with pytest.raises(NameTaken):
        await admin.rename_channel(channel.id, "off-topic")


async def test_system_posts_are_found_and_deleted(server: Server, admin: RestAdmin) -> None:
    """What people have posted is none of them; a second deletion does nothing."""
    team = await admin.create_team("acme", "Acme Corp", "m4rk")
    channel = await admin.create_channel(team.id, "cap-table", "cap-table", "")
    server.store.post_as(server.store.admin, server.store.channels[channel.id], "Welcome")
    await admin.describe_channel(channel.id, "Cap Table", "Shares")

    posts = await admin.system_posts(channel.id)
    for post in (*posts, *posts):
        await admin.delete_post(post.id)

    assert {post.type for post in posts} == {
        "system_join_channel",
        "system_displayname_change",
        "system_purpose_change",
    }
    assert await admin.system_posts(channel.id) == []
    assert [post.message for post in server.store.posts_in(server.store.channels[channel.id])] == ["Welcome"]


async def test_who_is_taken_out_of_a_channel_stays_in_the_team(server: Server, admin: RestAdmin) -> None:
    """A second time nothing happens."""
    team = await admin.create_team("acme", "Acme Corp", "m4rk")
    user = await admin.create_user(ada())
    await admin.add_to_team(team.id, user.id)
    channel = await admin.channel_by_name(team.id, "off-topic")
    assert channel

    await admin.remove_from_channel(channel.id, user.id)
    await admin.remove_from_channel(channel.id, user.id)

    assert {each.name for each in await admin.channels_of(user.id, team.id)} == {"town-square"}


async def test_tokens_are_created_listed_and_revoked(admin: RestAdmin) -> None:
    """The secret is known once; it tells the teams of its holder."""
    user = await admin.create_user(ada())
    team = await admin.create_team("acme", "Acme Corp", "m4rk")
    await admin.add_to_team(team.id, user.id)
    token = await admin.create_token(user.id, "equabot-bridge")

    assert [each.id for each in await admin.teams_of_holder(token.secret)] == [team.id]
    assert [(each.id, each.secret) for each in await admin.tokens(user.id)] == [(token.id, "")]

    await admin.revoke_token(token.id)
    await admin.revoke_token(token.id)
    await admin.revoke_token(TokenId(NOBODY))
    with pytest.raises(TokenRefused):
        await admin.teams_of_holder(token.secret)


async def test_a_full_team_is_full(server: Server, admin: RestAdmin) -> None:
    """The sentence names the setting."""
    team = await admin.create_team("acme", "Acme Corp", "m4rk")
    user = await admin.create_user(ada())
    server.store.settings.patch({"TeamSettings": {"MaxUsersPerTeam": 1}})

    with pytest.raises(MattermostFull, match="MM_TEAMSETTINGS_MAXUSERSPERTEAM"):
        await admin.add_to_team(team.id, user.id)


async def test_a_lost_answer_to_a_creation_is_asked_for_again(server: Server, admin: RestAdmin) -> None:
    """The second try is refused, which tells the caller to look who has the name."""
    server.faults.rest(RestFault(when="after", cut=True, method="POST", times=1))

    with pytest.raises((NameTaken, EmailTaken)):
        await admin.create_user(ada())

    assert await admin.user_by_username("ada")


async def test_a_lost_answer_to_a_new_token_is_not_asked_for_again(server: Server, admin: RestAdmin) -> None:
    """Each time would make another one."""
    user = await admin.create_user(ada())
    server.faults.rest(RestFault(when="after", status=502, method="POST", path="/tokens"))

    with pytest.raises(MattermostUnavailable, match="502"):
        await admin.create_token(user.id, "equabot-bridge")

    server.faults.clear()
    assert len(await admin.tokens(user.id)) == 1


async def test_a_404_of_somebody_in_between_is_no_absence(server: Server, admin: RestAdmin) -> None:
    """Only Mattermost's own answer is one."""
    server.faults.rest(RestFault(status=404, method="GET"))

    with pytest.raises(MattermostUnavailable):
        await admin.team_by_name("acme")
