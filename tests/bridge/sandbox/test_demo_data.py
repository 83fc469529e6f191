"""The world is one that every part of the sandbox can be made of."""

from uuid import UUID

from bridge.sandbox import demo_data
from bridge.sandbox.agent.knowledge import answer
from bridge.sandbox.equa import Store


def test_everybody_and_everything_has_an_id_of_its_own() -> None:
    """Accounts, organizations and lines of rosters are told apart by their ids."""
    ids: list[UUID] = [account.id for account in demo_data.ACCOUNTS]
    ids += [company.id for company in demo_data.COMPANIES]
    ids += [member.id for company in demo_data.COMPANIES for member in company.members]

    assert len(set(ids)) == len(ids)
    assert len({account.email for account in demo_data.ACCOUNTS}) == len(demo_data.ACCOUNTS)


def test_its_accounts_belong_to_one_both_or_none() -> None:
    """One of each kind is there to try."""
    homes = {
        account.username: [
            company.name
            for company in demo_data.COMPANIES
            if account in [person for person, _ in company.people()]
        ]
        for account in demo_data.ACCOUNTS
    }

    assert homes["ada"] == ["Acme Corp"]
    assert homes["dmitri"] == ["Acme Corp", "Borealis Labs"]
    assert homes["hana"] == []


def test_roles_permit_built_in_permissions_only() -> None:
    """There are fifteen of them."""
    assert len(demo_data.EVERYTHING) == 15
    assert frozenset().union(*demo_data.PERMISSIONS.values()) == demo_data.EVERYTHING


def test_each_agent_knows_its_own_organization() -> None:
    """What is asked about the team, the shares and the documents has an answer with the world's names."""
    directory = demo_data.agent_directory()

    for company in demo_data.COMPANIES:
        known = directory[company.id]
        assert all(account.name in answer(known, "who is on our team?") for account, _ in company.people())
        assert all(stake.holder in answer(known, "show the cap table") for stake in company.stakes)
        assert all(document in answer(known, "what documents are there?") for document in company.documents)


def test_equa_can_be_filled_with_it() -> None:
    """Every member is a member, with the account if there is one."""
    store = Store.of_the_world()

    for company in demo_data.COMPANIES:
        members = store.organizations[company.id].members
        assert {member.id: member.user for member in members.values()} == {
            member.id: member.account.id if member.account else None for member in company.members
        }
