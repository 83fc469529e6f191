"""Bot accounts and their tokens, made once."""

from dataclasses import replace
from typing import Any

import pytest

from bridge.errors import MattermostNotConfigured
from bridge.mattermost.rest.server_admin import DESCRIPTION, RestOperator
from bridge.ops.bots import Bot, Staffing
from bridge.ops.findings import Finding, Mark
from bridge.ops.tokens import Tokens
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


class SyncInput:
    """What setup was given besides a server, and the tokens that it has made."""

    def __init__(self, operator: RestOperator) -> None:
        self.operator = operator
        self.made: list[tuple[str, str]] = []

    async def run(
        self, bot: Bot = BOT, *, held: str = "", dry_run: bool = False, **how: Any
    ) -> list[Finding]:
        tokens = Tokens({VARIABLE: held} if held else {}, lambda *made: self.made.append(made), **how)
        return await Staffing(self.operator, tokens, dry_run).ensure(bot)


@pytest.fixture
def given(operator: RestOperator) -> SyncInput:
    return SyncInput(operator)


def marks(found: list[Finding]) -> list[Mark]:
    return [each.mark for each in found]


def bot_of(store: Store, name: str = BOT.username) -> User:
    return store.user_by_name[name]


async def test_the_account_is_made_with_its_roles_and_a_token(store: Store, given: SyncInput) -> None:
    """The token is handed over and works; no finding shows it."""
    found = await given.run()

    user = bot_of(store)
    assert marks(found) == ["changed", "changed"]
    assert user.bot is not None
    assert (user.bot.display_name, user.roles) == ("Equa Platform", "system_user system_post_all")
    ((variable, token),) = given.made
    assert variable == VARIABLE
    assert store.token_by_secret[token].user_id == user.id
    assert token not in str(found)


async def test_a_working_token_is_kept(store: Store, given: SyncInput) -> None:
    """A repeat with it changes nothing."""
    await given.run()

    assert marks(await given.run(held=given.made[0][1])) == ["good", "good"]
    assert len(given.made) == 1
    assert len(store.tokens_of_user[bot_of(store).id]) == 1


async def test_a_repeat_without_the_token_makes_no_other(given: SyncInput) -> None:
    """It may be in use somewhere else."""
    await given.run()

    found = await given.run()

    assert marks(found) == ["good", "warning"]
    assert "--new-token" in found[1].todo
    assert len(given.made) == 1


async def test_another_is_made_when_asked_for(store: Store, given: SyncInput) -> None:
    """The old one stays good, so that nothing stops in between."""
    await given.run()

    assert marks(await given.run(held=given.made[0][1], anew=True)) == ["good", "changed"]
    assert all(token in store.token_by_secret for _, token in given.made)
    assert len(given.made) == 2


async def test_where_tokens_are_kept_a_missing_one_is_lost(given: SyncInput) -> None:
    """Then another is made without asking."""
    await given.run(kept_here=True)

    assert marks(await given.run(kept_here=True)) == ["good", "changed"]


async def test_a_refused_token_is_told(given: SyncInput) -> None:
    """Setup does not replace it behind somebody's back."""
    await given.run()

    found = await given.run(held="x" * 26)

    assert marks(found) == ["good", "bad"]
    assert "--new-token" in found[1].todo


async def test_tokens_made_by_others_do_not_count(store: Store, given: SyncInput) -> None:
    """Nor do ours that were disabled."""
    user = store.create_bot(BOT.username, "Equa Platform", roles="system_user system_post_all")
    store.create_token(user, "by hand")
    store.create_token(user, DESCRIPTION).is_active = False

    assert marks(await given.run()) == ["good", "changed"]


async def test_the_holder_of_a_working_token_is_the_bot(store: Store, given: SyncInput) -> None:
    """Whatever it is called, unless a name was given."""
    token = store.create_token(
        store.create_bot("acme-bot", "Acme", roles="system_user system_post_all")
    ).token

    assert marks(await given.run(held=token)) == ["good", "good"]
    assert BOT.username not in store.user_by_name
    (found,) = await given.run(replace(BOT, named=True), held=token)
    assert (found.mark, found.found) == ("bad", "it is @acme-bot's")


async def test_what_is_missing_is_added_and_nothing_else_changed(store: Store, given: SyncInput) -> None:
    """A disabled account is enabled, a missing role given, a missing name set; its token works again."""
    user = store.create_bot(BOT.username, roles="system_user system_user_access_token")
    token = store.create_token(user).token
    assert user.bot
    set_bot_active(store, user, user.bot, active=False)

    found = await given.run(held=token)

    assert marks(found) == ["changed", "good"]
    assert found[0].found == "@equa-admin-bot: enabled, shown by name, given its roles"
    assert user.delete_at == 0
    assert user.bot.display_name == "Equa Platform"
    assert user.roles == "system_user system_user_access_token system_post_all"


async def test_a_name_that_an_operator_chose_stays(store: Store, given: SyncInput) -> None:
    """Setup names only what has no name."""
    user = store.create_bot(BOT.username, "The Company", roles="system_user system_post_all")

    assert (await given.run())[0].mark == "good"
    assert user.bot
    assert user.bot.display_name == "The Company"


async def test_a_person_is_no_bot(store: Store, given: SyncInput) -> None:
    """Neither by name nor by token."""
    ada = store.create_user(BOT.username)
    token = store.create_token(ada).token

    by_name, by_token = await given.run(), await given.run(held=token)

    assert marks([*by_name, *by_token]) == ["bad", "bad"]
    assert all("--notice-name" in each.todo for each in (*by_name, *by_token))
    assert given.made == []


async def test_a_dry_run_makes_nothing(store: Store, given: SyncInput) -> None:
    """Neither the account nor a token, nor does it mend one."""
    assert marks(await given.run(dry_run=True)) == ["planned", "planned"]
    assert BOT.username not in store.user_by_name

    user = store.create_bot(BOT.username)
    assert marks(await given.run(dry_run=True)) == ["planned", "planned"]
    assert user.roles == "system_user"
    assert given.made == []


async def test_bots_switched_off(store: Store, given: SyncInput) -> None:
    """Mattermost says so by an error of its own."""
    store.settings.patch({"ServiceSettings": {"EnableBotAccountCreation": False}})

    with pytest.raises(MattermostNotConfigured):
        await given.run()


async def test_the_notice_account_posts_without_being_a_member(store: Store, given: SyncInput) -> None:
    """By its role alone, in every team."""
    await given.run()
    channel = store.create_channel(store.create_team("acme"), "cap-table")
    transport = given.operator.acting(given.made[0][1]).transport

    await transport.post("/posts", {"channel_id": channel.id, "message": "Shares were issued."})

    assert [post.message for post in store.posts_in(channel)] == ["Shares were issued."]
    assert not store.member_of_channel(channel.id, bot_of(store).id)
