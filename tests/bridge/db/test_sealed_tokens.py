"""Which key has sealed what, as the database knows it."""

import pytest
from asyncpg import Pool

from bridge.db.sealed_tokens import FIRST, SealedTokens
from bridge.secrets.key_ring import KeyRing
from tests.support.sealed import entry, somebody, store_tokens, stored_texts

ONE, TWO = KeyRing.parse(entry("k1")), KeyRing.parse(entry("k-2_x"))


@pytest.fixture
def tokens(pool: Pool) -> SealedTokens:
    return SealedTokens(pool)


async def test_tokens_are_counted_by_key(pool: Pool, tokens: SealedTokens) -> None:
    """Those of people who have none are not."""
    await store_tokens(pool, ONE, range(3))
    await store_tokens(pool, TWO, [7])
    await pool.execute("insert into mattermost_user_mappings values (gen_random_uuid(), 'u')")

    assert await tokens.counts() == {"k1": 3, "k-2_x": 1}


async def test_what_others_have_sealed_is_given_in_pages(pool: Pool, tokens: SealedTokens) -> None:
    """In the order of people, each once; nothing of it is in a repr."""
    await store_tokens(pool, ONE, range(5))
    await store_tokens(pool, TWO, [2 + 100, 3 + 100])

    first = await tokens.sealed_with_others("k-2_x", after=FIRST, limit=3)
    second = await tokens.sealed_with_others("k-2_x", after=first[-1].person, limit=3)

    assert [each.person for each in (*first, *second)] == [somebody(number) for number in range(5)]
    assert first[0].text not in repr(first)


async def test_a_key_is_dropped_when_nothing_needs_it(pool: Pool, tokens: SealedTokens) -> None:
    """Not before."""
    await tokens.record({"k1": "one", "k0": "none"})
    await store_tokens(pool, ONE, [0])

    assert (await tokens.drop("k1"), await tokens.drop("k0"), await tokens.drop("never")) == (
        False,
        True,
        True,
    )
    assert await tokens.fingerprints() == {"k1": "one"}


async def test_a_lost_key_takes_its_tokens_with_it(pool: Pool, tokens: SealedTokens) -> None:
    """Those of other keys stay."""
    await tokens.record({"k1": "one", "k-2_x": "two"})
    await store_tokens(pool, ONE, range(2))
    await store_tokens(pool, TWO, [7])

    assert await tokens.lose("k1") == 2

    assert list(await stored_texts(pool)) == [somebody(7)]
    assert await tokens.fingerprints() == {"k-2_x": "two"}
    left = await pool.fetch(
        "select stray_tokens, token_id, token_digest from mattermost_user_mappings order by id"
    )
    assert [row["stray_tokens"] for row in left] == [True, True, False]
    assert [row["token_id"] is row["token_digest"] is None for row in left] == [True, True, False]
