"""One-time tickets: what a browser shows to be signed in, instead of the token itself."""

import re
import secrets
import string
from hashlib import sha256

from bridge.db.tickets import Holder
from bridge.errors import NotAMember, NotSignedIn
from bridge.models.equa import OrganizationId, PersonId
from provisioning.tables import Tables

_ALPHABET = string.ascii_lowercase + string.digits
_LENGTH = 26
"""Looks like a Mattermost token, which Equa's pages expect; 134 bits."""

_TICKET = re.compile(rf"[a-z0-9]{{{_LENGTH}}}")


async def issue(tables: Tables, person: PersonId, organization: OrganizationId) -> str:
    """Return a ticket that is good once, for 60 s, and as long as the person is in the organization's team.

    Raises `NotAMember` when they are not.
    """
    ticket = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
    if not await tables.tickets.put(_digest(ticket), organization, person):
        raise NotAMember("You are not a member of this organization.")
    return ticket


async def redeem(tables: Tables, ticket: str) -> Holder:
    """Use a ticket up and return whose it is; raise `NotSignedIn` if it is not good."""
    holder = await tables.tickets.take(_digest(ticket)) if _TICKET.fullmatch(ticket) else None
    if holder is None:
        raise NotSignedIn("This link has been used or is too old; please open Messaging in Equa again.")
    return holder


def _digest(ticket: str) -> bytes:
    return sha256(ticket.encode()).digest()
