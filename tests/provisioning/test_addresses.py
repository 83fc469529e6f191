"""Addresses of accounts: what a roster says of them, and what their people prove."""

from dataclasses import replace

import pytest

from bridge.errors import MattermostUnavailable
from bridge.models.equa import Organization, Person
from bridge.sandbox.mattermost import RestFault, User
from bridge.sandbox.mattermost.faults import When
from provisioning.addresses import email_digest
from tests.support.provisioning import Chat, Process, a_person, an_organization
from tests.support.rosters import Crew, crew_of, line, roster

TYPED = "typed@elsewhere.example"
RETURNING = ["/users/me/teams"]


@pytest.fixture
def crew(process: Process) -> Crew:
    return crew_of(process)


async def visit(chat: Chat, process: Process, person: Person, organization: Organization) -> User:
    """Visit, and once more: that has to be an ordinary returning visit."""
    session = await process.provisioner.open_session(person, organization)
    process.asked.clear()
    assert await process.provisioner.open_session(person, organization) == session
    assert process.asked == RETURNING
    return chat.user(session.user_id)


async def test_an_address_that_an_administrator_has_typed_hears_nothing(
    chat: Chat, crew: Crew, ada: Person, acme: Organization
) -> None:
    """It may be anybody's; an account that was created for it has no password either."""
    await crew.run(acme, roster([], line(ada, email=TYPED)))

    user = await crew.user(chat, ada)
    assert (user.email, user.password, user.auth_service) == (TYPED, "", "equa")
    assert user.notify_props["email"] == "false"


async def test_the_accounts_own_address_does(
    chat: Chat, process: Process, crew: Crew, ada: Person, acme: Organization
) -> None:
    """Nobody but its person has given it to Equa; when they come nothing has to change."""
    await crew.run(acme, roster([], line(ada, email_of_account=True)))

    user = await crew.user(chat, ada)
    assert (user.email, user.notify_props["email"]) == (ada.email, "true")
    assert await visit(chat, process, ada, acme) is user


async def test_the_first_visit_puts_a_wrong_address_right(
    chat: Chat, process: Process, crew: Crew, ada: Person, acme: Organization
) -> None:
    """It is the person's then, verified, and hears what it should."""
    await crew.run(acme, roster([], line(ada, email=TYPED)))

    user = await visit(chat, process, ada, acme)

    assert user is await crew.user(chat, ada)
    assert (user.email, user.email_verified, user.notify_props["email"]) == (ada.email, True, "true")


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("path", ["/patch", "/email/verify/member"])
async def test_a_correction_that_breaks_off_is_finished_by_the_next_visit(
    chat: Chat, crew: Crew, path: str, when: When
) -> None:
    """Whichever call comes to nothing, or its answer is lost."""
    ada, acme = a_person(), an_organization()
    await crew.run(acme, roster([], line(ada, email=TYPED)))
    chat.server.faults.rest(RestFault(when=when, status=502, path=path))
    with pytest.raises(MattermostUnavailable):
        await crew.process.provisioner.open_session(ada, acme)
    chat.server.faults.clear()

    user = await visit(chat, crew.process, ada, acme)

    assert (user.email, user.email_verified, user.notify_props["email"]) == (ada.email, True, "true")


async def test_what_the_person_wants_later_stays(
    chat: Chat, process: Process, crew: Crew, ada: Person, acme: Organization
) -> None:
    """Notifications are switched on once."""
    await crew.run(acme, roster([ada]))
    user = await visit(chat, process, ada, acme)
    user.notify_props["email"] = "false"

    await process.provisioner.open_session(ada, an_organization("Borealis"))
    moved = replace(ada, email="moreno@example.com")
    await visit(chat, process, moved, acme)

    assert (user.email, user.notify_props["email"]) == ("moreno@example.com", "false")


async def test_a_new_address_in_equa_is_followed(
    chat: Chat, process: Process, ada: Person, acme: Organization
) -> None:
    """By the next visit with it."""
    user = await visit(chat, process, ada, acme)

    await visit(chat, process, replace(ada, email="Moreno@Example.com"), acme)

    assert (user.email, user.email_verified) == ("moreno@example.com", True)


async def test_an_address_that_is_not_verified_changes_nothing(
    chat: Chat, process: Process, crew: Crew, ada: Person, acme: Organization
) -> None:
    """Anybody can type one into their profile."""
    await crew.run(acme, roster([], line(ada, email=TYPED)))

    user = await visit(chat, process, replace(ada, email_verified=False), acme)

    assert (user.email, user.notify_props["email"]) == (TYPED, "false")
    assert await visit(chat, process, ada, acme) is user
    assert (user.email, user.notify_props["email"]) == (ada.email, "true")


async def test_who_comes_without_a_verified_address_hears_by_mail_when_it_is(
    chat: Chat, process: Process, ada: Person, acme: Organization
) -> None:
    """Until then it may be a slip of their own."""
    user = await visit(chat, process, replace(ada, email=TYPED, email_verified=False), acme)
    assert (user.email, user.notify_props["email"]) == (TYPED, "false")

    await visit(chat, process, ada, acme)

    assert (user.email, user.notify_props["email"]) == (ada.email, "true")


async def test_an_adopted_account_keeps_its_address(
    chat: Chat, process: Process, ada: Person, acme: Organization
) -> None:
    """And its notifications: it was somebody's before."""
    existing = chat.store.create_user("moreno", email=ada.email, notify_props={"email": "false"})
    assert await visit(chat, process, ada, acme) is existing

    await visit(chat, process, replace(ada, email="moreno@example.com"), acme)

    assert (existing.email, existing.notify_props) == (ada.email, {"email": "false"})


async def test_an_address_of_somebody_else_is_left_to_them(
    chat: Chat, process: Process, crew: Crew, ada: Person, acme: Organization
) -> None:
    """The visit goes on without; it is not asked again at every visit."""
    await crew.run(acme, roster([], line(ada, email=TYPED)))
    other = chat.store.create_user("moreno", email=ada.email)

    user = await visit(chat, process, ada, acme)

    assert (user.email, user.notify_props["email"]) == (TYPED, "false")
    assert other.email == ada.email
    del chat.store.user_by_email[other.email]
    other.email = "gone@example.com"
    await process.provisioner.open_session(ada, an_organization("Borealis"))
    assert (user.email, user.notify_props["email"]) == (ada.email, "true")


async def test_an_address_that_mattermost_does_not_accept_is_left_out(
    chat: Chat, process: Process, crew: Crew, ada: Person, acme: Organization
) -> None:
    """The visit goes on without."""
    await crew.run(acme, roster([], line(ada, email=TYPED)))
    chat.set("TeamSettings", RestrictCreationToDomains="elsewhere.example")

    assert (await visit(chat, process, ada, acme)).email == TYPED


async def test_where_mattermost_verifies_addresses_the_person_does_it(
    chat: Chat, process: Process, crew: Crew, ada: Person, acme: Organization
) -> None:
    """By the link that was sent to them; notifications come on when it has been followed."""
    await crew.run(acme, roster([], line(ada, email=TYPED)))
    chat.set("EmailSettings", RequireEmailVerification=True)
    user = await visit(chat, process, ada, acme)
    assert (user.email, user.notify_props["email"]) == (TYPED, "false")

    chat.store.user_by_email[ada.email] = chat.store.user_by_email.pop(user.email)
    user.email = ada.email
    await process.provisioner.open_session(ada, an_organization("Borealis"))

    assert user.notify_props["email"] == "true"


async def test_who_proves_an_address_gets_it_from_who_has_it_by_a_roster(
    chat: Chat, process: Process, crew: Crew, ada: Person, acme: Organization
) -> None:
    """Else one organization could shut out anybody whose address it knows."""
    other = a_person("Mallory")
    await crew.run(acme, roster([], line(other, email=ada.email)))
    squatter = await crew.user(chat, other)

    user = await visit(chat, process, ada, an_organization("Borealis"))

    assert user is not squatter
    assert (user.email, user.notify_props["email"]) == (ada.email, "true")
    assert squatter.email == f"{other.id.hex}@unconfirmed.invalid"
    assert await visit(chat, process, other, acme) is squatter
    assert (squatter.email, squatter.notify_props["email"]) == (other.email, "true")


async def test_two_whose_addresses_a_roster_has_exchanged_get_their_own(
    chat: Chat, process: Process, crew: Crew, ada: Person, acme: Organization
) -> None:
    """Whoever of them comes first."""
    ben = a_person("Ben Okafor")
    await crew.run(acme, roster([], line(ada, email=ben.email), line(ben, email=ada.email)))

    for person in (ada, ben):
        user = await visit(chat, process, person, acme)
        assert (user.email, user.notify_props["email"]) == (person.email, "true")
        assert user is await crew.user(chat, person)


async def test_an_address_that_was_proved_is_not_given_up(
    chat: Chat, process: Process, ada: Person, acme: Organization
) -> None:
    """Equa then has two of them, and somebody has to look."""
    user = await visit(chat, process, ada, acme)
    ben = a_person("Ben Okafor")
    other = await visit(chat, process, ben, acme)

    assert await visit(chat, process, replace(ben, email=ada.email), acme) is other

    assert (user.email, other.email) == (ada.email, ben.email)


def test_only_a_verified_address_is_compared(ada: Person) -> None:
    """Whatever its case; one that Mattermost cannot have is none."""
    assert email_digest(ada) == email_digest(replace(ada, email=" ADA@example.com "))
    assert email_digest(replace(ada, email_verified=False)) is None
    assert email_digest(replace(ada, email="a/b@example.com")) is None
