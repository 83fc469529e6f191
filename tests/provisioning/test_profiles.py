"""How people's accounts and teams look: as in Equa, as long as nobody has changed it in Mattermost."""

import json
from dataclasses import replace

import pytest

from bridge.models.equa import Organization, Person
from bridge.sandbox.mattermost import User
from bridge.sandbox.mattermost.teams import patch_team
from bridge.sandbox.mattermost.users import patch_user
from tests.support.provisioning import Chat, Process, a_person, an_organization
from tests.support.rosters import Crew, crew_of, line, roster

BEN = a_person("Ben")
"""Somebody else, so that a roster does not name one person only."""


@pytest.fixture
def crew(process: Process) -> Crew:
    return crew_of(process)


def shown(user: User) -> tuple[str, str, str]:
    return user.first_name, user.last_name, user.nickname


def theme(chat: Chat, user: User) -> str | None:
    return chat.store.preferences[user.id].get(("theme", ""))


async def test_a_name_follows_at_the_next_visit(
    chat: Chat, process: Process, ada: Person, acme: Organization
) -> None:
    """And the visit after that asks Mattermost once again."""
    session = await process.provisioner.open_session(replace(ada, nickname="Addie"), acme)
    user = chat.user(session.user_id)
    assert shown(user) == ("Ada", "Moreno", "Addie")
    married = replace(ada, name="Ada van der Lind", nickname="Lindy")

    await process.provisioner.open_session(married, acme)

    assert shown(user) == ("Ada", "van der Lind", "Lindy")
    process.asked.clear()
    await process.provisioner.open_session(married, acme)
    assert process.asked == ["/users/me/teams"]


async def test_a_name_that_was_changed_in_mattermost_stays(
    chat: Chat, process: Process, ada: Person, acme: Organization
) -> None:
    """Whatever Equa says later, and without more work at each visit."""
    session = await process.provisioner.open_session(ada, acme)
    user = chat.user(session.user_id)
    patch_user(chat.store, user, {"first_name": "Countess", "last_name": "Lovelace", "nickname": "Addie"})
    married = replace(ada, name="Ada Lind")

    await process.provisioner.open_session(married, acme)

    assert shown(user) == ("Countess", "Lovelace", "Addie")
    process.asked.clear()
    await process.provisioner.open_session(married, acme)
    assert process.asked == ["/users/me/teams"]


@pytest.mark.parametrize("name", ["", " ", "\u3164", "\u115f\u2800", "\u200b\ufe0f", "\U000e0041\U000e0042"])
async def test_a_name_that_cannot_be_seen_is_none(
    chat: Chat, process: Process, ada: Person, acme: Organization, name: str
) -> None:
    """What is shown stays; a new account has no name then."""
    session = await process.provisioner.open_session(ada, acme)
    await process.provisioner.open_session(replace(ada, name=name), acme)
    assert shown(chat.user(session.user_id)) == ("Ada", "Moreno", "")

    unseen = replace(a_person("Bea"), name=name)
    other = await process.provisioner.open_session(unseen, acme)
    assert shown(chat.user(other.user_id)) == ("", "", "")


async def test_an_adopted_account_keeps_its_name(
    chat: Chat, process: Process, ada: Person, acme: Organization
) -> None:
    """The bridge has set nothing there."""
    user = chat.store.create_user("countess", email=ada.email, first_name="Ada", last_name="Moreno")
    await process.provisioner.open_session(ada, acme)

    await process.provisioner.open_session(replace(ada, name="Ada Lind"), acme)

    assert shown(user) == ("Ada", "Moreno", "")


async def test_tours_are_off_in_accounts_that_the_bridge_makes(
    chat: Chat, process: Process, ada: Person, acme: Organization
) -> None:
    """Both steps of the threads' tour, named by the account; an adopted account has its own."""
    adopted = chat.store.create_user("bea", email="bea@example.com")
    session = await process.provisioner.open_session(ada, acme)
    await process.provisioner.open_session(a_person("Bea"), acme)

    assert chat.store.preferences[session.user_id] == {
        ("crt_tutorial_triggered", session.user_id): "999",
        ("crt_thread_pane_step", session.user_id): "999",
    }
    assert chat.store.preferences[adopted.id] == {}


async def test_the_chat_follows_a_dark_page_at_the_first_visit(
    chat: Chat, process: Process, ada: Person, acme: Organization
) -> None:
    """Not at later ones: by then it is the person's."""
    session = await process.provisioner.open_session(ada, acme, "dark")
    user = chat.user(session.user_id)
    assert json.loads(theme(chat, user) or "") == {"type": "Onyx"}
    del chat.store.preferences[user.id]["theme", ""]

    await process.provisioner.open_session(replace(ada, name="Ada Lind"), acme, "dark")

    assert theme(chat, user) is None


async def test_a_light_page_changes_nothing(
    chat: Chat, process: Process, ada: Person, acme: Organization
) -> None:
    """Mattermost's own theme is light."""
    session = await process.provisioner.open_session(ada, acme, "light")
    await process.provisioner.open_session(replace(ada, name="Ada Lind"), acme, "dark")

    assert theme(chat, chat.user(session.user_id)) is None


async def test_a_theme_that_somebody_has_chosen_stays(
    chat: Chat, process: Process, ada: Person, acme: Organization
) -> None:
    """For one team or for all."""
    user = chat.store.create_user("countess", email=ada.email)
    team = chat.store.create_team("other")
    chat.store.preferences[user.id]["theme", team.id] = '{"type":"Quartz"}'

    await process.provisioner.open_session(ada, acme, "dark")

    assert theme(chat, user) is None


async def test_the_team_s_title_follows_the_organization(
    chat: Chat, process: Process, ada: Person, acme: Organization
) -> None:
    """At a visit as at a sync; the name in addresses stays."""
    await process.provisioner.open_session(ada, acme)
    team = chat.team("acme-corp")
    renamed = replace(acme, name="Acme International")

    await process.provisioner.open_session(ada, renamed)
    assert team.display_name == "Acme International"
    process.asked.clear()
    await process.provisioner.open_session(ada, renamed)
    assert process.asked == ["/users/me/teams"]

    await crew_of(process).run(replace(acme, name="Acme Group"), roster([ada]))
    assert (team.display_name, team.name) == ("Acme Group", "acme-corp")


@pytest.mark.parametrize("name", ["", "\u3164", "\u200b"])
async def test_without_a_name_that_can_be_seen_the_title_stays(
    chat: Chat, process: Process, ada: Person, acme: Organization, name: str
) -> None:
    """Equa's list may leave it out."""
    await process.provisioner.open_session(ada, acme)

    await process.provisioner.ensure_team(replace(acme, name=name))

    assert chat.team("acme-corp").display_name == "Acme Corp"


async def test_a_title_that_somebody_has_chosen_stays(
    chat: Chat, process: Process, ada: Person, acme: Organization
) -> None:
    """And costs later visits nothing."""
    await process.provisioner.open_session(ada, acme)
    team = chat.team("acme-corp")
    patch_team(chat.store, team, {"display_name": "The Company"})
    renamed = replace(acme, name="Acme International")

    await process.provisioner.open_session(ada, renamed)

    assert team.display_name == "The Company"
    process.asked.clear()
    await process.provisioner.open_session(ada, renamed)
    assert process.asked == ["/users/me/teams"]


async def test_a_sync_changes_the_names_of_members(chat: Chat, crew: Crew, acme: Organization) -> None:
    """Only of those whose line has changed; the next one has nothing to do."""
    people = [a_person("Ada Moreno", verified=False), a_person("Ben Okafor", verified=False)]
    await crew.run(acme, roster(people))
    ada, ben = [await crew.user(chat, person) for person in people]
    patch_user(chat.store, ben, {"last_name": "of Kent"})
    changed = [replace(people[0], name="Ada Lind"), replace(people[1], name="Ben Oyelaran")]

    report = await crew.run(acme, roster(changed))

    assert (shown(ada), shown(ben)) == (("Ada", "Lind", ""), ("Ben", "of Kent", ""))
    assert (report.unchanged, report.failed) == (2, ())
    crew.asked.clear()
    await crew.run(acme, roster(changed))
    assert not [each for each in crew.asked if each.startswith("/users/{id}/patch")]
    assert crew.asked.count("/users/{id}") == 0


async def test_roster_and_visit_do_not_fight_over_a_name(chat: Chat, crew: Crew, acme: Organization) -> None:
    """Each is heard when it changes."""
    ada = a_person("Ada Moreno")
    await crew.run(acme, roster([ada], line(BEN)))
    user = await crew.user(chat, ada)
    await crew.process.provisioner.open_session(replace(ada, name="Ada M. Moreno"), acme)
    assert shown(user) == ("Ada", "M. Moreno", "")

    await crew.run(acme, roster([ada], line(BEN)))
    assert shown(user) == ("Ada", "M. Moreno", "")

    await crew.run(acme, roster([replace(ada, name="Ada Lind")], line(BEN)))
    assert shown(user) == ("Ada", "Lind", "")


async def test_the_address_of_somebody_who_never_came_follows_the_roster(
    chat: Chat, crew: Crew, acme: Organization
) -> None:
    """Until they come, or somebody changes it."""
    ada = a_person("Ada Moreno", verified=False)
    await crew.run(acme, roster([ada], line(BEN)))
    user = await crew.user(chat, ada)

    await crew.run(acme, roster([replace(ada, email="ada@new.example")], line(BEN)))
    assert user.email == "ada@new.example"
    assert user.notify_props["email"] == "false"

    patch_user(chat.store, user, {"email": "chosen@example.com"})
    await crew.run(acme, roster([replace(ada, email="ada@newer.example")], line(BEN)))
    assert user.email == "chosen@example.com"


async def test_the_address_of_somebody_who_came_stays(chat: Chat, crew: Crew, acme: Organization) -> None:
    """It is the one that they proved."""
    ada = a_person("Ada Moreno")
    session = await crew.process.provisioner.open_session(ada, acme)

    await crew.run(acme, roster([replace(ada, email="typed@elsewhere.example")], line(BEN)))

    assert chat.user(session.user_id).email == ada.email


async def test_no_roster_changes_somebody_of_two_organizations(
    chat: Chat, crew: Crew, acme: Organization
) -> None:
    """One organization chooses neither names nor addresses that the other sees; their own visit does."""
    borealis = an_organization("Borealis Labs")
    ada = a_person("Ada Moreno", verified=False)
    await crew.run(acme, roster([ada], line(BEN)))
    other = replace(ada, name="Mallory", email="mallory@elsewhere.example")
    for _ in range(2):
        await crew.run(borealis, roster([other], line(BEN)))
        await crew.run(acme, roster([replace(other, name="Nobody")], line(BEN)))
    user = await crew.user(chat, ada)
    assert (shown(user), user.email) == (("Ada", "Moreno", ""), ada.email)

    await crew.process.provisioner.open_session(replace(ada, name="Ada Lind"), acme)
    assert shown(user) == ("Ada", "Lind", "")


async def test_an_address_that_another_account_has_is_a_failure(
    chat: Chat, crew: Crew, acme: Organization
) -> None:
    """Told in a sentence; the membership does not depend on it."""
    ada = a_person("Ada Moreno", verified=False)
    await crew.run(acme, roster([ada], line(BEN)))
    chat.store.create_user("holder", email="taken@example.com")

    report = await crew.run(acme, roster([replace(ada, email="taken@example.com")], line(BEN)))

    assert [(each.person_id, each.code) for each in report.failed] == [(ada.id, "email_not_changed")]
    assert "Another Mattermost account" in report.failed[0].message
    assert (await crew.user(chat, ada)).email == ada.email


@pytest.mark.parametrize(
    "address", ["taro..x@example.com", "taro.@example.com", ".taro@example.com", "a@b..c"]
)
async def test_an_address_that_mattermost_refuses_gets_a_sentence(
    chat: Chat, crew: Crew, acme: Organization, address: str
) -> None:
    """Of a new person; Mattermost is not even asked."""
    taro = a_person("Taro Ito", email=address)

    report = await crew.run(acme, roster([taro, a_person("Ben")]))

    assert [(each.person_id, each.code, each.message) for each in report.failed] == [
        (
            taro.id,
            "email_not_accepted",
            "Mattermost accepts no account with the e-mail address on the roster.",
        )
    ]
    assert not [user for user in chat.people() if user.first_name == "Taro"]
