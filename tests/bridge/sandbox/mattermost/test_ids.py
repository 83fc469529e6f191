"""Ids."""

import random

from bridge.sandbox.mattermost.ids import ALPHABET, is_id, new_id


def test_an_id_has_26_characters_of_the_alphabet() -> None:
    """128 random bits make 26 characters."""
    source = random.Random(1)
    ids = {new_id(source) for _ in range(500)}
    assert len(ids) == 500
    assert all(len(each) == 26 and set(each) <= set(ALPHABET) for each in ids)


def test_ids_of_a_seed_can_be_had_again() -> None:
    """The same source gives the same ids."""
    assert new_id(random.Random(7)) == new_id(random.Random(7))


def test_what_has_the_form_of_an_id() -> None:
    """26 of [a-z0-9], and a string."""
    assert is_id("a" * 26)
    assert not any(is_id(each) for each in ("a" * 25, "a" * 27, "A" * 26, "a" * 25 + "\n", None, 26))
