"""Which keys there are, and whether they are the right ones."""

import stat
from pathlib import Path

import pytest
from asyncpg import Pool

from bridge import config, private_file
from bridge.db.sealed_tokens import SealedTokens
from bridge.errors import StartupError
from bridge.runtime import token_keys
from bridge.secrets.key_ring import KeyRing
from bridge.secrets.reseal import Resealed, reseal
from tests.support.sealed import entry, store_tokens

OLD, NEW = entry("k1"), entry("k2")
DATABASE = "postgresql://somebody@127.0.0.1/bridge"


@pytest.fixture
def tokens(pool: Pool) -> SealedTokens:
    return SealedTokens(pool)


def ring_of(tmp_path: Path, **variables: str) -> KeyRing | None:
    return token_keys.key_ring(config.load({"BRIDGE_DATA_DIR": str(tmp_path), **variables}))


def test_keys_are_made_where_the_database_is_ours(tmp_path: Path) -> None:
    """Once, and for its owner's eyes only."""
    made, again = ring_of(tmp_path), ring_of(tmp_path)

    assert made is not None
    assert again is not None
    assert made.fingerprint("k1") == again.fingerprint("k1")
    assert stat.S_IMODE((tmp_path / "token-keys").stat().st_mode) == 0o600


def test_a_key_file_that_others_can_read_is_not_used(tmp_path: Path) -> None:
    """The sentence says what to do."""
    ring_of(tmp_path)
    (tmp_path / "token-keys").chmod(0o640)

    with pytest.raises(StartupError, match="chmod 600"):
        ring_of(tmp_path)


def test_the_operators_keys_come_first(tmp_path: Path) -> None:
    """None are made then, nor where the database is somewhere else."""
    own = ring_of(tmp_path, TOKEN_KEYS=OLD)

    assert own is not None
    assert own.fingerprint("k1") == KeyRing.parse(OLD).fingerprint("k1")
    assert ring_of(tmp_path, DATABASE_URL=DATABASE) is None
    assert list(tmp_path.iterdir()) == []


def test_a_key_file_is_replaced_at_once_and_kept_private(tmp_path: Path) -> None:
    """Nothing is left beside it."""
    file = tmp_path / "token-keys"
    ring_of(tmp_path)

    private_file.replace(file, f"{NEW},{OLD}")

    ring = ring_of(tmp_path)
    assert ring is not None
    assert ring.ids == ("k2", "k1")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["token-keys"]


async def test_the_keys_that_have_sealed_are_taken(pool: Pool, tokens: SealedTokens) -> None:
    """Again and again, and with a new one in front or behind."""
    ring = KeyRing.parse(OLD)
    await token_keys.check(ring, tokens)
    await store_tokens(pool, ring, range(3))

    for keys in (OLD, f"{NEW},{OLD}", f"{OLD},{NEW}"):
        await token_keys.check(KeyRing.parse(keys), tokens)

    assert await tokens.fingerprints() == {
        "k1": ring.fingerprint("k1"),
        "k2": KeyRing.parse(NEW).fingerprint("k2"),
    }


async def test_another_key_of_the_same_id_is_refused(pool: Pool, tokens: SealedTokens) -> None:
    """By its id, and told from damaged data; nothing of a key is shown."""
    ring, wrong = KeyRing.parse(OLD), entry("k1")
    await token_keys.check(ring, tokens)
    await store_tokens(pool, ring, range(2))

    with pytest.raises(StartupError) as refused:
        await token_keys.check(KeyRing.parse(wrong), tokens)

    assert "2 stored tokens are sealed with the key k1" in refused.value.message
    assert "another one of this id" in refused.value.message
    assert "keys drop k1 --lost" in refused.value.message
    for keys in (OLD, wrong):
        assert keys.partition(":")[2] not in refused.value.message
    await token_keys.check(ring, tokens)


async def test_a_missing_key_is_missed(pool: Pool, tokens: SealedTokens) -> None:
    """Otherwise everybody's token would be replaced without a word."""
    ring = KeyRing.parse(OLD)
    await token_keys.check(ring, tokens)
    await store_tokens(pool, ring, [0])

    with pytest.raises(StartupError, match="1 stored token is sealed with the key k1, which is missing"):
        await token_keys.check(KeyRing.parse(NEW), tokens)


async def test_damaged_tokens_are_no_matter_of_keys(pool: Pool, tokens: SealedTokens) -> None:
    """The right key is right, whatever it cannot open."""
    ring = KeyRing.parse(OLD)
    await token_keys.check(ring, tokens)
    await store_tokens(pool, ring, [0])
    await pool.execute("update mattermost_user_mappings set personal_access_token = 'v1:k1:ZGFtYWdlZA=='")

    await token_keys.check(ring, tokens)
    assert await reseal(KeyRing.parse(f"{NEW},{OLD}"), tokens) == Resealed(0, 1)


async def test_an_id_that_seals_nothing_may_stand_for_another_key(tokens: SealedTokens) -> None:
    """From then on that one is known by it."""
    await token_keys.check(KeyRing.parse(OLD), tokens)
    other = KeyRing.parse(entry("k1"))

    await token_keys.check(other, tokens)

    assert await tokens.fingerprints() == {"k1": other.fingerprint("k1")}
