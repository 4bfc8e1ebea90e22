"""Firefox: cookies that are only in the log, containers, units of time, local storage."""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.browsers.stores import WANTED, firefox, firefox_cookie, firefox_cookies, firefox_storage, snappy, state_of

from perilune.browsers.firefox import expiry_of, read_profile
from perilune.browsers.stored import StoreReading

TOKEN = "eyJhbGciOiJIUzUxMiJ9.eyJzdWIiOiJ1XzEifQ.EXAMPLE"


def values(folder: Path, container: str | None = None) -> list[str]:
    reading = read_profile(firefox(folder), WANTED, container)
    assert reading.troubles == ()
    return [found.value.reveal() for found in reading.values]


@pytest.mark.case("accounts 9.9")
def test_a_cookie_that_is_only_in_the_log_is_found_and_the_profile_stays_as_it_is(tmp_path: Path) -> None:
    with closing(firefox_cookies(tmp_path)) as running:
        firefox_cookie(running, TOKEN)
        assert TOKEN.encode() not in (tmp_path / "cookies.sqlite").read_bytes()
        running.execute("BEGIN IMMEDIATE")
        before = state_of(tmp_path)
        assert values(tmp_path) == [TOKEN]
        assert state_of(tmp_path) == before


@pytest.mark.case("accounts 9.10")
def test_cookies_of_containers_are_left_out_unless_one_is_named(tmp_path: Path) -> None:
    with closing(firefox_cookies(tmp_path)) as running:
        firefox_cookie(running, "default")
        firefox_cookie(running, "second", attributes="^userContextId=2")
        firefox_cookie(running, "partitioned", attributes="^partitionKey=%28https%2Cexample.org%29")
    assert values(tmp_path) == ["default"]
    assert values(tmp_path, "2") == ["second"]
    assert values(tmp_path, "3") == []


@pytest.mark.case("accounts 9.11")
def test_both_units_of_expiry_are_the_same_instant() -> None:
    there = datetime(2027, 1, 1, tzinfo=UTC)
    assert expiry_of(1_798_761_600_000, 16) == expiry_of(1_798_761_600, 15) == there
    assert expiry_of(1_798_761_600_000, 15) == there
    assert expiry_of(0, 16) is None


def test_other_cookies_are_not_selected(tmp_path: Path) -> None:
    with closing(firefox_cookies(tmp_path)) as running:
        firefox_cookie(running, "never-selected", name="session")
        firefox_cookie(running, "never-selected", host=".kimi.ai")
        firefox_cookie(running, TOKEN, host="www.kimi.com")
    assert values(tmp_path) == [TOKEN]


@pytest.mark.parametrize(
    ("value", "conversion", "compression"),
    [
        (TOKEN.encode(), 1, 0),
        (snappy(TOKEN.encode()), 1, 1),
        (TOKEN.encode("utf-16-le"), 0, 0),
        (snappy(TOKEN.encode("utf-16-le")), 0, 1),
    ],
)
def test_local_storage_is_read_in_all_its_encodings(
    tmp_path: Path, value: bytes, conversion: int, compression: int
) -> None:
    firefox_storage(tmp_path, value, conversion=conversion, compression=compression)
    assert values(tmp_path) == [TOKEN]


def test_local_storage_of_a_container_is_apart(tmp_path: Path) -> None:
    firefox_storage(tmp_path, TOKEN.encode(), conversion=1, compression=0, container="^userContextId=2")
    assert values(tmp_path) == []
    assert values(tmp_path, "2") == [TOKEN]


def test_a_store_that_is_none_is_a_trouble(tmp_path: Path) -> None:
    (tmp_path / "cookies.sqlite").write_bytes(b"no database" * 200)
    [trouble] = read_profile(firefox(tmp_path), WANTED).troubles
    assert (trouble.code, trouble.variant) == ("PL-COOKIE-UNREADABLE", "store")
    assert read_profile(firefox(tmp_path / "nowhere"), WANTED) == StoreReading()
