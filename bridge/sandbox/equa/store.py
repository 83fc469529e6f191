"""Everything a sandbox Equa keeps, all in memory, with shortcuts that set up a scene without HTTP."""

import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Self
from uuid import UUID, uuid4

from bridge.sandbox import demo_data
from bridge.sandbox.equa import cookies
from bridge.sandbox.equa.records import Member, Organization, Role, Session, User

SITE_PERMISSIONS = frozenset({"viewOrganization", "viewMembers"})


class Store:
    """Users, organizations and sessions; it outlives the server."""

    def __init__(self, *, max_age: float = 2520.0, clock: Callable[[], float] = time.time) -> None:
        self.users: dict[UUID, User] = {}
        self.organizations: dict[UUID, Organization] = {}
        self.sessions: dict[str, Session] = {}
        self.max_age = max_age
        """Seconds that a session lives after its last use."""
        self._clock = clock
        self._secret = secrets.token_bytes(32)

    @classmethod
    def of_the_world(cls, *, clock: Callable[[], float] = time.time) -> Self:
        """Return a store with everybody of `bridge.sandbox.demo_data` in it."""
        store = cls(clock=clock)
        for account in demo_data.ACCOUNTS:
            store.add_account(account)
        for company in demo_data.COMPANIES:
            store.add_company(company)
        return store

    def add_account(self, account: demo_data.Account) -> User:
        user = User(
            account.id,
            account.email,
            account.username,
            account.first_name,
            account.last_name,
            demo_data.PASSWORD,
            site_permissions=SITE_PERMISSIONS if account.site else frozenset(),
        )
        self.users[user.id] = user
        return user

    def add_company(self, company: demo_data.Company) -> Organization:
        organization = Organization(company.id, company.name)
        roles = {name: Role(uuid4(), name, granted) for name, granted in demo_data.PERMISSIONS.items()}
        self.organizations[organization.id] = organization
        for line in company.members:
            organization.members[line.id] = Member(
                line.id,
                line.name,
                line.email,
                organization.id,
                line.account.id if line.account else None,
                line.is_individual,
                line.title,
                (roles[line.role],),
            )
        return organization

    def add_member(
        self, organization: UUID, user: User, permissions: Iterable[str] = demo_data.STAFF
    ) -> Member:
        """Make a user a member with a role of these permissions."""
        role = Role(uuid4(), "Custom", frozenset(permissions))
        name = f"{user.first_name} {user.last_name}"
        member = Member(uuid4(), name, user.email, organization, user.id, roles=(role,))
        self.organizations[organization].members[member.id] = member
        return member

    def remove_member(self, organization: UUID, user: UUID) -> None:
        """Take a user out of an organization."""
        members = self.organizations[organization].members
        for member in self.memberships(organization, user):
            del members[member.id]

    def memberships(self, organization: UUID, user: UUID) -> list[Member]:
        """Return the lines of the roster that are this user's."""
        return [member for member in self.organizations[organization].members.values() if member.user == user]

    def organizations_of(self, user: UUID) -> Iterator[Organization]:
        """Yield the organizations that a user is a member of."""
        return (found for found in self.organizations.values() if self.memberships(found.id, user))

    def permissions(self, organization: UUID, user: UUID) -> frozenset[str]:
        """Return what a user may do in an organization: the union over their roles and a site-level one."""
        own = self.users[user].site_permissions if user in self.users else frozenset()
        roles = [role for member in self.memberships(organization, user) for role in member.roles]
        return own.union(*(role.permissions for role in roles))

    def user_by_credentials(self, email: str, password: str) -> User | None:
        for user in self.users.values():
            if user.email.lower() == email.lower() and user.enabled:
                return user if secrets.compare_digest(user.password.encode(), password.encode()) else None
        return None

    def begin_session(self, user: UUID) -> Session:
        session = Session(secrets.token_urlsafe(24), user, self._clock() + self.max_age)
        self.sessions[session.id] = session
        return session

    def sign_in(self, user: UUID) -> str:
        """Begin a session and return the Cookie header that a browser sends from then on."""
        return cookies.header(self.begin_session(user).id, self._secret)

    def session(self, cookie: str) -> Session | None:
        """Return the session of a Cookie header, and let it live for `max_age` more."""
        session = self.sessions.get(cookies.session_id(cookie, self._secret))
        if session is None or session.expires <= self._clock():
            return None
        session.expires = self._clock() + self.max_age
        return session

    def sign_out(self, session: Session) -> None:
        self.sessions.pop(session.id, None)

    def expire_sessions(self) -> None:
        """End every session, as a restart with another secret does."""
        self.sessions.clear()

    def set_cookie(self, session: Session) -> str:
        """Return the Set-Cookie header of a session, which is sent with every answer."""
        return cookies.set_cookie(session.id, self._secret, session.expires)
