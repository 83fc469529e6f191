"""Tokens: one a person, sealed, renewed in time, and gone when it should be."""

import pytest

from bridge.errors import MattermostNotConfigured
from bridge.models.accounts import Account
from bridge.models.equa import Organization, Person
from bridge.sandbox.mattermost import User
from bridge.sandbox.mattermost.sessions import revoke_token, set_token_active
from bridge.secrets.key_ring import KeyRing, new_key
from provisioning.tokens import ensure_token
from provisioning.users import ensure_user
from tests.support.provisioning import KEYS, Chat, Process, an_organization


class Holder:
    """Ada, who has an account."""

    def __init__(self, process: Process, person: Person, user: User) -> None:
        self.process = process
        self.person = person
        self.user = user

    async def token(self, keys: KeyRing = KEYS) -> str:
        provisioner = self.process.provisioner
        return await ensure_token(provisioner.admin, provisioner.tables, keys, await self.account())

    async def account(self) -> Account:
        account = await self.process.provisioner.tables.accounts.find(self.person.id)
        assert account
        return account


@pytest.fixture
async def holder(chat: Chat, process: Process, ada: Person) -> Holder:
    account = await ensure_user(process.provisioner.admin, process.provisioner.tables, ada)
    return Holder(process, ada, chat.user(account.user_id))


async def test_a_person_has_one_token(chat: Chat, holder: Holder) -> None:
    """Created once and then reused."""
    token = await holder.token()

    assert await holder.token() == token
    assert chat.tokens(holder.user) == [token]


async def test_a_token_is_sealed_at_rest(holder: Holder) -> None:
    """For its row alone; nothing that is stored or shown contains it."""
    token = await holder.token()

    row = await holder.process.pool.fetchrow("select * from mattermost_user_mappings")
    account = await holder.account()
    assert token not in str(row)
    assert account.token
    assert token not in repr(account)
    column = "mattermost_user_mappings.personal_access_token"
    assert KEYS.open(account.token.sealed, column=column, row=str(holder.person.id)) == token


async def test_an_old_token_is_replaced(chat: Chat, holder: Holder) -> None:
    """After thirty days; the old one ends when the new one is stored."""
    old = await holder.token()
    await holder.process.pool.execute(
        "update mattermost_user_mappings set token_created = now() - interval '31 days'"
    )

    new = await holder.token()

    assert new != old
    assert chat.tokens(holder.user) == [new]


async def test_there_is_a_good_token_at_every_moment_of_a_renewal(chat: Chat, holder: Holder) -> None:
    """What is stored is never one that has been revoked already."""
    await holder.token()
    await holder.process.pool.execute("update mattermost_user_mappings set token_created = '2020-01-01'")
    stored = []

    class Watched:
        def __getattr__(self, name: str) -> object:
            return getattr(holder.process.provisioner.admin, name)

        async def revoke_token(self, token_id: str) -> None:
            account = await holder.account()
            assert account.token
            assert token_id != account.token.id
            stored.append(account.token.id in chat.store.tokens)

    provisioner = holder.process.provisioner
    await ensure_token(
        Watched(),  # type: ignore[arg-type]  # passes everything else through
        provisioner.tables,
        KEYS,
        await holder.account(),
    )

    assert stored == [True]


@pytest.mark.parametrize("how", ["revoked", "disabled"])
async def test_a_refused_token_is_replaced(chat: Chat, holder: Holder, how: str) -> None:
    """Whoever ended it."""
    old = await holder.token()
    stored = chat.store.token_by_secret[old]
    if how == "revoked":
        revoke_token(chat.store, stored)
    else:
        set_token_active(chat.store, stored, active=False)

    new = await holder.token()

    assert new != old
    assert chat.tokens(holder.user) == [new]
    assert stored.id not in chat.store.tokens


async def test_a_token_whose_key_is_lost_is_replaced(chat: Chat, holder: Holder) -> None:
    """Nobody can read it any more, so it ends."""
    old = await holder.token()

    new = await holder.token(KeyRing.parse(f"k9:{new_key()}"))

    assert new != old
    assert chat.tokens(holder.user) == [new]


async def test_tokens_that_are_not_ours_stay(chat: Chat, holder: Holder) -> None:
    """People have some of their own."""
    own = chat.store.create_token(holder.user, "my script")

    await holder.token()
    await holder.process.provisioner.leave(holder.person.id, an_organization().id)

    assert own.id in chat.store.tokens
    assert chat.tokens(holder.user) == []


async def test_a_token_that_was_created_and_not_stored_is_revoked(chat: Chat, holder: Holder) -> None:
    """What a crash left behind ends with the next visit, before the token in use is handed out."""
    token = await holder.token()
    await holder.process.provisioner.tables.accounts.expect_token(holder.person.id)
    chat.store.create_token(holder.user, "equabot-bridge")

    assert await holder.token() == token
    assert chat.tokens(holder.user) == [token]


async def test_a_server_without_tokens_says_what_the_operator_can_do(chat: Chat, holder: Holder) -> None:
    """By the setting's real name."""
    chat.set("ServiceSettings", EnableUserAccessTokens=False)

    with pytest.raises(MattermostNotConfigured, match="MM_SERVICESETTINGS_ENABLEUSERACCESSTOKENS=true"):
        await holder.token()


async def test_the_token_ends_with_the_last_organization(
    chat: Chat, process: Process, ada: Person, acme: Organization
) -> None:
    """And not before."""
    borealis = an_organization("Borealis Labs")
    session = await process.provisioner.open_session(ada, acme)
    await process.provisioner.open_session(ada, borealis)
    user = chat.user(session.user_id)

    await process.provisioner.leave(ada.id, acme.id)
    assert chat.tokens(user) == [session.token]

    await process.provisioner.leave(ada.id, borealis.id)
    assert chat.tokens(user) == []
    account = await process.provisioner.tables.accounts.find(ada.id)
    assert account
    assert account.token is None


async def test_many_tokens_of_one_account_are_all_looked_at(chat: Chat, holder: Holder) -> None:
    """The server lists two hundred at a time."""
    for number in range(250):
        chat.store.create_token(holder.user, "my script" if number % 2 else "equabot-bridge")

    token = await holder.token()

    assert chat.tokens(holder.user) == [token]


async def test_of_an_account_that_is_gone_nothing_is_revoked(chat: Chat, holder: Holder) -> None:
    """Its tokens went with it."""
    await holder.token()
    chat.forget_user(holder.user)

    await holder.process.provisioner.leave(holder.person.id, an_organization().id)

    assert (await holder.account()).token is None
