"""Decryption of cookies that a browser of the Chromium family encrypted on Linux, for their own user.

What a browser binds to itself (`v20`) is not bypassed anywhere.
Source: chromium components/os_crypt.
"""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from perilune.browsers.stored import StoreError

_SALT, _FIXED = b"saltysalt", b"peanuts"
_IV = b" " * 16
_SCHEMA = "chrome_libsecret_os_crypt_password_v2"
_PATIENCE_S = 10
_DOMAIN_BYTES = 32
DOMAIN_HASH_FROM = 24

AskKeyring = Callable[[str], bytes]


def decrypted(encrypted: bytes, host: str, version: int, application: str, ask: AskKeyring) -> bytes:
    """The plain value of a cookie of `host`. `version` is the store's.

    Raises: StoreError PL-COOKIE-APPBOUND, PL-COOKIE-LOCKED, PL-COOKIE-UNREADABLE.
    """
    prefix, content = encrypted[:3], encrypted[3:]
    if prefix == b"v20":
        raise StoreError("PL-COOKIE-APPBOUND")
    if not sys.platform.startswith("linux"):
        raise StoreError("PL-COOKIE-LOCKED", "absent")
    if prefix not in (b"v10", b"v11"):
        raise StoreError("PL-COOKIE-UNREADABLE")
    plain = _opened(content, _FIXED if prefix == b"v10" else ask(application))
    return _of_site(plain, host) if version >= DOMAIN_HASH_FROM else plain


def keyring_asker(environment: Mapping[str, str]) -> AskKeyring:
    """Asks the desktop's Secret Service through its own command, once for each browser."""
    known: dict[str, bytes] = {}

    def ask(application: str) -> bytes:
        if application not in known:
            known[application] = _ask_secret_service(application, environment)
        return known[application]

    return ask


def _ask_secret_service(application: str, environment: Mapping[str, str]) -> bytes:
    program = shutil.which("secret-tool", path=environment.get("PATH", ""))
    if program is None or not application:
        raise StoreError("PL-COOKIE-LOCKED", "absent")
    argv = [program, "lookup", "xdg:schema", _SCHEMA, "application", application]
    try:
        done = subprocess.run(
            argv, env=dict(environment), capture_output=True, stdin=subprocess.DEVNULL, timeout=_PATIENCE_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        raise StoreError("PL-COOKIE-LOCKED") from None
    if done.returncode != 0 or not done.stdout:
        raise StoreError("PL-COOKIE-LOCKED")
    return done.stdout.rstrip(b"\n")


def _opened(content: bytes, password: bytes) -> bytes:
    if not content or len(content) % 16:
        raise StoreError("PL-COOKIE-UNREADABLE")
    key = hashlib.pbkdf2_hmac("sha1", password, _SALT, 1, 16)
    decryptor = Cipher(algorithms.AES(key), modes.CBC(_IV)).decryptor()
    padded = decryptor.update(content) + decryptor.finalize()
    count = padded[-1]
    if not 1 <= count <= 16 or padded[-count:] != bytes([count]) * count:
        raise StoreError("PL-COOKIE-UNREADABLE")
    return padded[:-count]


def _of_site(plain: bytes, host: str) -> bytes:
    if plain[:_DOMAIN_BYTES] != hashlib.sha256(host.encode()).digest():
        raise StoreError("PL-COOKIE-UNREADABLE", "site")
    return plain[_DOMAIN_BYTES:]
