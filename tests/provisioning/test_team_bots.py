"""The bots, and where they belong."""

import pytest

from bridge.errors import MattermostUnavailable
from bridge.models.chat import User, UserId
from provisioning.default_channels import NOTICES
from provisioning.team_bots import TeamBots


class Account:
    """Mattermost as one account sees it, as far as it is asked who it is."""

    def __init__(self, user_id: str) -> None:
        self._id = UserId(user_id)
        self.asked = 0
        self.away = False

    async def me(self) -> User:
        self.asked += 1
        if self.away:
            raise MattermostUnavailable("Mattermost does not answer.")
        return User(self._id, "bot", is_bot=True)


def team_bots(
    bot: Account | None, notices: Account | None = None, *, agent_channel: str = "agent"
) -> TeamBots:
    return TeamBots(agent_channel=agent_channel, bot=bot, notices=notices)  # type: ignore[arg-type]  # all it asks for


async def test_a_bot_alone_is_everywhere() -> None:
    """It answers, and it posts the notices."""
    assert await team_bots(Account("bot")).places() == {UserId("bot"): {*NOTICES, "agent"}}


async def test_two_accounts_share_the_channels() -> None:
    """Each is only where it has something to do."""
    places = await team_bots(Account("bot"), Account("notices")).places()

    assert places == {UserId("bot"): {"agent"}, UserId("notices"): set(NOTICES)}


async def test_two_tokens_of_one_account_are_one_bot() -> None:
    """An operator may have made one for each purpose."""
    assert await team_bots(Account("bot"), Account("bot")).places() == {UserId("bot"): {*NOTICES, "agent"}}


async def test_without_a_bot_there_may_be_notices() -> None:
    """And without both nobody is anywhere."""
    assert await team_bots(None, Account("notices")).places() == {UserId("notices"): set(NOTICES)}
    assert await team_bots(None).places() == {}


async def test_a_bot_is_asked_once_who_it_is() -> None:
    """Unless it could not be told: then the next visit asks again."""
    bot = Account("bot")
    known = team_bots(bot)
    bot.away = True
    with pytest.raises(MattermostUnavailable):
        await known.places()
    bot.away = False

    assert await known.places() == await known.places()
    assert bot.asked == 2


def test_the_agents_channel_may_be_a_default_one() -> None:
    """It is not there twice then."""
    assert team_bots(None, agent_channel="documents").channels == NOTICES
    assert team_bots(None, agent_channel="ask").channels == (*NOTICES, "ask")
