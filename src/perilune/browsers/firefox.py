"""Profiles of Firefox and its kin: one cookie and one local-storage value, read from private copies.

Source: table `moz_cookies` of `cookies.sqlite`; table `data` of `storage/default/ORIGIN/ls/data.sqlite`.
"""

import json
import re
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from sqlite3 import Connection
from typing import Any

from perilune.browsers.copies import is_there, opened_copy
from perilune.browsers.snappy import decompress
from perilune.browsers.stored import Profile, StoredValue, StoreError, StoreReading, StoreTrouble, Wanted
from perilune.core.instants import from_epoch
from perilune.core.keys import has_key_shape
from perilune.core.secret import Secret

_MILLISECONDS_FROM_VERSION, _MILLISECONDS_FROM = 16, 100_000_000_000
_CONTAINER = re.compile(r"\buserContextId=(\d+)")
_COMPRESSED, _UTF8 = 1, 1


def read_profile(profile: Profile, wanted: Wanted, container: str | None = None) -> StoreReading:
    """What a profile holds of what is wanted, outside of containers or in the one that is named."""
    values: list[StoredValue] = []
    troubles: list[StoreTrouble] = []
    for read in (_cookies, _storage):
        try:
            values += read(profile, wanted, container)
        except StoreError as error:
            troubles.append(
                StoreTrouble(browser=profile.browser, profile=profile.name, code=error.code, variant=error.variant)
            )
    return StoreReading(tuple(values), tuple(troubles))


def _cookies(profile: Profile, wanted: Wanted, container: str | None) -> Iterator[StoredValue]:
    file = profile.folder / "cookies.sqlite"
    if not is_there(file):
        return
    with opened_copy(file) as store:
        version = _version(store)
        rows = _rows(store, wanted)
    for host, value, expiry, attributes, accessed in rows:
        if not isinstance(value, str) or not has_key_shape(value) or not _is_in(str(attributes or ""), container):
            continue
        yield StoredValue(
            value=Secret(value),
            browser=profile.browser,
            profile=profile.name,
            kind="cookie",
            host=host,
            expires_at=expiry_of(expiry, version),
            accessed=int(accessed or 0),
        )


def expiry_of(expiry: Any, version: int) -> datetime | None:
    """A cookie's expiry: milliseconds from version 16 of the store on and wherever they are too large for seconds."""
    if not isinstance(expiry, int) or expiry <= 0:
        return None
    in_milliseconds = version >= _MILLISECONDS_FROM_VERSION or expiry > _MILLISECONDS_FROM
    return from_epoch(Decimal(expiry // 1000 if in_milliseconds else expiry))


def _rows(store: Connection, wanted: Wanted) -> list[tuple[Any, ...]]:
    query = (
        "SELECT host, value, expiry, originAttributes, lastAccessed FROM moz_cookies"
        " WHERE name = ? AND host IN (SELECT value FROM json_each(?))"
    )
    with closing(store.execute(query, (wanted.cookie, json.dumps(wanted.hosts)))) as cursor:
        return cursor.fetchall()


def _version(store: Connection) -> int:
    with closing(store.execute("PRAGMA user_version")) as cursor:
        return int(cursor.fetchone()[0])


def _is_in(attributes: str, container: str | None) -> bool:
    """Whether a row is of the container; rows of any container are left out when none is named."""
    if container is None:
        return not attributes
    match = _CONTAINER.search(attributes)
    return match is not None and match[1] == container


def _storage(profile: Profile, wanted: Wanted, container: str | None) -> Iterator[StoredValue]:
    file = _storage_file(profile.folder, wanted.origin, container)
    if not is_there(file):
        return
    with opened_copy(file) as store:
        query = "SELECT conversion_type, compression_type, value FROM data WHERE key = ?"
        with closing(store.execute(query, (wanted.storage_key,))) as cursor:
            rows = cursor.fetchall()
    for conversion, compression, value in rows:
        text = _text(value, conversion, compression)
        if has_key_shape(text):
            host = wanted.origin.partition("://")[2]
            yield StoredValue(
                value=Secret(text), browser=profile.browser, profile=profile.name, kind="local-storage", host=host
            )


def _storage_file(folder: Path, origin: str, container: str | None) -> Path:
    name = origin.replace("://", "+++").replace(":", "+")
    suffix = "" if container is None else f"^userContextId={container}"
    return folder / "storage" / "default" / f"{name}{suffix}" / "ls" / "data.sqlite"


def _text(value: Any, conversion: int, compression: int) -> str:
    content = value.encode() if isinstance(value, str) else bytes(value or b"")
    try:
        plain = decompress(content) if compression == _COMPRESSED else content
    except ValueError:
        raise StoreError("PL-COOKIE-UNREADABLE", "store") from None
    encoding = "utf-8" if conversion == _UTF8 else "utf-16-le"
    return plain.decode(encoding, "replace").strip().strip('"')
