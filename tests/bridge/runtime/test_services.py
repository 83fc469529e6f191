"""Services as the daemon puts them together."""

import pytest
from asyncpg import Pool

from bridge import config
from bridge.db.sealed_tokens import FIRST, SealedTokens
from bridge.errors import StartupError
from bridge.runtime.clients import Clients
from bridge.secrets.key_ring import KeyRing
from handlers.http.app_keys import SERVICES
from tests.support.front import front, served
from tests.support.sealed import entry, store_tokens
from tests.support.services import built


async def test_nothing_is_put_together_that_is_not_configured(dsn: str, pool: Pool) -> None:
    """The API says of each what is missing."""
    async with built(config.load({"DATABASE_URL": dsn}), dsn, pool) as process:
        assert process.clients == Clients()
        assert process.services.sign_in is None
        await process.periodic_tasks.reseal()


async def test_what_goes_wrong_meanwhile_comes_out_as_it_is(dsn: str) -> None:
    """Its sentence is for the operator, who would not look for it in a group of errors."""
    async with front(dsn) as door:
        with pytest.raises(StartupError, match="port"):
            async with built(config.load(door.environ), dsn, door.pool):
                raise StartupError("The port is taken.")


async def test_a_start_with_the_wrong_keys_is_refused(dsn: str) -> None:
    """Before anybody is let in, and with the id of the key."""
    async with front(dsn) as door:
        await door.ticket()
        with pytest.raises(StartupError, match="the key k1, in whose place stands another one"):
            async with served(door.chat, door.equa, door.pool, dsn, TOKEN_KEYS=entry("k1")):
                pytest.fail("it started")


async def test_after_a_start_with_a_new_key_tokens_are_sealed_with_it(dsn: str) -> None:
    """People notice nothing: their token stays the same."""
    async with front(dsn) as door:
        await door.ticket()
        (token,) = door.tokens()
        keys = f"{entry('k2')},{door.environ['TOKEN_KEYS']}"
        async with served(door.chat, door.equa, door.pool, dsn, TOKEN_KEYS=keys) as later:
            await later.built.periodic_tasks.reseal()

            assert await SealedTokens(door.pool).counts() == {"k2": 1}
            assert (await later.login(await later.ticket())).status == 303
            assert door.tokens() == [token]


async def test_what_is_over_is_purged(dsn: str) -> None:
    """Expired tickets."""
    async with front(dsn) as door:
        await door.ticket()
        await door.pool.execute("update tickets set expires = now() - interval '1 second'")

        await door.built.periodic_tasks.purge()

        assert await door.pool.fetchval("select count(*) from tickets") == 0


async def test_no_repr_shows_a_secret(dsn: str) -> None:
    """Whatever somebody writes into a log some day."""
    async with front(dsn) as door:
        ticket = await door.ticket()
        ring = KeyRing.parse(door.environ["TOKEN_KEYS"])
        await store_tokens(door.pool, ring, [1])
        assert door.built.services.sign_in
        provisioner = door.built.services.sign_in.provisioner
        seen = [
            config.load(door.environ),
            door.built,
            door.built.clients,
            door.built.services,
            door.app[SERVICES],
            provisioner.admin,
            provisioner.team_bots,
            provisioner.keys,
            await door.built.services.sign_in.enter(ticket),
            await SealedTokens(door.pool).sealed_with_others("k9", after=FIRST, limit=9),
        ]

        names = [name for name in door.environ if name.endswith(("_TOKEN", "_PASSWORD"))]
        secrets = [
            *(door.environ[name] for name in names),
            *door.tokens(),
            *door.app[SERVICES].gateway_tokens,
        ]
        secrets += [door.environ["TOKEN_KEYS"].partition(":")[2], door.environ["DATABASE_URL"]]
        stored = await door.pool.fetch("select personal_access_token as t from mattermost_user_mappings")
        secrets += [row["t"] for row in stored]
        assert len(secrets) >= 8
        assert not [(thing, secret) for thing in map(repr, seen) for secret in secrets if secret in thing]
