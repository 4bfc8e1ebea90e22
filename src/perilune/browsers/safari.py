"""Safari: one cookie and one local-storage value, read from private copies. The system has to allow it.

Source: Cookies.binarycookies; table `ItemTable` of `localstorage.sqlite3`, values UTF-16LE, the origin beside it.
"""

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from perilune.browsers.binary_cookies import wanted_cookies
from perilune.browsers.copies import copy_steady, is_there, opened_copy, private_folder
from perilune.browsers.stored import Profile, StoredValue, StoreError, StoreReading, StoreTrouble, Wanted
from perilune.core.keys import has_key_shape
from perilune.core.secret import Secret

_CONTAINER = Path("Containers", "com.apple.Safari", "Data", "Library")
_COOKIES = Path("Cookies", "Cookies.binarycookies")
_LARGEST, _LARGEST_ORIGIN = 64 * 1024 * 1024, 4096


def read_profile(profile: Profile, wanted: Wanted) -> StoreReading:
    """What Safari holds of what is wanted; `profile.folder` is the user's Library."""
    values: list[StoredValue] = []
    troubles: list[StoreTrouble] = []
    for read in (_cookies, _storage):
        try:
            values += read(profile, wanted)
        except StoreError as error:
            troubles.append(
                StoreTrouble(browser=profile.browser, profile=profile.name, code=error.code, variant=error.variant)
            )
    return StoreReading(tuple(values), tuple(dict.fromkeys(troubles)))


def _cookies(profile: Profile, wanted: Wanted) -> Iterator[StoredValue]:
    files = (profile.folder / _CONTAINER / _COOKIES, profile.folder / _COOKIES)
    file = next((file for file in files if is_there(file)), None)
    if file is None:
        return
    with private_folder() as copy:
        copy_steady([file], copy)
        with (copy / file.name).open("rb") as opened:
            content = opened.read(_LARGEST)
    try:
        found = wanted_cookies(content, wanted.cookie, wanted.hosts)
    except ValueError:
        raise StoreError("PL-COOKIE-UNREADABLE", "store") from None
    for cookie in found:
        if has_key_shape(cookie.value):
            yield StoredValue(
                value=Secret(cookie.value),
                browser=profile.browser,
                profile=profile.name,
                kind="cookie",
                host=cookie.host,
                expires_at=cookie.expires_at,
                accessed=cookie.created,
            )


def _storage(profile: Profile, wanted: Wanted) -> Iterator[StoredValue]:
    try:
        files = list(_storage_files(profile.folder, wanted.origin))
    except OSError:
        raise StoreError("PL-COOKIE-PERMISSION") from None
    for file in files:
        with (
            opened_copy(file) as store,
            closing(store.execute("SELECT value FROM ItemTable WHERE key = ?", (wanted.storage_key,))) as cursor,
        ):
            rows = cursor.fetchall()
        for (value,) in rows:
            text = value if isinstance(value, str) else bytes(value or b"").decode("utf-16-le", "replace")
            text = text.strip().strip('"')
            if has_key_shape(text):
                yield StoredValue(
                    value=Secret(text), browser=profile.browser, profile=profile.name, kind="local-storage",
                    host=wanted.origin.partition("://")[2],
                )  # fmt: skip


def _storage_files(library: Path, origin: str) -> Iterator[Path]:
    """The stores of one origin: newer ones beside a file that names it, older ones by their own name."""
    scheme, _, host = origin.partition("://")
    data = library / _CONTAINER / "WebKit" / "WebsiteData" / "Default"
    named = re.compile(rb"(?<![\w.-])" + re.escape(host.encode()) + rb"(?![\w.-])")
    for place in sorted(data.glob("*/*/LocalStorage/localstorage.sqlite3")):
        beside = place.parent.parent / "origin"
        if is_there(beside) and named.search(beside.read_bytes()[:_LARGEST_ORIGIN]):
            yield place
    older = library / "Safari" / "LocalStorage" / f"{scheme}_{host}_0.localstorage"
    if is_there(older):
        yield older
