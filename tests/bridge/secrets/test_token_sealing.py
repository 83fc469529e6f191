"""Tokens as they are stored."""

from uuid import uuid4

import pytest

from bridge.errors import Damaged
from bridge.models.equa import PersonId
from bridge.secrets.key_ring import KeyRing, new_key
from bridge.secrets.token_sealing import open_token, seal_token

KEYS = KeyRing.parse(f"k1:{new_key()}")


def test_a_token_opens_for_its_own_person() -> None:
    """What was sealed comes back."""
    person = PersonId(uuid4())

    assert open_token(KEYS, person, seal_token(KEYS, person, "secret")) == "secret"


def test_a_token_moved_to_another_row_does_not_open() -> None:
    """Who may write into the database cannot give somebody another one's token."""
    sealed = seal_token(KEYS, PersonId(uuid4()), "secret")

    with pytest.raises(Damaged):
        open_token(KEYS, PersonId(uuid4()), sealed)
