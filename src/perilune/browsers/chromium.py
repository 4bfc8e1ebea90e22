"""Profiles of the Chromium family: one cookie and one local-storage value, read from private copies.

Source: table `cookies` and `meta` of `Network/Cookies`; `Local Storage/leveldb`.
"""

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from sqlite3 import Connection
from typing import Any

from perilune.browsers import leveldb
from perilune.browsers.chromium_secret import AskKeyring, decrypted
from perilune.browsers.copies import copy_steady, is_there, opened_copy, private_folder
from perilune.browsers.stored import Profile, StoredValue, StoreError, StoreReading, StoreTrouble, Wanted
from perilune.core.keys import has_key_shape
from perilune.core.secret import Secret

_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
_FARTHEST = 400_000_000_000_000_000
_LATIN, _UTF16 = b"\x01", b"\x00"
_SUFFIXES = (".ldb", ".sst", ".log")


def read_profile(profile: Profile, wanted: Wanted, ask: AskKeyring) -> StoreReading:
    """What a profile holds of what is wanted. A store that cannot be read is a trouble, not an error."""
    values: list[StoredValue] = []
    troubles: list[StoreTrouble] = []
    for read in (_cookies, _storage):
        try:
            for found in read(profile, wanted, ask):
                if isinstance(found, StoredValue):
                    values.append(found)
                else:
                    troubles.append(_trouble(profile, found))
        except StoreError as error:
            troubles.append(_trouble(profile, error))
    return StoreReading(tuple(values), tuple(troubles))


def cookie_file(folder: Path) -> Path | None:
    """The file of a profile's cookies, None where there is none. Raises: StoreError where it may not be looked at."""
    files = (folder / "Network" / "Cookies", folder / "Cookies")
    return next((file for file in files if is_there(file)), None)


def _trouble(profile: Profile, error: StoreError) -> StoreTrouble:
    return StoreTrouble(browser=profile.browser, profile=profile.name, code=error.code, variant=error.variant)


def _cookies(profile: Profile, wanted: Wanted, ask: AskKeyring) -> Iterator[StoredValue | StoreError]:
    file = cookie_file(profile.folder)
    if file is None:
        return
    with opened_copy(file) as store:
        version = _version(store)
        for host, value, encrypted, expires, accessed in _rows(store, wanted):
            try:
                plain = value or _decrypted(bytes(encrypted), host, version, profile, ask)
            except StoreError as error:
                yield error
            else:
                yield StoredValue(
                    value=Secret(plain),
                    browser=profile.browser,
                    profile=profile.name,
                    kind="cookie",
                    host=host,
                    expires_at=_instant(expires),
                    accessed=int(accessed),
                )


def _decrypted(encrypted: bytes, host: str, version: int, profile: Profile, ask: AskKeyring) -> str:
    """The plain text of a cookie; anything that is no header text was not decrypted. Raises: StoreError."""
    text = decrypted(encrypted, host, version, profile, ask).decode("latin-1")
    if not has_key_shape(text):
        raise StoreError("PL-COOKIE-UNREADABLE")
    return text


def _rows(store: Connection, wanted: Wanted) -> list[tuple[Any, ...]]:
    query = (
        "SELECT host_key, value, encrypted_value, expires_utc, last_access_utc FROM cookies"
        " WHERE name = ? AND host_key IN (SELECT value FROM json_each(?))"
    )
    with closing(store.execute(query, (wanted.cookie, json.dumps(wanted.hosts)))) as cursor:
        return cursor.fetchall()


def _version(store: Connection) -> int:
    with closing(store.execute("SELECT value FROM meta WHERE key = 'version'")) as cursor:
        row = cursor.fetchone()
    try:
        return int(row[0]) if row else 0
    except (TypeError, ValueError):
        return 0


def _storage(profile: Profile, wanted: Wanted, _: AskKeyring) -> Iterator[StoredValue | StoreError]:
    """The local-storage value; keys and values begin with a byte that tells their encoding. Nothing is encrypted."""
    folder = profile.folder / "Local Storage" / "leveldb"
    if not folder.is_dir():
        return
    with private_folder() as copy:
        values = _newest(folder, copy, wanted)
    for value in values:
        yield StoredValue(
            value=Secret(value),
            browser=profile.browser,
            profile=profile.name,
            kind="local-storage",
            host=wanted.origin.partition("://")[2],
        )


def _newest(folder: Path, copy: Path, wanted: Wanted) -> list[str]:
    name, start = wanted.storage_key, b"_" + wanted.origin.encode() + b"\x00"
    keys = (start + _LATIN + name.encode("latin-1"), start + _UTF16 + name.encode("utf-16-le"))
    try:
        copy_steady([file for file in folder.iterdir() if file.suffix in _SUFFIXES], copy)
        found = leveldb.newest(copy, keys)
    except (OSError, ValueError):
        raise StoreError("PL-COOKIE-UNREADABLE", "store") from None
    texts = (_text(value) for value in found.values())
    return [text for text in texts if has_key_shape(text)]


def _text(value: bytes) -> str:
    encoding = "utf-16-le" if value[:1] == _UTF16 else "latin-1"
    return value[1:].decode(encoding, "replace").strip().strip('"')


def _instant(microseconds: Any) -> datetime | None:
    """Microseconds since 1601; 0 is a cookie of the session."""
    if not isinstance(microseconds, int) or not 0 < microseconds < _FARTHEST:
        return None
    return _EPOCH + timedelta(microseconds=microseconds)
