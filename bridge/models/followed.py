"""What accounts in Mattermost show of Equa. Pure: no I/O is imported here."""

from dataclasses import dataclass

from bridge.models.equa import PersonId


@dataclass(frozen=True, slots=True)
class Followed:
    """What an account shows of Equa; see `provisioning.following`."""

    provisioned: bool = True
    unconfirmed: bool = False
    visited: bool = False
    """Whether the person has come themselves, so that a roster does not change their address."""
    shown_name: str | None = None
    """The fields that the bridge has set, as JSON; None for none."""
    roster_name: str | None = None
    """The fields that the last roster gave."""
    shown_email: bytes | None = None
    """The digest of the address that a roster gave and the bridge has set."""
    elsewhere: bool = False
    """Whether the person is in another organization's team as well, so that no roster changes the account."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a roster says of a person whose account shows it already."""

    person_id: PersonId
    was_shown: str | None
    roster_name: str | None
    shown_name: str | None
    shown_email: bytes | None
