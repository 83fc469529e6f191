"""Bot accounts and their tokens, made once."""

from dataclasses import replace
from typing import Any

import pytest

from bridge.errors import MattermostNotConfigured
from bridge.mattermost.rest.server_admin import DESCRIPTION, RestOperator
from bridge.ops.findings import Finding, Mark
from bridge.ops.setup.bots import Bot, BotMaker
from bridge.ops.setup.tokens import Tokens
from bridge.sandbox.mattermost import Store, User
from bridge.sandbox.mattermost.bots import set_bot_active

VARIABLE = "MATTERMOST_NOTICE_TOKEN"

BOT = Bot(
    subject="notice account",
    variable=VARIABLE,
    username="equa-admin-bot",
    display_name="Equa Platform",
    description="Posts notices.",
    option="--notice-name",
    roles=frozenset({"system_post_all"}),
)


class Command:
    """Runs of setup against one server, and the tokens that they made."""

    def __init__(self, operator: RestOperator) -> None:
        self.operator = operator
        self.made: list[tuple[str, str]] = []

    async def run(
        self, bot: Bot = BOT, *, present: str = "", dry_run: bool = False, **how: Any
    ) -> list[Finding]:
        tokens = Tokens({VARIABLE: present} if present else {}, lambda *made: self.made.append(made), **how)
        return await BotMaker(self.operator, tokens, dry_run).ensure(bot)


@pytest.fixture
def command(operator: RestOperator) -> Command:
    return Command(operator)


def marks(found: list[Finding]) -> list[Mark]:
    return [each.mark for each in found]


def bot_of(store: Store, name: str = BOT.username) -> User:
    return store.user_by_name[name]


async def test_the_account_is_made_with_its_roles_and_a_token(store: Store, command: Command) -> None:
    """The token is handed over and works; no finding shows it."""
    found = await command.run()

    user = bot_of(store)
    assert marks(found) == ["changed", "changed"]
    assert user.bot is not None
    assert (user.bot.display_name, user.roles) == ("Equa Platform", "system_user system_post_all")
    ((variable, token),) = command.made
    assert variable == VARIABLE
    assert store.token_by_secret[token].user_id == user.id
    assert token not in str(found)


async def test_a_working_token_is_kept(store: Store, command: Command) -> None:
    """A repeat with it changes nothing."""
    await command.run()

    assert marks(await command.run(present=command.made[0][1])) == ["good", "good"]
    assert len(command.made) == 1
    assert len(store.tokens_of_user[bot_of(store).id]) == 1


async def test_a_repeat_without_the_token_makes_no_other(command: Command) -> None:
    """It may be in use somewhere else."""
    await command.run()

    found = await command.run()

    assert marks(found) == ["good", "warning"]
    assert "--new-token" in found[1].todo
    assert len(command.made) == 1


async def test_another_is_made_when_asked_for(store: Store, command: Command) -> None:
    """The old one stays good, so that nothing stops in between."""
    await command.run()

    assert marks(await command.run(present=command.made[0][1], renew=True)) == ["good", "changed"]
    assert all(token in store.token_by_secret for _, token in command.made)
    assert len(command.made) == 2


async def test_where_tokens_are_kept_a_missing_one_is_lost(command: Command) -> None:
    """Then another is made without asking."""
    await command.run(kept_here=True)

    assert marks(await command.run(kept_here=True)) == ["good", "changed"]


async def test_a_refused_token_is_told(command: Command) -> None:
    """Setup does not replace it behind somebody's back."""
    await command.run()

    found = await command.run(present="x" * 26)

    assert marks(found) == ["good", "bad"]
    assert "--new-token" in found[1].todo


async def test_tokens_made_by_others_do_not_count(store: Store, command: Command) -> None:
    """Nor do ours that were disabled."""
    user = store.create_bot(BOT.username, "Equa Platform", roles="system_user system_post_all")
    store.create_token(user, "by hand")
    store.create_token(user, DESCRIPTION).is_active = False

    assert marks(await command.run()) == ["good", "changed"]


async def test_the_holder_of_a_working_token_is_the_bot(store: Store, command: Command) -> None:
    """Whatever it is called, unless a name was command."""
    token = store.create_token(
        store.create_bot("acme-bot", "Acme", roles="system_user system_post_all")
    ).token

    assert marks(await command.run(present=token)) == ["good", "good"]
    assert BOT.username not in store.user_by_name
    (found,) = await command.run(replace(BOT, named=True), present=token)
    assert (found.mark, found.found) == ("bad", "it belongs to @acme-bot")


async def test_what_is_missing_is_added_and_nothing_else_changed(store: Store, command: Command) -> None:
    """A disabled account is enabled, a missing role given, a missing name set; its token works again."""
    user = store.create_bot(BOT.username, roles="system_user system_user_access_token")
    token = store.create_token(user).token
    assert user.bot
    set_bot_active(store, user, user.bot, active=False)

    found = await command.run(present=token)

    assert marks(found) == ["changed", "good"]
    assert found[0].found == "@equa-admin-bot: enabled, shown by name, given its roles"
    assert user.delete_at == 0
    assert user.bot.display_name == "Equa Platform"
    assert user.roles == "system_user system_user_access_token system_post_all"


async def test_a_name_that_an_operator_chose_stays(store: Store, command: Command) -> None:
    """Setup names only what has no name."""
    user = store.create_bot(BOT.username, "The Company", roles="system_user system_post_all")

    assert (await command.run())[0].mark == "good"
    assert user.bot
    assert user.bot.display_name == "The Company"


async def test_a_person_is_no_bot(store: Store, command: Command) -> None:
    """Neither by name nor by token."""
    ada = store.create_user(BOT.username)
    token = store.create_token(ada).token

    by_name, by_token = await command.run(), await command.run(present=token)

    assert marks([*by_name, *by_token]) == ["bad", "bad"]
    assert all("--notice-name" in each.todo for each in (*by_name, *by_token))
    assert command.made == []


async def test_a_dry_run_makes_nothing(store: Store, command: Command) -> None:
    """Neither the account nor a token, and repairs none."""
    assert marks(await command.run(dry_run=True)) == ["planned", "planned"]
    assert BOT.username not in store.user_by_name

    user = store.create_bot(BOT.username)
    assert marks(await command.run(dry_run=True)) == ["planned", "planned"]
    assert user.roles == "system_user"
    assert command.made == []


async def test_bots_switched_off(store: Store, command: Command) -> None:
    """Mattermost says so by an error of its own."""
    store.settings.patch({"ServiceSettings": {"EnableBotAccountCreation": False}})

    with pytest.raises(MattermostNotConfigured):
        await command.run()


async def test_the_notice_account_posts_without_being_a_member(store: Store, command: Command) -> None:
    """By its role alone, in every team."""
    await command.run()
    channel = store.create_channel(store.create_team("acme"), "cap-table")
    transport = command.operator.acting(command.made[0][1]).transport

    await transport.post("/posts", {"channel_id": channel.id, "message": "Shares were issued."})

    assert [post.message for post in store.posts_in(channel)] == ["Shares were issued."]
    assert not store.member_of_channel(channel.id, bot_of(store).id)
