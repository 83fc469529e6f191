"""`equabot-bridge keys`: the keys that seal stored tokens."""

import re
import sys
from argparse import Namespace
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bridge import config, private_file
from bridge.config import Settings
from bridge.db.gateway_device import GatewayDevice
from bridge.db.pool import open_pool
from bridge.db.sealed_tokens import SealedTokens
from bridge.errors import ConfigurationError, StartupError
from bridge.log import configure
from bridge.runtime import token_keys
from bridge.runtime.database import any_database
from bridge.secrets.device_sealing import reseal_device
from bridge.secrets.key_ring import KeyRing, load_or_create, new_key
from bridge.secrets.reseal import Resealed, reseal

_NUMBERED = re.compile(r"k(\d+)")


@dataclass(frozen=True, slots=True)
class _KeyStore:
    """The keys, the file they are in, and the tokens that they have sealed."""

    ring: KeyRing
    file: Path | None
    tokens: SealedTokens


async def run(options: Namespace, environ: Mapping[str, str]) -> int:
    """Run the action."""
    settings = config.load(environ)
    configure("error", settings.log_format)
    match options.action:
        case "new":
            return _new(settings)
        case "status":
            async with _opened(settings) as store:
                return await _status(store)
        case "reseal":
            async with _opened(settings) as store:
                return await _reseal(store)
        case "drop":
            async with _opened(settings) as store:
                return await (_lose if options.lost else _drop)(store, options.key_id)
        case other:
            raise AssertionError(other)


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[_KeyStore]:
    async with any_database(settings) as dsn, await open_pool(dsn, max_size=2) as pool:
        ring = token_keys.key_ring(settings)
        if ring is None:
            raise ConfigurationError(["TOKEN_KEYS: missing; `equabot-bridge keys new` makes one"])
        yield _KeyStore(ring, token_keys.key_file(settings), SealedTokens(pool))


def _new(settings: Settings) -> int:
    """Put a new key in front of the key file's, or print it for whoever keeps TOKEN_KEYS."""
    file = token_keys.key_file(settings)
    if file is None:
        present = token_keys.key_ring(settings)
        print(_entry(present.ids if present else ()))
        print(
            "Put it in front of TOKEN_KEYS, with a comma behind it. Where several processes run, first put",
            file=sys.stderr,
        )
        print("it behind the others everywhere: none may meet a token whose key it lacks.", file=sys.stderr)
        return 0
    if not file.exists():
        settings.bridge_data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        load_or_create(file)
        print(f"made the key file {file}")
        return 0
    entry = _entry(load_or_create(file).ids)
    private_file.replace(file, f"{entry},{file.read_text().strip()}\n")
    print(f"added {entry.partition(':')[0]} to {file}; the daemon seals with it from its next start on")
    return 0


def _entry(taken: Collection[str]) -> str:
    numbers = [int(match[1]) for key in taken if (match := _NUMBERED.fullmatch(key))]
    return f"k{max(numbers, default=0) + 1}:{new_key()}"


async def _status(store: _KeyStore) -> int:
    """Print each key and its number of tokens; 1 if a token needs a missing key."""
    counts, known = await store.tokens.counts(), await store.tokens.fingerprints()
    known = {key: fingerprint for key, fingerprint in known.items() if key in counts}
    states = {key: _state(store.ring, key, known) for key in (*store.ring.ids, *counts)}
    print(f"{'key':<33}{'state':<9}tokens")
    for key, state in states.items():
        print(f"{key:<33}{state:<9}{counts.get(key, 0)}")
    return int(any(states[key] in ("missing", "wrong") for key in counts))


def _state(ring: KeyRing, key: str, known: Mapping[str, str]) -> str:
    if key not in ring.ids:
        return "missing"
    if known.get(key, ring.fingerprint(key)) != ring.fingerprint(key):
        return "wrong"
    return "seals" if key == ring.ids[0] else "opens"


async def _reseal(store: _KeyStore) -> int:
    await token_keys.check(store.ring, store.tokens)
    first = store.ring.ids[0]
    counts = await store.tokens.counts()
    total = sum(counts.values()) - counts.get(first, 0)
    device = await reseal_device(store.ring, GatewayDevice(store.tokens.pool))
    became = await reseal(store.ring, store.tokens, lambda so_far: _progress(so_far, total))
    print(f"sealed {became.done + device} tokens anew with the key {first}")
    if became.failed:
        print(f"{became.failed} do not open: their people get new ones at their next visit", file=sys.stderr)
    return int(became.failed > 0)


def _progress(so_far: Resealed, total: int) -> None:
    if sys.stderr.isatty():
        print(f"{so_far.done + so_far.failed} of {total}", end="\r", file=sys.stderr)


async def _drop(store: _KeyStore, key: str) -> int:
    """Forget a key that has sealed nothing any more, and take it out of the key file."""
    if key == store.ring.ids[0]:
        raise StartupError(f"The key {key} seals: put another in front of it first.")
    if not await store.tokens.drop(key):
        raise StartupError(
            f"Stored tokens are sealed with the key {key}: run `equabot-bridge keys reseal` first."
        )
    if store.file and key in store.ring.ids:
        entries = store.file.read_text().strip().split(",")
        kept = [entry for entry in entries if entry.strip().partition(":")[0] != key]
        private_file.replace(store.file, f"{','.join(kept)}\n")
        print(f"dropped {key}")
    elif key in store.ring.ids:
        print(f"nothing is sealed with {key}: take it out of TOKEN_KEYS")
    else:
        print(f"nothing is sealed with {key}, and it is not in the ring")
    return 0


async def _lose(store: _KeyStore, key: str) -> int:
    """Forget a key that is gone, with all that it has sealed."""
    known = await store.tokens.fingerprints()
    if key in store.ring.ids and known.get(key) == store.ring.fingerprint(key):
        raise StartupError(f"The key {key} is not lost: it is here and opens what it has sealed.")
    lost = await store.tokens.lose(key)
    print(f"forgot {key} and {lost} tokens; their people get new ones at their next visit")
    return 0
