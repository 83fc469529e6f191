"""The people and organizations of the demo, as all parts of the sandbox know them.

Ada and Elif administer one organization each, Dmitri belongs to both, Hana to none. Northwind is a
shareholder without an account, Grace is invited and has not registered.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from bridge.models.equa import OrganizationId, PersonId
from bridge.sandbox.agent.knowledge import Organization as Known
from bridge.sandbox.agent.knowledge import Stake

PASSWORD = "sandbox-1234"  # noqa: S105 - of accounts that exist in memory only
"""The password of every account."""


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who can sign in to Equa."""

    id: PersonId
    username: str
    first_name: str
    last_name: str
    site: bool = False
    """Whether a site-level role lets the account see every organization, as the service account's does."""

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}"

    @property
    def email(self) -> str:
        return f"{self.username}@example.com"


Role = Literal["Owner", "Director", "Finance", "Staff", "Investor"]

STAFF = frozenset({"viewOrganization", "viewSelf", "viewMembers", "viewDocuments"})

EVERYTHING = (
    STAFF
    | {"editMembers", "editOrganizationDetails", "viewCapTable", "editCapTable", "editDocuments"}
    | {"deleteDocuments", "viewIncentivePlan", "editIncentivePlan", "viewGoverningDocuments"}
    | {"editBilling", "signing"}
)
"""Equa's fifteen built-in permissions."""

PERMISSIONS: Mapping[Role, frozenset[str]] = {
    "Owner": EVERYTHING,
    "Director": STAFF | {"editMembers", "viewCapTable", "editDocuments", "signing"},
    "Finance": STAFF | {"viewCapTable", "editCapTable", "editBilling"},
    "Staff": STAFF,
    "Investor": frozenset({"viewOrganization", "viewSelf", "viewCapTable"}),
}
"""What each role permits."""


@dataclass(frozen=True, slots=True)
class MemberAccount:
    """A line of an organization's roster."""

    id: UUID
    name: str
    email: str
    title: str
    role: Role
    account: Account | None = None
    is_individual: bool = True


@dataclass(frozen=True, slots=True)
class Company:
    """An organization with everything that its agent may be asked about."""

    id: OrganizationId
    name: str
    members: tuple[MemberAccount, ...]
    stakes: tuple[Stake, ...]
    documents: tuple[str, ...]

    def people(self) -> Iterator[tuple[Account, str]]:
        """Yield who can open Messaging, each with their title."""
        return ((member.account, member.title) for member in self.members if member.account)


def _account(tail: int, username: str, first_name: str, last_name: str, *, site: bool = False) -> Account:
    person = PersonId(UUID(f"5d0c1e7a-93b4-4f02-8a61-{tail:012x}"))
    return Account(person, username, first_name, last_name, site)


def _member(tail: int, account: Account, title: str, role: Role) -> MemberAccount:
    return MemberAccount(_member_id(tail), account.name, account.email, title, role, account)


def _member_id(tail: int) -> UUID:
    return UUID(f"b8e94f36-2c17-4d5b-9e03-{tail:012x}")


ADA = _account(1, "ada", "Ada", "Moreno")
BEN = _account(2, "ben", "Ben", "Okafor")
CHLOE = _account(3, "chloe", "Chloe", "Tanaka")
DMITRI = _account(4, "dmitri", "Dmitri", "Novak")
ELIF = _account(5, "elif", "Elif", "Kaya")
FEMI = _account(6, "femi", "Femi", "Adeyemi")
HANA = _account(7, "hana", "Hana", "Weiss")
SERVICE = _account(8, "bridge", "Bridge", "Service", site=True)

ACCOUNTS = (ADA, BEN, CHLOE, DMITRI, ELIF, FEMI, HANA, SERVICE)

ACME = Company(
    id=OrganizationId(UUID("0f3b6a52-7d18-4c9e-b1a4-6e2d90c5f713")),
    name="Acme Corp",
    members=(
        _member(1, ADA, "Chief Executive Officer", "Owner"),
        _member(2, BEN, "Chief Financial Officer", "Finance"),
        _member(3, CHLOE, "Staff Engineer", "Staff"),
        _member(4, DMITRI, "Adviser", "Investor"),
        MemberAccount(
            _member_id(5),
            "Northwind Ventures",
            "deals@northwind.example.com",
            "Shareholder",
            "Investor",
            is_individual=False,
        ),
    ),
    stakes=(
        Stake("Ada Moreno", "Common Stock", 4_000_000),
        Stake("Ben Okafor", "Common Stock", 1_500_000),
        Stake("Northwind Ventures", "Series A Preferred", 2_000_000),
        Stake("Chloe Tanaka", "Options", 250_000),
    ),
    documents=(
        "Certificate of Incorporation.pdf",
        "Bylaws.pdf",
        "Series A Stock Purchase Agreement.pdf",
    ),
)

BOREALIS = Company(
    id=OrganizationId(UUID("c41d8e07-a5f9-4b36-92d0-38b7e16f4ac8")),
    name="Borealis Labs",
    members=(
        _member(6, ELIF, "Managing Director", "Director"),
        _member(7, FEMI, "Head of Research", "Staff"),
        _member(8, DMITRI, "Chief Technology Officer", "Staff"),
        MemberAccount(_member_id(9), "Grace Lindqvist", "grace@example.com", "Designer, invited", "Staff"),
    ),
    stakes=(
        Stake("Elif Kaya", "Class A Units", 600_000),
        Stake("Dmitri Novak", "Class A Units", 300_000),
        Stake("Femi Adeyemi", "Profits Interest", 100_000),
    ),
    documents=("Operating Agreement.pdf", "Research Licence.pdf"),
)

COMPANIES = (ACME, BOREALIS)


def agent_directory() -> dict[UUID, Known]:
    """Return what the sandbox's agent knows, by organization."""
    return {company.id: _known(company) for company in COMPANIES}


def _known(company: Company) -> Known:
    people = [(account.name, title) for account, title in company.people()]
    return Known(company.name, people, company.stakes, company.documents)
