"""Decryption of cookies that a browser of the Chromium family encrypted for their own user.

What a browser binds to itself (`v20`) is not bypassed anywhere.
Source: chromium components/os_crypt.
"""

import hashlib
import sys
from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from perilune.browsers.stored import Profile, StoreError

_SALT, _FIXED = b"saltysalt", b"peanuts"
_IV = b" " * 16
_NONCE = 12
_ROUNDS = {"linux": 1, "darwin": 1003}
_DOMAIN_BYTES = 32
DOMAIN_HASH_FROM = 24

AskKeyring = Callable[[Profile], bytes]


def decrypted(
    encrypted: bytes, host: str, version: int, profile: Profile, ask: AskKeyring, platform: str = sys.platform
) -> bytes:
    """The plain value of a cookie of `host`. `version` is the store's; `ask` gives what the system keeps for a browser.

    Raises: StoreError PL-COOKIE-APPBOUND, PL-COOKIE-LOCKED, PL-COOKIE-UNREADABLE.
    """
    prefix, content = encrypted[:3], encrypted[3:]
    if prefix == b"v20":
        raise StoreError("PL-COOKIE-APPBOUND")
    system = "linux" if platform.startswith("linux") else platform
    if prefix not in ((b"v10", b"v11") if system == "linux" else (b"v10",)):
        raise StoreError("PL-COOKIE-UNREADABLE")
    if system == "win32":
        plain = _unsealed(content, ask(profile))
    else:
        password = _FIXED if system == "linux" and prefix == b"v10" else ask(profile)
        plain = _opened(content, password, _ROUNDS.get(system, 1))
    return _of_site(plain, host) if version >= DOMAIN_HASH_FROM else plain


def _opened(content: bytes, password: bytes, rounds: int) -> bytes:
    """AES-128-CBC with a key from a password, as on Linux and macOS."""
    if not content or len(content) % 16:
        raise StoreError("PL-COOKIE-UNREADABLE")
    key = hashlib.pbkdf2_hmac("sha1", password, _SALT, rounds, 16)
    decryptor = Cipher(algorithms.AES(key), modes.CBC(_IV)).decryptor()
    padded = decryptor.update(content) + decryptor.finalize()
    count = padded[-1]
    if not 1 <= count <= 16 or padded[-count:] != bytes([count]) * count:
        raise StoreError("PL-COOKIE-UNREADABLE")
    return padded[:-count]


def _unsealed(content: bytes, key: bytes) -> bytes:
    """AES-256-GCM with the key itself, as on Windows."""
    try:
        return AESGCM(key).decrypt(content[:_NONCE], content[_NONCE:], None)
    except (InvalidTag, ValueError):
        raise StoreError("PL-COOKIE-UNREADABLE") from None


def _of_site(plain: bytes, host: str) -> bytes:
    if plain[:_DOMAIN_BYTES] != hashlib.sha256(host.encode()).digest():
        raise StoreError("PL-COOKIE-UNREADABLE", "site")
    return plain[_DOMAIN_BYTES:]
