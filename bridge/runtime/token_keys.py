"""Which keys seal stored tokens, and whether they are the ones that have sealed those that are there."""

from pathlib import Path

from bridge.config import Settings
from bridge.db.sealed_tokens import SealedTokens
from bridge.errors import StartupError
from bridge.secrets.key_ring import KeyRing, load_or_create

_FILE = "token-keys"


def key_file(settings: Settings) -> Path | None:
    """Return where generated keys are kept; none where the operator keeps them."""
    if settings.token_keys or settings.database_url:
        return None
    return settings.bridge_data_dir / _FILE


def key_ring(settings: Settings) -> KeyRing | None:
    """Return the ring of TOKEN_KEYS, or that of the data directory if the database lies there too.

    The latter is made if there is none. With a database elsewhere and no TOKEN_KEYS there is none. Raises
    `StartupError` and `ConfigurationError`.
    """
    if settings.token_keys:
        return KeyRing.parse(settings.token_keys.get_secret_value())
    file = key_file(settings)
    return load_or_create(file) if file else None


async def check(ring: KeyRing, tokens: SealedTokens) -> None:
    """Remember the keys by their fingerprints; raise `StartupError` if a stored token needs another one.

    The fingerprints tell a wrong key from a damaged value: neither opens.
    """
    known = await tokens.fingerprints()
    for key, number in (await tokens.counts()).items():
        if key not in ring.ids:
            raise StartupError(_sentence(number, key, "which is missing"))
        if known.get(key, ring.fingerprint(key)) != ring.fingerprint(key):
            raise StartupError(_sentence(number, key, "in whose place stands another one of this id"))
    await tokens.record({key: ring.fingerprint(key) for key in ring.ids})


def _sentence(number: int, key: str, wrong: str) -> str:
    tokens = "1 stored token is" if number == 1 else f"{number} stored tokens are"
    return (
        f"{tokens} sealed with the key {key}, {wrong}: put that key back, behind a new one of another id"
        f" if you have one. If it is lost: `equabot-bridge keys drop {key} --lost`, and new tokens are made."
    )
