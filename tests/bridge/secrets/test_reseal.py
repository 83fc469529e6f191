"""Stored tokens sealed anew."""

import asyncio

import pytest
from asyncpg import Pool

from bridge.db.sealed_tokens import FIRST, SealedTokens
from bridge.errors import UnknownKey
from bridge.secrets.key_ring import KeyRing
from bridge.secrets.reseal import Resealed, reseal
from tests.support.sealed import entry, opened_by, secret, somebody, store_tokens, stored_texts

OLD, NEW = entry("k1"), entry("k2")
BEFORE, BOTH, AFTER = KeyRing.parse(OLD), KeyRing.parse(f"{NEW},{OLD}"), KeyRing.parse(NEW)


@pytest.fixture
def tokens(pool: Pool) -> SealedTokens:
    return SealedTokens(pool)


async def test_everything_is_sealed_with_the_first_key(pool: Pool, tokens: SealedTokens) -> None:
    """More than one batch; the old key can go then."""
    await store_tokens(pool, BEFORE, range(450))
    reported: list[Resealed] = []

    assert await reseal(BOTH, tokens, reported.append) == Resealed(450, 0)

    assert [each.done for each in reported] == [200, 400, 450]
    assert await tokens.counts() == {"k2": 450}
    assert await opened_by(pool, AFTER) == [secret(number) for number in range(450)]
    with pytest.raises(UnknownKey):
        await opened_by(pool, BEFORE)


async def test_what_is_sealed_with_the_first_key_is_left_alone(pool: Pool, tokens: SealedTokens) -> None:
    """A second run has nothing to do."""
    await store_tokens(pool, AFTER, range(3))
    before = await stored_texts(pool)

    assert await reseal(BOTH, tokens) == Resealed()
    assert await stored_texts(pool) == before


async def test_it_goes_on_where_it_was_interrupted(pool: Pool, tokens: SealedTokens) -> None:
    """Nothing is done twice, nothing is left."""
    await store_tokens(pool, BEFORE, range(450))

    def interrupt(_: Resealed) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await reseal(BOTH, tokens, interrupt)

    assert await tokens.counts() == {"k1": 250, "k2": 200}
    assert await reseal(BOTH, tokens) == Resealed(250, 0)


async def test_damaged_tokens_do_not_stop_it(pool: Pool, tokens: SealedTokens) -> None:
    """They stay as they are; so does what an unknown key has sealed."""
    await store_tokens(pool, BEFORE, range(3))
    await store_tokens(pool, KeyRing.parse(entry("k0")), [7])
    await pool.execute(
        "update mattermost_user_mappings set personal_access_token = overlay("
        "personal_access_token placing 'AAAA' from 20) where id = $1",
        somebody(1),
    )

    assert await reseal(BOTH, tokens) == Resealed(2, 2)
    assert await tokens.counts() == {"k0": 1, "k1": 1, "k2": 2}


async def test_a_token_that_was_replaced_meanwhile_stays(pool: Pool, tokens: SealedTokens) -> None:
    """The new one must not be overwritten by the old one."""
    await store_tokens(pool, BEFORE, [0])
    (old,) = await tokens.sealed_with_others("k2", after=FIRST, limit=10)
    await pool.execute("update mattermost_user_mappings set personal_access_token = 'v1:k2:bmV3'")

    assert await tokens.replace([(old, "v1:k2:b2xk")]) == 0
    assert list((await stored_texts(pool)).values()) == ["v1:k2:bmV3"]


async def test_two_processes_may_do_it_at_once(pool: Pool, tokens: SealedTokens) -> None:
    """They neither wait for each other in a circle nor spoil anything."""
    await store_tokens(pool, BEFORE, range(450))

    await asyncio.gather(*(reseal(BOTH, tokens) for _ in range(4)))

    assert await opened_by(pool, AFTER) == [secret(number) for number in range(450)]
