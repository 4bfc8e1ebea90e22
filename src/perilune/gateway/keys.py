"""The gateway's own keys: made once, shown once, checked in memory before anything else is done. Source: 7.3."""

import hashlib
import hmac
import zlib
from collections.abc import Iterable
from datetime import datetime
from typing import Literal

import msgspec
from msgspec import Struct

from perilune.core.decoding import decoded
from perilune.core.secret import Secret
from perilune.store.keys import StoredKey

KEY_PREFIX = "plk_"
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_BODY = 43  # base62 digits that hold 32 bytes
_CHECK = 6  # base62 digits that hold a CRC-32
_LENGTH = len(KEY_PREFIX) + _BODY + _CHECK


class KeySettings(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a key may do. `models` are globs, `routes` names; None is no limit. Budgets as the user wrote them.

    `ends_streams` says that a revoked key ends its running answers too.
    """

    owner: str
    models: tuple[str, ...] | None = None
    routes: tuple[str, ...] | None = None
    priority: Literal["interactive", "review", "batch"] = "interactive"
    rpm: int | None = None
    max_concurrent: int | None = None
    soft: str | None = None
    hard: str | None = None
    per: Literal["day", "week", "month", "total"] = "month"
    expires_at: datetime | None = None
    ends_streams: bool = False


class KnownKey(Struct, frozen=True, kw_only=True):
    """A key that was found: its id and what it may do."""

    id: str
    name: str
    settings: KeySettings


def make_key(random_bytes: bytes) -> Secret:
    """The key of 32 random bytes: prefix, the bytes in base62, a checksum."""
    body = _base62(int.from_bytes(random_bytes, "big"), _BODY)
    return Secret(f"{KEY_PREFIX}{body}{_checksum(body)}")


def is_well_formed(text: str) -> bool:
    """Whether the text can be a key at all, by its length, letters and checksum."""
    if len(text) != _LENGTH or not text.startswith(KEY_PREFIX) or not text.isascii():
        return False
    body, check = text[len(KEY_PREFIX) : -_CHECK], text[-_CHECK:]
    return hmac.compare_digest(_checksum(body), check)


def digest_of(key: Secret) -> str:
    """What is stored of a key."""
    return hashlib.sha256(key.reveal().encode()).hexdigest()


class KeyRing:
    """Every key in memory. `replace` takes what the store holds, once a second, so that a revocation is soon known."""

    def __init__(self, keys: Iterable[StoredKey] = ()) -> None:
        self._by_digest: dict[str, StoredKey] = {}
        self._settings: dict[str, KeySettings] = {}
        self._ended: frozenset[str] = frozenset()
        self.replace(keys)

    def replace(self, keys: Iterable[StoredKey]) -> None:
        """Know these keys and no others. One whose settings cannot be read opens nothing."""
        by_digest, settings = {}, {}
        for key in keys:
            try:
                settings[key.id] = decoded(key.document, KeySettings)
            except (msgspec.DecodeError, msgspec.ValidationError):
                continue
            by_digest[key.digest] = key
        self._by_digest, self._settings = by_digest, settings
        revoked = {key.id for key in by_digest.values() if key.revoked_at is not None}
        self._ended = frozenset(name for name in revoked if settings[name].ends_streams)

    def has_ended(self, key_id: str) -> bool:
        """Whether the running answers of a key end too."""
        return key_id in self._ended

    def find(self, text: str, now: datetime) -> KnownKey | None:
        """The key of that text; None for an ill-formed, unknown, revoked or expired one."""
        if not is_well_formed(text):
            return None
        digest = digest_of(Secret(text))
        key = self._by_digest.get(digest)
        if key is None or not hmac.compare_digest(key.digest, digest) or key.revoked_at is not None:
            return None
        settings = self._settings[key.id]
        if settings.expires_at is not None and settings.expires_at <= now:
            return None
        return KnownKey(id=key.id, name=key.name, settings=settings)


def _base62(number: int, width: int) -> str:
    digits = []
    for _ in range(width):
        number, digit = divmod(number, 62)
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), _CHECK)
