"""The key by which a gateway on another host knows the bridge. Pure: no I/O is imported here."""

import base64
import hashlib
from dataclasses import dataclass, field
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


@dataclass(frozen=True, slots=True)
class DeviceKey:
    """An Ed25519 key; all processes of an installation share one, so that it is paired once."""

    _key: Ed25519PrivateKey = field(repr=False)

    @classmethod
    def new(cls) -> Self:
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def of(cls, secret: str) -> Self:
        """Read it as `secret` gives it; raise `ValueError`."""
        return cls(Ed25519PrivateKey.from_private_bytes(base64.b64decode(secret, validate=True)))

    @property
    def secret(self) -> str:
        """The private key in base64."""
        return base64.b64encode(self._key.private_bytes_raw()).decode()

    @property
    def id(self) -> str:
        """What the gateway lists it by: the SHA-256 of the public key, in hex."""
        return hashlib.sha256(self._key.public_key().public_bytes_raw()).hexdigest()

    @property
    def public_key(self) -> str:
        return _base64url(self._key.public_key().public_bytes_raw())

    def sign(self, text: str) -> str:
        return _base64url(self._key.sign(text.encode()))


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
