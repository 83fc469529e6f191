"""People's accounts in Mattermost, as the bridge knows them."""

from dataclasses import dataclass, field

from bridge.models.chat import TeamId, TokenId, UserId
from bridge.models.equa import PersonId
from bridge.models.followed import Followed


@dataclass(frozen=True, slots=True)
class StoredToken:
    id: TokenId
    sealed: str = field(repr=False)
    """See `bridge.secrets.token_sealing`."""
    old: bool
    """Whether it is to be replaced."""


@dataclass(frozen=True, slots=True)
class Account:
    """A line of the mapping between people and accounts."""

    person_id: PersonId
    user_id: UserId
    username: str | None
    provisioned: bool
    """Whether the bridge created the account; else it was adopted."""
    unconfirmed: bool
    """Whether it was created with an address that may be somebody else's, and its notifications are off."""
    email_digest: bytes | None
    """Of the address that the person has last come with, None until then; see `provisioning.addresses`."""
    token: StoredToken | None
    stray_tokens: bool
    """Whether other tokens of the bridge may exist for the account, which are to be revoked."""
    followed: Followed = field(default_factory=Followed)
    visit_name: str | None = None
    """The fields that Equa gave at the last visit."""
    introduced: bool = False
    """Whether the tours are switched off."""
    color_scheme: str | None = None
    """Of the page at the first visit that named one."""
    auth_data: int | None = None
    """The number by which the person signs in with Equa."""
    auth_ready: bool = False
    """Whether Mattermost has that number."""


@dataclass(frozen=True, slots=True)
class Owner:
    """A person and their account."""

    person: PersonId
    user_id: UserId


@dataclass(frozen=True, slots=True)
class ReturningVisit:
    """Somebody who has been in the organization's team before, with everything that a visit needs."""

    account: Account
    token: StoredToken
    team_id: TeamId
