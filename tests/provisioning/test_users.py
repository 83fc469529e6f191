"""Accounts: found, adopted, created, repaired, and never taken from somebody else."""

from dataclasses import replace

import pytest

from bridge.errors import AccountConflict, MattermostFull, MattermostUnavailable
from bridge.models.chat import NewUser, User
from bridge.models.equa import Person
from bridge.sandbox.mattermost import RestFault
from provisioning.users import ensure_user
from tests.support.provisioning import Chat, Process, a_person


async def test_a_new_person_gets_an_account(chat: Chat, process: Process, ada: Person) -> None:
    """With their name and address, verified, and no password, not even by mail."""
    account = await ensure_user(process.provisioner.admin, process.provisioner.tables, ada)

    user = chat.user(account.user_id)
    assert (user.username, user.email, user.first_name, user.last_name) == (
        "ada",
        "ada@example.com",
        "Ada",
        "Moreno",
    )
    assert user.email_verified
    assert user.roles == "system_user"
    assert (user.password, user.auth_service) == ("", "equa")
    assert user.notify_props["email"] == "true"
    assert account.provisioned
    assert not account.unconfirmed


async def test_a_second_visit_finds_the_account(chat: Chat, process: Process, ada: Person) -> None:
    """By the mapping, also when the address in Equa has changed since."""
    first = await ensure_user(process.provisioner.admin, process.provisioner.tables, ada)
    moved = replace(ada, email="moreno@example.com")

    assert (
        await ensure_user(process.provisioner.admin, process.provisioner.tables, moved)
    ).user_id == first.user_id
    assert len(chat.people()) == 1


@pytest.mark.parametrize("email", ["", "nobody", "a/b@example.com"])
async def test_without_a_usable_address_nobody_gets_an_account(
    chat: Chat, process: Process, email: str
) -> None:
    """Mattermost has no account without one, so the person is told what is missing."""
    with pytest.raises(AccountConflict, match="no e-mail address"):
        await ensure_user(process.provisioner.admin, process.provisioner.tables, a_person(email=email))

    assert not chat.people()


async def test_a_taken_username_gets_a_suffix(chat: Chat, process: Process, ada: Person) -> None:
    """Made of the person's id, so that two people never fight for a number."""
    chat.store.create_user("ada")

    account = await ensure_user(process.provisioner.admin, process.provisioner.tables, ada)

    assert chat.user(account.user_id).username == f"ada-{ada.id.hex[:4]}"


async def test_a_verified_address_adopts_its_account(chat: Chat, process: Process, ada: Person) -> None:
    """The account that the person had in Mattermost before becomes theirs."""
    existing = chat.store.create_user("moreno", email="ada@example.com")

    account = await ensure_user(process.provisioner.admin, process.provisioner.tables, ada)

    assert (account.user_id, account.provisioned) == (existing.id, False)


@pytest.mark.parametrize(
    "roles",
    [
        "system_user system_admin",
        "system_user system_user_manager",
        "system_user system_read_only_admin",
        "system_user our_own_admin",
    ],
)
async def test_an_administrators_account_is_not_adopted(
    chat: Chat, process: Process, ada: Person, roles: str
) -> None:
    """Who gets into Equa would else get hold of Mattermost."""
    chat.store.create_user("root", email="ada@example.com", roles=roles)

    await _conflicts(chat, process, ada, "administrator")


async def test_an_unverified_address_adopts_nothing(chat: Chat, process: Process) -> None:
    """Else anybody could type somebody's address into Equa and read their messages."""
    chat.store.create_user("ada", email="ada@example.com")

    await _conflicts(chat, process, a_person(verified=False), "verify the address")


async def test_a_deactivated_account_is_not_adopted(chat: Chat, process: Process, ada: Person) -> None:
    """Somebody had a reason for it."""
    user = chat.store.create_user("ada", email="ada@example.com")
    user.delete_at = 1

    await _conflicts(chat, process, ada, "deactivated")


async def test_a_bots_account_is_not_adopted(chat: Chat, process: Process) -> None:
    """Its address is its name at localhost, which Equa may have verified or not."""
    await _conflicts(chat, process, a_person(email="equabot@localhost"), "a bot's")


async def test_an_account_of_somebody_else_in_equa_is_not_adopted(
    chat: Chat, process: Process, ada: Person
) -> None:
    """Two people never share one."""
    await ensure_user(process.provisioner.admin, process.provisioner.tables, ada)

    await _conflicts(chat, process, a_person(email=ada.email), "somebody else")


async def test_an_account_with_another_address_is_not_adopted(
    chat: Chat, process: Process, ada: Person
) -> None:
    """Whoever answers the look-up, the account has to show the address itself."""
    ben = chat.store.create_user("ben")
    chat.store.user_by_email["ada@example.com"] = ben

    await _conflicts(chat, process, ada, "another address")


async def _conflicts(chat: Chat, process: Process, person: Person, reason: str) -> None:
    """Refused with that reason, and nothing is changed in Mattermost or stored."""
    before = [replace(user) for user in chat.store.users.values()]
    with pytest.raises(AccountConflict, match=reason):
        await ensure_user(process.provisioner.admin, process.provisioner.tables, person)

    assert list(chat.store.users.values()) == before
    assert await process.provisioner.tables.accounts.find(person.id) is None


async def test_a_deactivated_account_of_ours_is_reactivated(
    chat: Chat, process: Process, ada: Person
) -> None:
    """Equa decides about the accounts that the bridge has created."""
    account = await ensure_user(process.provisioner.admin, process.provisioner.tables, ada)
    chat.user(account.user_id).delete_at = 1

    assert await ensure_user(process.provisioner.admin, process.provisioner.tables, ada) == account
    assert chat.user(account.user_id).delete_at == 0


async def test_a_deactivated_account_that_was_adopted_stays_so(
    chat: Chat, process: Process, ada: Person
) -> None:
    """Mattermost's administrator decides about it."""
    user = chat.store.create_user("ada", email="ada@example.com")
    await ensure_user(process.provisioner.admin, process.provisioner.tables, ada)
    user.delete_at = 1

    with pytest.raises(AccountConflict, match="deactivated"):
        await ensure_user(process.provisioner.admin, process.provisioner.tables, ada)

    assert user.delete_at


async def test_an_account_that_became_an_administrators_is_closed(
    chat: Chat, process: Process, ada: Person
) -> None:
    """No further token is made for it."""
    account = await ensure_user(process.provisioner.admin, process.provisioner.tables, ada)
    chat.user(account.user_id).roles = "system_user system_admin"

    with pytest.raises(AccountConflict, match="administrator"):
        await ensure_user(process.provisioner.admin, process.provisioner.tables, ada)


async def test_an_account_deleted_for_good_is_created_anew(chat: Chat, process: Process, ada: Person) -> None:
    """The mapping then names the new one."""
    first = await ensure_user(process.provisioner.admin, process.provisioner.tables, ada)
    chat.forget_user(chat.user(first.user_id))

    second = await ensure_user(process.provisioner.admin, process.provisioner.tables, ada)

    assert second.user_id != first.user_id
    assert [user.id for user in chat.people()] == [second.user_id]


async def test_a_404_of_a_proxy_is_no_deleted_account(chat: Chat, process: Process, ada: Person) -> None:
    """Only Mattermost itself can say that an account is gone."""
    first = await ensure_user(process.provisioner.admin, process.provisioner.tables, ada)
    chat.server.faults.rest(RestFault(status=404, path="/users/", times=1))

    with pytest.raises(MattermostUnavailable):
        await ensure_user(process.provisioner.admin, process.provisioner.tables, ada)

    assert (
        await ensure_user(process.provisioner.admin, process.provisioner.tables, ada)
    ).user_id == first.user_id


async def test_a_new_username_is_followed(chat: Chat, process: Process, ada: Person) -> None:
    """The mapping tells it to operators."""
    account = await ensure_user(process.provisioner.admin, process.provisioner.tables, ada)
    chat.user(account.user_id).username = "countess"

    await ensure_user(process.provisioner.admin, process.provisioner.tables, ada)

    stored = await process.provisioner.tables.accounts.find(ada.id)
    assert stored
    assert stored.username == "countess"


async def test_a_lost_answer_creates_no_second_account(chat: Chat, process: Process) -> None:
    """The account carries the mark of the attempt, so even an unverified address finds it again."""
    chat.server.faults.rest(RestFault(when="after", cut=True, method="POST", path="/users", times=1))
    person = a_person(verified=False)

    account = await ensure_user(process.provisioner.admin, process.provisioner.tables, person)

    assert [user.id for user in chat.people()] == [account.user_id]
    assert account.provisioned


async def test_a_forged_mark_is_nobodys(chat: Chat, process: Process) -> None:
    """What somebody else writes into their account does not make it the bridge's."""
    chat.store.create_user("ada", email="ada@example.com", props={"equabot_bridge": "guessed"})

    await _conflicts(chat, process, a_person(verified=False), "verify the address")


async def test_what_an_older_database_does_not_know_is_found_again(
    chat: Chat, process: Process, ada: Person
) -> None:
    """By its address, by the person for whom it was made."""
    first = await ensure_user(process.provisioner.admin, process.provisioner.tables, ada)
    await process.pool.execute("delete from mattermost_user_mappings")

    assert (
        await ensure_user(process.provisioner.admin, process.provisioner.tables, ada)
    ).user_id == first.user_id


async def test_and_by_nobody_else(chat: Chat, process: Process, ada: Person) -> None:
    """A roster may have given it the address of whoever is behind that roster."""
    mallory = a_person("Mallory")
    typed = replace(ada, email=mallory.email, email_verified=False)
    await ensure_user(process.provisioner.admin, process.provisioner.tables, typed)
    await process.pool.execute("delete from mattermost_user_mappings")

    await _conflicts(chat, process, mallory, "made for somebody else")


class _Racing:
    """Mattermost's administration, in which another process is quicker at creating the same account."""

    def __init__(self, process: Process, person: Person) -> None:
        self._process = process
        self._person = person

    def __getattr__(self, name: str) -> object:
        return getattr(self._process.provisioner.admin, name)

    async def create_user(self, account: NewUser) -> User:
        await ensure_user(self._process.provisioner.admin, self._process.provisioner.tables, self._person)
        return await self._process.provisioner.admin.create_user(account)


async def test_two_that_create_at_once_end_with_one_account(
    chat: Chat, process: Process, ada: Person
) -> None:
    """Even without a lock the second finds what the first has made."""
    account = await ensure_user(
        _Racing(process, ada),  # type: ignore[arg-type]  # passes everything else through
        process.provisioner.tables,
        ada,
    )

    assert [user.id for user in chat.people()] == [account.user_id]


async def test_a_full_server_says_what_the_operator_can_do(chat: Chat, process: Process, ada: Person) -> None:
    """The limit of a server without a licence."""
    chat.store.settings.max_active_users = 0

    with pytest.raises(MattermostFull, match="limit of active users"):
        await ensure_user(process.provisioner.admin, process.provisioner.tables, ada)


async def test_a_domain_that_mattermost_refuses_is_a_conflict(
    chat: Chat, process: Process, ada: Person
) -> None:
    """`RestrictCreationToDomains` counts for administrators too."""
    chat.set("TeamSettings", RestrictCreationToDomains="elsewhere.example")

    with pytest.raises(AccountConflict, match="does not accept"):
        await ensure_user(process.provisioner.admin, process.provisioner.tables, ada)
