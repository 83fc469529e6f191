"""Tokens at rest: AES-256-GCM under a ring of keys, the first of which seals while all open.

The text form is `v1:<key id>:<base64 of nonce (12 bytes), ciphertext, tag (16 bytes)>`; table, column and row
are authenticated with it, so that a value moved to another row does not open. Random nonces are safe for
2^32 values a key (NIST SP 800-38D, 8.3).
"""

import base64
import binascii
import hmac
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bridge import private_file
from bridge.errors import ConfigurationError, Damaged, StartupError, UnknownKey

_VERSION = "v1"
_KEY_BYTES = 32
_NONCE_BYTES = 12
_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Keys by id, in the order of preference; neither repr nor an error shows one."""

    _keys: Mapping[str, bytes] = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `k2:<base64>,k1:<base64>`; `ConfigurationError` lists every mistake by its entry's number."""
        mistakes: list[str] = []
        keys: dict[str, bytes] = {}
        for number, entry in enumerate(text.split(","), start=1):
            key_id, _, encoded = entry.strip().partition(":")
            key = _decoded(encoded)
            if not _KEY_ID.fullmatch(key_id):
                mistakes.append(
                    f"entry {number} is not <id>:<base64>, with an id of letters, digits, _ and -"
                )
            elif key_id in keys:
                mistakes.append(f"entry {number} repeats the id of an earlier one")
            elif key is None or len(key) != _KEY_BYTES:
                mistakes.append(f"entry {number} has a key that is not base64 of exactly {_KEY_BYTES} bytes")
            else:
                keys[key_id] = key
        if mistakes:
            raise ConfigurationError(mistakes)
        return cls(keys)

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(self._keys)

    def seal(self, plain: str, *, column: str, row: str) -> str:
        """Return the text form of `plain` for `column` (as "table.column") of the row with the id `row`."""
        key_id = self.ids[0]
        nonce = os.urandom(_NONCE_BYTES)
        sealed = AESGCM(self._keys[key_id]).encrypt(nonce, plain.encode(), _bound_to(key_id, column, row))
        return f"{_VERSION}:{key_id}:{base64.b64encode(nonce + sealed).decode()}"

    def open(self, text: str, *, column: str, row: str) -> str:
        """Return what was sealed for this place; raise `UnknownKey` or `Damaged`."""
        key_id, sealed = _parts(text)
        if key_id not in self._keys:
            raise UnknownKey(f"A stored value is sealed with the key {key_id}, which is not configured.")
        nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            return AESGCM(self._keys[key_id]).decrypt(nonce, rest, _bound_to(key_id, column, row)).decode()
        except (InvalidTag, ValueError) as error:
            raise _damaged() from error

    def stale(self, text: str) -> bool:
        """Return whether the value is sealed with another key than the one that seals now."""
        return _parts(text)[0] != self.ids[0]

    def fingerprint(self, key_id: str) -> str:
        """Return 16 hex digits that identify the key and do not reveal it."""
        return hmac.digest(self._keys[key_id], b"equabot-bridge key fingerprint", "sha256").hex()[:16]


def new_key() -> str:
    """Return a fresh key in base64, without an id."""
    return base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()


def load_or_create(path: Path) -> KeyRing:
    """Return the key ring of a file; create it, with one key and mode 0600, if there is none.

    Of several processes that do so at once all return the key of one. Raises `StartupError` if the file
    is readable by others, and `ConfigurationError` if it holds no key ring.
    """
    if not path.exists():
        private_file.create(path, f"k1:{new_key()}\n")
    if path.stat().st_mode & 0o077:
        raise StartupError(f"The key file {path} is readable by others: chmod 600 it, and replace its keys.")
    return KeyRing.parse(path.read_text().strip())


def _bound_to(key_id: str, column: str, row: str) -> bytes:
    return f"{_VERSION}|{key_id}|{column}|{row}".encode()


def _parts(text: str) -> tuple[str, bytes]:
    match text.split(":"):
        case [version, key_id, encoded] if version == _VERSION:
            sealed = _decoded(encoded)
            if sealed is not None:
                return key_id, sealed
    raise _damaged()


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def _damaged() -> Damaged:
    return Damaged(
        "A stored value does not open: it was changed, moved, or sealed with another key of this id."
    )
