"""People's access tokens as they are stored."""

from bridge.models.equa import PersonId
from bridge.secrets.key_ring import KeyRing

COLUMN = "mattermost_user_mappings.personal_access_token"


def seal_token(keys: KeyRing, person: PersonId, secret: str) -> str:
    """Return the token's text for the person's row."""
    return keys.seal(secret, column=COLUMN, row=str(person))


def open_token(keys: KeyRing, person: PersonId, sealed: str) -> str:
    """Return the token of the person's row; raise `NotOpened`."""
    return keys.open(sealed, column=COLUMN, row=str(person))
