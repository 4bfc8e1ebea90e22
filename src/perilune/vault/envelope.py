"""The envelope: one secret under AES-256-GCM, bound to its name and to the key that opens it.

The cipher is imported when it is used: keys in the environment and in files need none.
"""

import binascii
import hashlib
import os
from base64 import b64decode, b64encode

from msgspec import Struct

_NONCE_BYTES = 12
_KEY_BYTES = 32
_SCRYPT_MEMORY = 64 * 1024 * 1024


class WrongKeyError(Exception):
    """The envelope was closed with another key, or has been changed."""


class Envelope(Struct, frozen=True):
    """A closed secret. Shape: `key` names the master key, `sealed` is nonce and ciphertext in Base64."""

    key: str
    sealed: str


class MasterKey:
    """The key of a vault."""

    __slots__ = ("_key", "id")

    def __init__(self, key: bytes) -> None:
        self._key = key
        self.id = hashlib.sha256(b"perilune key id" + key).hexdigest()[:16]

    @classmethod
    def of_text(cls, text: str, salt: bytes) -> "MasterKey":
        """The key that a text means: 32 bytes in hex or Base64, or a passphrase stretched with the vault's salt."""
        return cls(_as_key(text) or _stretched(text, salt))

    def close(self, name: str, secret: str) -> Envelope:
        """Seal a secret under a fresh nonce."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = os.urandom(_NONCE_BYTES)
        sealed = AESGCM(self._key).encrypt(nonce, secret.encode(), self._bound_to(name))
        return Envelope(self.id, b64encode(nonce + sealed).decode())

    def open(self, name: str, envelope: Envelope) -> str:
        """The secret inside.

        Raises: WrongKeyError.
        """
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        try:
            sealed = b64decode(envelope.sealed, validate=True)
            return (
                AESGCM(self._key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], self._bound_to(name)).decode()
            )
        except (InvalidTag, ValueError) as error:
            raise WrongKeyError(name) from error

    def _bound_to(self, name: str) -> bytes:
        return f"perilune vault\0{self.id}\0{name}".encode()

    def __repr__(self) -> str:
        return f"MasterKey({self.id})"


def _as_key(text: str) -> bytes | None:
    try:
        key = bytes.fromhex(text) if len(text) == 2 * _KEY_BYTES else b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return None
    return key if len(key) == _KEY_BYTES else None


def _stretched(text: str, salt: bytes) -> bytes:
    return hashlib.scrypt(text.encode(), salt=salt, n=2**15, r=8, p=1, dklen=_KEY_BYTES, maxmem=_SCRYPT_MEMORY)
