"""Many accounts at once: pages of members, look-ups, batches with a verdict for each."""

from collections.abc import AsyncIterator

import pytest

from bridge.errors import MattermostFull, MattermostRefused, MattermostUnavailable, TokenRefused
from bridge.mattermost.rest.bulk import RestBulk
from bridge.mattermost.rest.retry_policy import RetryPolicy
from bridge.mattermost.rest.transport import Transport, client_session
from bridge.models.chat import ChannelId, TeamId, UserId
from bridge.sandbox.mattermost import RestFault, Server, Store, Team, User
from tests.support.mattermost import running_mattermost
from tests.support.scripted_rest import gives, scripted_rest

NOBODY = UserId("z" * 26)
QUICK = RetryPolicy(first_delay=0.005, longest_delay=0.02, resend_for=5)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with running_mattermost() as running:
        running.store.settings.patch({"TeamSettings": {"MaxUsersPerTeam": 2000}})
        yield running


@pytest.fixture
async def bulk(server: Server) -> AsyncIterator[RestBulk]:
    async with client_session() as session:
        yield RestBulk(Transport(session, server.url, server.store.admin_token, lambda *_: None, QUICK))


def people(store: Store, number: int) -> list[User]:
    return [store.create_user(f"person-{each:04d}") for each in range(number)]


def ids(users: list[User]) -> list[UserId]:
    return [UserId(user.id) for user in users]


def team_of(store: Store, *members: User) -> Team:
    return store.create_team("acme", "Acme", members=members)


async def test_members_come_page_by_page(server: Server, bulk: RestBulk) -> None:
    """Two hundred each, with what tells bots, administrators and the deactivated apart."""
    users = people(server.store, 201)
    bot = server.store.create_bot("equabot")
    users[3].delete_at = 7
    team = TeamId(team_of(server.store, *users, bot, server.store.admin).id)

    pages = [await bulk.team_page(team, page) for page in range(3)]

    assert [len(page) for page in pages] == [200, 3, 0]
    found = {user.id: user for page in pages for user in page}
    assert found.keys() == {*ids(users), bot.id, server.store.admin.id}
    assert found[UserId(bot.id)].is_bot
    assert "system_admin" in found[UserId(server.store.admin.id)].roles
    assert found[UserId(users[3].id)].delete_at == 7


async def test_who_has_left_is_no_member(server: Server, bulk: RestBulk) -> None:
    """Mattermost keeps the line of a former membership."""
    (ada,) = people(server.store, 1)
    team = team_of(server.store, ada)
    server.store.leave(team, ada)

    assert await bulk.team_page(TeamId(team.id), 0) == []


async def test_accounts_are_looked_up_by_the_thousand(server: Server, bulk: RestBulk) -> None:
    """Those that are gone are missing, deactivated ones are not."""
    users = people(server.store, 999)
    users[5].delete_at = 7

    found = await bulk.users([*ids(users), NOBODY])

    assert {user.id for user in found} == set(ids(users))


async def test_a_batch_of_256_enters_a_team(server: Server, bulk: RestBulk) -> None:
    """Whoever is in it already is not refused."""
    users = people(server.store, 256)
    team = team_of(server.store, users[0])

    refused = await bulk.add_to_team(TeamId(team.id), ids(users))

    assert not refused
    assert all(server.store.member_of_team(team.id, user.id) for user in users)


async def test_one_who_is_refused_does_not_keep_the_others_out(server: Server, bulk: RestBulk) -> None:
    """It is said who, and why."""
    ada, ben = people(server.store, 2)
    team = team_of(server.store)

    refused = await bulk.add_to_team(TeamId(team.id), [*ids([ada]), NOBODY, *ids([ben])])

    (error,) = refused.values()
    assert list(refused) == [NOBODY]
    assert isinstance(error, MattermostRefused)
    assert error.error_id == "app.user.missing_account.const"
    assert server.store.member_of_team(team.id, ben.id)


async def test_a_full_team_says_so_of_each(server: Server, bulk: RestBulk) -> None:
    """With the sentence that tells an operator what to do."""
    users = people(server.store, 4)
    team = team_of(server.store)
    server.store.settings.patch({"TeamSettings": {"MaxUsersPerTeam": 2}})

    refused = await bulk.add_to_team(TeamId(team.id), ids(users))

    assert list(refused) == ids(users[2:])
    for error in refused.values():
        assert isinstance(error, MattermostFull)
        assert "MM_TEAMSETTINGS_MAXUSERSPERTEAM" in error.message


async def test_a_thousand_enter_a_channel(server: Server, bulk: RestBulk) -> None:
    """The answer tells who is in it, those from before included."""
    users = people(server.store, 1000)
    team = team_of(server.store, *users[:999])
    channel = server.store.create_channel(team, "documents", members=users[:1])

    inside = await bulk.add_to_channel(ChannelId(channel.id), ids(users))

    assert inside == set(ids(users[:999]))


async def test_a_channel_that_takes_nobody_refuses(server: Server, bulk: RestBulk) -> None:
    """Only then is it an error."""
    (ada,) = people(server.store, 1)
    channel = server.store.create_channel(team_of(server.store), "documents")

    with pytest.raises(MattermostRefused):
        await bulk.add_to_channel(ChannelId(channel.id), ids([ada]))


@pytest.mark.parametrize("status", [500, 502, 429])
async def test_a_batch_is_sent_again(server: Server, bulk: RestBulk, status: int) -> None:
    """To add somebody twice is to add them once."""
    users = people(server.store, 3)
    team = team_of(server.store)
    server.faults.rest(RestFault("after", status=status, path="/members/batch", times=1))

    assert not await bulk.add_to_team(TeamId(team.id), ids(users))


async def test_a_refused_token_is_told(server: Server) -> None:
    """Not as something about the people."""
    async with client_session() as session:
        stranger = RestBulk(Transport(session, server.url, "x" * 26, lambda *_: None, QUICK))
        with pytest.raises(TokenRefused):
            await stranger.team_page(TeamId(team_of(server.store).id), 0)


ADA, BEN, TEAM = UserId("a" * 26), UserId("b" * 26), TeamId("t" * 26)
IN = {"user_id": ADA, "member": {"user_id": ADA}, "error": None}


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ([IN], MattermostRefused),
        ([IN, {"user_id": BEN, "error": {}}], None),
        ([IN, {"user_id": BEN, "error": {"id": "x", "status_code": 403}}], MattermostRefused),
        ([IN, {"user_id": BEN, "error": {"id": "x", "status_code": 500}}], MattermostUnavailable),
        ([IN, {"user_id": BEN, "error": {"status_code": 200}}], MattermostRefused),
        ([IN, {"user_id": BEN, "error": "no"}], MattermostRefused),
        ([IN, {"user_id": BEN, "error": {"status_code": "x"}}], MattermostRefused),
    ],
)
async def test_whatever_a_verdict_looks_like_it_is_one(answer: object, error: type[Exception] | None) -> None:
    """Who has none is not in the team."""
    async with scripted_rest() as rest, client_session() as session:
        rest.answers(gives(answer, 201))
        bulk = RestBulk(Transport(session, rest.url, "x" * 26, lambda *_: None, QUICK))

        refused = await bulk.add_to_team(TEAM, [ADA, BEN])

    assert list(refused) == ([BEN] if error else [])
    assert error is None or isinstance(refused[BEN], error)
    assert rest.asked[0].query == {"graceful": "true"}


@pytest.mark.parametrize("answer", [None, {}, [None], [{"user_id": 7}]])
async def test_what_is_no_list_of_verdicts_is_no_answer(answer: object) -> None:
    """It may come right later."""
    async with scripted_rest() as rest, client_session() as session:
        rest.answers(gives(answer, 201))
        bulk = RestBulk(Transport(session, rest.url, "x" * 26, lambda *_: None, QUICK))

        with pytest.raises(MattermostUnavailable):
            await bulk.add_to_team(TEAM, [ADA])
        with pytest.raises(MattermostUnavailable):
            await bulk.add_to_channel(ChannelId("c" * 26), [ADA])
