"""Safari's files, made small: the wanted cookie alone, and what the system does not allow."""

import sqlite3
import struct
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.browsers.stores import WANTED, state_of

from perilune.browsers import copies
from perilune.browsers.binary_cookies import BinaryCookie, wanted_cookies
from perilune.browsers.places import find_profiles
from perilune.browsers.safari import read_profile
from perilune.browsers.stored import Profile, StoreReading

TOKEN = "eyJhbGciOiJIUzUxMiJ9.eyJzdWIiOiJzIn0.EXAMPLE"
NEW_YEAR_2027 = 820454400.0
Row = tuple[str, str, str, float]


def record(host: str, name: str, value: str, expires: float) -> bytes:
    texts = [text.encode() + b"\x00" for text in (host, name, "/", value)]
    starts = [56 + sum(map(len, texts[:at])) for at in range(4)]
    body = b"".join(texts)
    head = struct.pack("<8I8xdd", 56 + len(body), 0, 5, 0, *starts, expires, 700000000.0)
    return head + body


def page(rows: Sequence[Row]) -> bytes:
    records = [record(*row) for row in rows]
    first = 8 + 4 * len(records) + 4
    offsets = [first + sum(map(len, records[:at])) for at in range(len(records))]
    head = b"\x00\x00\x01\x00" + struct.pack(f"<{1 + len(records)}I", len(records), *offsets)
    return head + bytes(4) + b"".join(records)


def cookie_file(*pages: Sequence[Row]) -> bytes:
    made = [page(rows) for rows in pages]
    return b"cook" + struct.pack(f">{1 + len(made)}I", len(made), *map(len, made)) + b"".join(made) + b"\x00" * 8


OTHERS: list[Row] = [
    (".kimi.com", "theme", "never-selected", 0.0),
    (".bank.example", "kimi-auth", "never-selected", 0.0),
    (".kimi.ai", "kimi-auth", "never-selected", 0.0),
]
GOOD = cookie_file(OTHERS, [(".kimi.com", "kimi-auth", TOKEN, NEW_YEAR_2027)])


def read(library: Path) -> StoreReading:
    return read_profile(Profile(browser="Safari", family="safari", name="Safari", folder=library), WANTED)


def library(home: Path, content: bytes | None = GOOD, place: str = "Containers/com.apple.Safari/Data/Library") -> Path:
    folder = home / "Library"
    cookies = folder / place / "Cookies"
    cookies.mkdir(parents=True)
    if content is not None:
        (cookies / "Cookies.binarycookies").write_bytes(content)
    return folder


@pytest.mark.parametrize("place", ["Containers/com.apple.Safari/Data/Library", ""])
def test_the_wanted_cookie_is_found_and_no_other(tmp_path: Path, place: str) -> None:
    folder = library(tmp_path, place=place)
    before = state_of(folder)
    [found] = read(folder).values
    assert (found.value.reveal(), found.kind, found.host) == (TOKEN, "cookie", ".kimi.com")
    assert found.expires_at == datetime(2027, 1, 1, tzinfo=UTC)
    assert state_of(folder) == before


def test_a_cookie_of_the_session_has_no_expiry() -> None:
    [one] = wanted_cookies(cookie_file([("www.kimi.com", "kimi-auth", TOKEN, 0.0)]), "kimi-auth", WANTED.hosts)
    assert one == BinaryCookie(host="www.kimi.com", value=TOKEN, expires_at=None, created=700000000)


@pytest.mark.parametrize("content", [b"", b"cook", b"sqlite", GOOD[:60], GOOD[:-40], GOOD.replace(b"cook", b"kooc")])
def test_what_is_no_such_file_is_said_to_be_unreadable(tmp_path: Path, content: bytes) -> None:
    told = [(one.code, one.variant) for one in read(library(tmp_path, content)).troubles]
    assert told == [("PL-COOKIE-UNREADABLE", "store")]


@given(at=st.integers(0, len(GOOD) - 1), byte=st.integers(0, 255), cut=st.integers(0, len(GOOD)))
def test_a_damaged_file_gives_nothing_of_another_cookie(at: int, byte: int, cut: int) -> None:
    damaged = (GOOD[:at] + bytes([byte]) + GOOD[at + 1 :])[:cut]
    try:
        found = wanted_cookies(damaged, "kimi-auth", WANTED.hosts)
    except ValueError:
        return
    assert all(one.host in WANTED.hosts for one in found)


def _item_table(file: Path, value: bytes) -> None:
    file.parent.mkdir(parents=True)
    with closing(sqlite3.connect(file)) as store:
        store.execute("CREATE TABLE ItemTable(key TEXT UNIQUE, value BLOB NOT NULL)")
        store.execute("INSERT INTO ItemTable VALUES ('access_token', ?), ('other', 'never-selected')", (value,))
        store.commit()


def test_local_storage_is_found_by_the_origin_beside_it(tmp_path: Path) -> None:
    folder = library(tmp_path, None)
    data = folder / "Containers/com.apple.Safari/Data/Library/WebKit/WebsiteData/Default"
    for number, host in enumerate((b"www.kimi.com", b"www.kimi.com.example", b"other.example")):
        place = data / "salt" / f"site{number}"
        _item_table(place / "LocalStorage" / "localstorage.sqlite3", (TOKEN if not number else "x").encode("utf-16-le"))
        (place / "origin").write_bytes(b"\x05\x00\x00\x00\x01https\x0c\x00\x00\x00\x01" + host + b"\x00")
    [found] = read(folder).values
    assert (found.value.reveal(), found.kind, found.host) == (TOKEN, "local-storage", "www.kimi.com")


def test_the_older_store_is_found_by_its_name(tmp_path: Path) -> None:
    folder = library(tmp_path, None)
    _item_table(folder / "Safari/LocalStorage/https_www.kimi.com_0.localstorage", TOKEN.encode("utf-16-le"))
    assert [one.value.reveal() for one in read(folder).values] == [TOKEN]


def test_without_full_disk_access_it_is_the_system_that_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = library(tmp_path)
    real = Path.stat

    def refused(path: Path, *, follow_symlinks: bool = True) -> object:
        if "com.apple.Safari" in str(path):
            raise PermissionError(1, "Operation not permitted")
        return real(path, follow_symlinks=follow_symlinks)

    monkeypatch.setattr(copies.Path, "stat", refused)
    assert [one.browser for one in find_profiles(tmp_path, {}, "safari", "darwin")] == ["Safari"]
    assert [one.code for one in read(folder).troubles] == ["PL-COOKIE-PERMISSION"]


def test_safari_comes_after_chrome_on_macos_alone(tmp_path: Path) -> None:
    library(tmp_path)
    (tmp_path / "Library/Application Support/Google/Chrome/Default").mkdir(parents=True)
    (tmp_path / "Library/Application Support/Microsoft Edge/Default").mkdir(parents=True)
    names = [one.browser for one in find_profiles(tmp_path, {}, None, "darwin")]
    assert names == ["Chrome", "Safari", "Edge"]
    first = [one.browser for one in find_profiles(tmp_path, {}, None, "darwin", first="Edge")]
    assert first == ["Edge", "Chrome", "Safari"]
    assert "Safari" not in [one.browser for one in find_profiles(tmp_path, {}, None, "linux")]
