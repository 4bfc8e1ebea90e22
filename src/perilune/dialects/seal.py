"""Our own mark on reasoning: a signature a Messages client echoes, and an envelope a Responses client echoes.

Both are made from one key and from nothing else, so that equal input gives equal output and a prompt's prefix stays
byte-identical from turn to turn.
"""

import base64
import binascii
import hashlib
import hmac
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from perilune.core.decoding import decoded

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

PREFIX = "plr1."


class Sealed(Struct, frozen=True):
    """What an envelope holds: the thought, the family that made it, and the maker's signature where it gave one."""

    text: str
    family: str = ""
    signature: str | None = None


class Seal:
    """Signs reasoning with a keyed MAC and seals it with AES-256-GCM; `key` is 32 bytes or more."""

    __slots__ = ("_mac_key", "_nonce_key", "_seal_key")

    def __init__(self, key: bytes) -> None:
        if len(key) < 32:
            raise ValueError("a seal needs a key of at least 32 bytes")
        self._mac_key = _derived(key, b"perilune reasoning signature")
        self._seal_key = _derived(key, b"perilune reasoning envelope")
        self._nonce_key = _derived(key, b"perilune reasoning nonce")

    def sign(self, text: str, family: str) -> str:
        """The token `plr1.FAMILY.MAC` over the text and the slot family."""
        return f"{PREFIX}{_b64(family.encode())}.{_b64(self._mac(text, family))}"

    def verify(self, signature: str, text: str) -> str | None:
        """The slot family of a token that is ours and belongs to this text, else None."""
        family_text, _, mac_text = signature.removeprefix(PREFIX).partition(".")
        family, mac = _unb64(family_text), _unb64(mac_text)
        if not is_ours(signature) or family is None or mac is None:
            return None
        name = family.decode(errors="replace")
        return name if hmac.compare_digest(mac, self._mac(text, name)) else None

    def seal(self, sealed: Sealed) -> str:
        """The envelope of a thought. The nonce is a MAC of the content: two different contents never share one."""
        plain = msgspec.json.encode(sealed)
        nonce = hmac.digest(self._nonce_key, plain, hashlib.sha256)[:12]
        return PREFIX + _b64(nonce + self._cipher().encrypt(nonce, plain, PREFIX.encode()))

    def open(self, envelope: str) -> Sealed | None:
        """What an envelope of ours holds; None for a foreign or changed one."""
        from cryptography.exceptions import InvalidTag

        raw = _unb64(envelope.removeprefix(PREFIX)) if is_ours(envelope) else None
        if raw is None or len(raw) < 28:
            return None
        try:
            plain = self._cipher().decrypt(raw[:12], raw[12:], PREFIX.encode())
            return decoded(plain, Sealed)
        except (InvalidTag, msgspec.MsgspecError):
            return None

    def _mac(self, text: str, family: str) -> bytes:
        message = family.encode() + b"\0" + text.encode(errors="surrogatepass")
        return hmac.digest(self._mac_key, message, hashlib.sha256)[:24]

    def _cipher(self) -> "AESGCM":
        from cryptography.hazmat.primitives.ciphers import aead

        return aead.AESGCM(self._seal_key)


def is_ours(signature: str) -> bool:
    """True for a token or envelope that this program made, going by its prefix."""
    return signature.startswith(PREFIX)


def _derived(key: bytes, label: bytes) -> bytes:
    return hmac.digest(key, label, hashlib.sha256)


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _unb64(text: str) -> bytes | None:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
