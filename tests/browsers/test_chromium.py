"""The Chromium family: cookies and local storage, plain, encrypted, bound, locked."""

import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.browsers.stores import WANTED, batch, chromium, chromium_cookies, encrypted, log, state_of, table

from perilune.browsers.chromium import read_profile
from perilune.browsers.chromium_keys import keyring_asker
from perilune.browsers.chromium_secret import AskKeyring
from perilune.browsers.stored import StoredValue, StoreError, StoreReading

TOKEN = "eyJhbGciOiJIUzUxMiJ9.eyJzdWIiOiJ1XzEifQ.EXAMPLE"
FAR = 13_800_000_000_000_000


def unasked(application: str) -> bytes:
    raise AssertionError(f"the keyring was asked for {application}")


def read(folder: Path, ask: AskKeyring = unasked) -> StoreReading:
    return read_profile(chromium(folder), WANTED, ask)


def row(host: str = ".kimi.com", name: str = "kimi-auth", value: str = "", secret: bytes = b"", expires: int = FAR):
    return (host, name, value, secret, expires, 7)


def values(reading: StoreReading) -> list[str]:
    assert reading.troubles == ()
    return [found.value.reveal() for found in reading.values]


def troubles(reading: StoreReading) -> list[tuple[str, str]]:
    assert reading.values == ()
    return [(trouble.code, trouble.variant) for trouble in reading.troubles]


@pytest.mark.case("accounts 9.7")
def test_an_encrypted_cookie_is_read_for_the_site_it_was_made_for(tmp_path: Path) -> None:
    secret = encrypted(TOKEN, ".kimi.com")
    chromium_cookies(tmp_path / "a", [row(secret=secret)])
    assert values(read(tmp_path / "a")) == [TOKEN]
    chromium_cookies(tmp_path / "b", [row(host="www.kimi.com", secret=secret)])
    assert troubles(read(tmp_path / "b")) == [("PL-COOKIE-UNREADABLE", "site")]
    chromium_cookies(tmp_path / "c", [row(host="evil.com", secret=secret)])
    assert read(tmp_path / "c") == StoreReading()
    moved = read_profile(chromium(tmp_path / "c"), replace(WANTED, hosts=("evil.com",)), unasked)
    assert troubles(moved) == [("PL-COOKIE-UNREADABLE", "site")]


def test_older_stores_have_no_hash_of_the_site(tmp_path: Path) -> None:
    chromium_cookies(tmp_path, [row(secret=encrypted(TOKEN, "", version=23))], version=23)
    assert values(read(tmp_path)) == [TOKEN]


def test_a_plain_cookie_is_read_as_it_is_with_its_times(tmp_path: Path) -> None:
    chromium_cookies(
        tmp_path, [row(value=TOKEN, expires=13_443_235_200_000_000), row("www.kimi.com", value="x", expires=0)]
    )
    first, second = read(tmp_path).values
    assert first.expires_at == datetime(2027, 1, 1, tzinfo=UTC)
    assert (first.browser, first.profile, first.kind, first.host) == ("Chromium", "Default", "cookie", ".kimi.com")
    assert second.expires_at is None


@pytest.mark.case("accounts 9.8")
@pytest.mark.parametrize("path", ["", "tools"])
def test_without_a_secret_service_a_locked_cookie_is_never_empty(tmp_path: Path, path: str) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    tool = tools / "secret-tool"
    tool.write_text("#!/bin/sh\nexit 1\n")
    tool.chmod(0o755)
    chromium_cookies(tmp_path, [row(secret=encrypted(TOKEN, ".kimi.com", prefix=b"v11", password=b"other"))])
    ask = keyring_asker({"PATH": str(tools) if path else str(tmp_path / "nothing")})
    assert troubles(read(tmp_path, ask)) == [("PL-COOKIE-LOCKED", "" if path else "absent")]


def test_the_desktops_secret_is_asked_for_once_by_the_browsers_name(tmp_path: Path) -> None:
    tool = tmp_path / "secret-tool"
    tool.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\necho secret = desktop-secret\n')
    tool.chmod(0o755)
    secret = encrypted(TOKEN, ".kimi.com", prefix=b"v11", password=b"desktop-secret")
    chromium_cookies(tmp_path, [row(secret=secret), row(secret=secret)])
    assert values(read(tmp_path, keyring_asker({"PATH": f"{tmp_path}:/bin:/usr/bin"}))) == [TOKEN, TOKEN]
    [asked] = (tmp_path / "asked").read_text().splitlines()
    assert asked == "search xdg:schema chrome_libsecret_os_crypt_password_v2 application chromium"


def test_what_a_browser_binds_to_itself_is_not_bypassed(tmp_path: Path) -> None:
    chromium_cookies(tmp_path, [row(secret=b"v20" + bytes(48))])
    assert troubles(read(tmp_path)) == [("PL-COOKIE-APPBOUND", "")]


@pytest.mark.parametrize(
    "secret", [b"", b"v10", b"v10short", b"v10" + bytes(32), b"v99" + bytes(32), b"v10" + bytes(33)]
)
def test_what_cannot_be_decrypted_is_said_to_be_so(tmp_path: Path, secret: bytes) -> None:
    chromium_cookies(tmp_path, [row(secret=secret)])
    assert [code for code, _ in troubles(read(tmp_path))] == ["PL-COOKIE-UNREADABLE"]


@pytest.mark.case("accounts 9.13")
def test_other_cookies_never_leave_the_store(tmp_path: Path) -> None:
    others = [row(name="session", value="never-selected-1"), row(host=".bank.example", value="never-selected-2")]
    chromium_cookies(tmp_path, [row(value=TOKEN), *others, row(host=".kimi.ai", value="never-selected-3")])
    reading = read(tmp_path)
    assert values(reading) == [TOKEN]
    assert "never-selected" not in repr(reading) + "".join(one.value.reveal() for one in reading.values)
    assert TOKEN not in repr(reading)


def test_nothing_stays_behind_and_nothing_is_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copies = tmp_path / "copies"
    copies.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(copies))
    profile = tmp_path / "profile"
    chromium_cookies(profile, [row(value=TOKEN), row(secret=b"v10" + bytes(32))])
    before = state_of(profile)
    read(profile)
    (profile / "Network" / "Cookies").write_bytes(b"no database" * 100)
    assert troubles(read(profile)) == [("PL-COOKIE-UNREADABLE", "store")]
    chromium_cookies(tmp_path / "again", [row(value=TOKEN)])
    assert list(copies.iterdir()) == []
    assert set(state_of(profile)) == set(before)


def test_a_profile_without_stores_has_nothing(tmp_path: Path) -> None:
    assert read(tmp_path) == StoreReading()


KEY = b"_https://www.kimi.com\x00\x01access_token"
WIDE = b"_https://www.kimi.com\x00\x00" + "access_token".encode("utf-16-le")
OTHERS = [(n, b"_https://www.kimi.com\x00\x01key-%03d" % n, b"\x01" + b"never-selected" * 20) for n in range(1, 40)]


def storage(folder: Path, **files: bytes) -> Path:
    place = folder / "Local Storage" / "leveldb"
    place.mkdir(parents=True)
    for name, content in files.items():
        (place / name.replace("_", ".")).write_bytes(content)
    (place / "LOCK").write_bytes(b"")
    return folder


@pytest.mark.parametrize(
    "value", [b"\x01" + TOKEN.encode(), b"\x00" + TOKEN.encode("utf-16-le"), b'\x01"%s"' % TOKEN.encode()]
)
@pytest.mark.parametrize("key", [KEY, WIDE])
@pytest.mark.parametrize("compressed", [True, False])
def test_local_storage_is_read_from_tables_and_logs(tmp_path: Path, key: bytes, value: bytes, compressed: bool) -> None:
    in_table = storage(tmp_path / "t", f000005_ldb=table([*OTHERS, (50, key, value)], compressed=compressed))
    in_log = storage(tmp_path / "l", f000006_log=log([batch(OTHERS[:3]), batch([(51, key, value)])]))
    assert values(read(in_table)) == values(read(in_log)) == [TOKEN]


def test_the_newest_write_counts_wherever_it_stands(tmp_path: Path) -> None:
    old, new = b"\x01eyJ.old.x", b"\x01eyJ.new.x"
    newer_log = storage(tmp_path / "a", f5_ldb=table([*OTHERS, (50, KEY, old)]), f6_log=log([batch([(60, KEY, new)])]))
    newer_table = storage(
        tmp_path / "b", f5_ldb=table([(50, KEY, old), (70, KEY, new), *OTHERS]), f6_log=log([batch([(60, KEY, old)])])
    )
    deleted = storage(tmp_path / "c", f5_ldb=table([(50, KEY, old)]), f6_log=log([batch([(60, KEY, None)])]))
    deleted_before = storage(tmp_path / "d", f5_ldb=table([(50, KEY, None), (40, KEY, old), *OTHERS], per_block=1))
    assert values(read(newer_log)) == values(read(newer_table)) == ["eyJ.new.x"]
    assert values(read(deleted)) == values(read(deleted_before)) == []


def test_a_log_that_is_being_written_is_read_as_far_as_it_is_whole(tmp_path: Path) -> None:
    whole = log([batch([(60, KEY, b"\x01eyJ.a.x")]), batch([(61, b"other", b"x" * 70_000)])])
    assert values(read(storage(tmp_path / "cut", f6_log=whole[:-5]))) == ["eyJ.a.x"]
    far = log([batch([(1, b"other", b"x" * 100_000)]), batch([(2, KEY, b"\x01eyJ.b.x")])])
    assert values(read(storage(tmp_path / "far", f6_log=far + bytes(500)))) == ["eyJ.b.x"]


@pytest.mark.parametrize("content", [b"", b"x" * 30, b"x" * 4000, table(OTHERS)[:-40]])
def test_a_table_that_is_none_is_said_to_be_unreadable(tmp_path: Path, content: bytes) -> None:
    assert troubles(read(storage(tmp_path, f5_ldb=content))) == [("PL-COOKIE-UNREADABLE", "store")]


def test_values_and_troubles_do_not_show_a_secret() -> None:
    from perilune.core.secret import Secret

    found = StoredValue(value=Secret(TOKEN), browser="Chromium", profile="Default", kind="cookie", host=".kimi.com")
    assert TOKEN not in repr(found)
    assert str(StoreError("PL-COOKIE-LOCKED")) == "PL-COOKIE-LOCKED"
