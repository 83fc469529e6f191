"""`equabot-bridge keys` as an operator uses it."""

from argparse import Namespace
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import structlog
from asyncpg import Pool

from bridge.cli import parser
from bridge.commands import keys
from bridge.db.sealed_tokens import SealedTokens
from bridge.errors import ConfigurationError, StartupError
from bridge.runtime import token_keys
from bridge.secrets.key_ring import KeyRing
from tests.support.sealed import entry, opened_by, secret, store_tokens, stored_texts

OLD, NEW = entry("k1"), entry("k2")


@pytest.fixture(autouse=True)
def log() -> Iterator[None]:
    """The command configures the log."""
    yield
    structlog.reset_defaults()


def options(*words: str) -> Namespace:
    return parser().parse_args(["keys", *words])


def environ(dsn: str, token_keys: str) -> Mapping[str, str]:
    return {"DATABASE_URL": dsn, "TOKEN_KEYS": token_keys}


async def used(pool: Pool, keys: str, number: int) -> KeyRing:
    """Store tokens as a daemon with these keys does."""
    ring = KeyRing.parse(keys)
    await token_keys.check(ring, SealedTokens(pool))
    await store_tokens(pool, ring, range(number))
    return ring


async def test_a_new_key_is_printed_for_token_keys(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """On standard output alone; what to do with it stands beside."""
    assert await keys.run(options("new"), {"TOKEN_KEYS": f"{OLD},old:{OLD.partition(':')[2]}"}) == 0

    printed = capsys.readouterr()
    assert KeyRing.parse(printed.out.strip()).ids == ("k2",)
    assert "in front of TOKEN_KEYS" in printed.err
    assert printed.out.strip().partition(":")[2] not in printed.err


async def test_the_first_key_needs_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    """For whoever sets up a database of their own."""
    assert await keys.run(options("new"), {"DATABASE_URL": "postgresql://u@127.0.0.1/x"}) == 0

    assert KeyRing.parse(capsys.readouterr().out.strip()).ids == ("k1",)


async def test_a_new_key_goes_in_front_of_the_key_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is not printed there."""
    for _ in range(3):
        assert await keys.run(options("new"), {"BRIDGE_DATA_DIR": str(tmp_path)}) == 0

    text = (tmp_path / "token-keys").read_text().strip()
    assert KeyRing.parse(text).ids == ("k3", "k2", "k1")
    printed = capsys.readouterr()
    assert not any(part.partition(":")[2] in printed.out + printed.err for part in text.split(","))


async def test_status_shows_what_each_key_has_sealed(
    pool: Pool, dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without anything secret."""
    await used(pool, OLD, 3)

    assert await keys.run(options("status"), environ(dsn, f"{NEW},{OLD}")) == 0

    out = capsys.readouterr().out
    assert [line.split() for line in out.splitlines()] == [
        ["key", "state", "tokens"],
        ["k2", "seals", "0"],
        ["k1", "opens", "3"],
    ]
    assert not any(text in out for text in (OLD, NEW, *(await stored_texts(pool)).values()))


@pytest.mark.parametrize(
    ("ring", "state"),
    [(NEW, ["k1", "missing", "2"]), (entry("k1"), ["k1", "wrong", "2"])],
    ids=["missing", "wrong"],
)
async def test_status_fails_while_a_key_is_needed(
    pool: Pool, dsn: str, capsys: pytest.CaptureFixture[str], ring: str, state: list[str]
) -> None:
    """One that is gone, and one in whose place another stands."""
    await used(pool, OLD, 2)

    assert await keys.run(options("status"), environ(dsn, ring)) == 1
    assert state in [line.split() for line in capsys.readouterr().out.splitlines()]


async def test_reseal_seals_everything_with_the_first_key(
    pool: Pool, dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The old key may be dropped then."""
    await used(pool, OLD, 5)
    both = environ(dsn, f"{NEW},{OLD}")

    with pytest.raises(StartupError, match="keys reseal"):
        await keys.run(options("drop", "k1"), both)
    assert await keys.run(options("reseal"), both) == 0
    assert await keys.run(options("drop", "k1"), both) == 0

    out = capsys.readouterr().out
    assert "sealed 5 tokens anew with the key k2" in out
    assert "take it out of TOKEN_KEYS" in out
    assert await opened_by(pool, KeyRing.parse(NEW)) == [secret(number) for number in range(5)]
    assert list(await SealedTokens(pool).fingerprints()) == ["k2"]


async def test_reseal_tells_what_it_could_not_open(
    pool: Pool, dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """And ends with 1."""
    await used(pool, OLD, 1)
    await pool.execute("update mattermost_user_mappings set personal_access_token = 'v1:k1:ZGFtYWdlZA=='")

    assert await keys.run(options("reseal"), environ(dsn, f"{NEW},{OLD}")) == 1
    assert "1 do not open" in capsys.readouterr().err


async def test_the_key_that_seals_is_not_dropped(dsn: str) -> None:
    """Another has to stand in front of it first."""
    with pytest.raises(StartupError, match="put another in front"):
        await keys.run(options("drop", "k1"), environ(dsn, OLD))


async def test_a_lost_key_is_given_up_with_its_tokens(
    pool: Pool, dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The next visit of each person makes a new token and revokes the old one."""
    await used(pool, OLD, 2)
    lost = environ(dsn, NEW)

    assert await keys.run(options("drop", "k1", "--lost"), lost) == 0

    assert "forgot k1 and 2 tokens" in capsys.readouterr().out
    assert await stored_texts(pool) == {}
    assert await pool.fetchval("select bool_and(stray_tokens) from mattermost_user_mappings")
    assert await keys.run(options("status"), lost) == 0


async def test_a_key_that_is_there_is_not_lost(pool: Pool, dsn: str) -> None:
    """Its tokens are not given up by a slip."""
    await used(pool, OLD, 1)

    with pytest.raises(StartupError, match="not lost"):
        await keys.run(options("drop", "k1", "--lost"), environ(dsn, f"{NEW},{OLD}"))
    assert len(await stored_texts(pool)) == 1


async def test_without_keys_the_variable_is_named(dsn: str) -> None:
    """With what makes one."""
    with pytest.raises(ConfigurationError, match="TOKEN_KEYS: missing"):
        await keys.run(options("status"), {"DATABASE_URL": dsn})
