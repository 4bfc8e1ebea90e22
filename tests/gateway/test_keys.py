"""The gateway's own keys: made, kept as digests, found in memory."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perilune.core.errors import Problem
from perilune.core.redact import redact
from perilune.core.secret import Secret
from perilune.gateway.admission import Priority
from perilune.gateway.door import Caller, Door
from perilune.gateway.key_book import StoredKeyBook
from perilune.gateway.keys import KeyRing, KeySettings, digest_of, is_well_formed, make_key
from perilune.store import keys
from perilune.store.engine import Store, open_store
from perilune.store.keys import StoredKey

from .conftest import route

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
KEY = make_key(bytes(range(32)))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "perilune.sqlite3")
    yield opened
    opened.close()


def _stored(key: Secret = KEY, name: str = "ci", settings: KeySettings | None = None) -> StoredKey:
    document = msgspec.json.encode(settings or KeySettings(owner="ci")).decode()
    return StoredKey(
        id=f"id-{name}", name=name, digest=digest_of(key), tail=key.reveal()[-4:], created_at=NOW, document=document
    )


@given(st.binary(min_size=32, max_size=32))
def test_a_key_is_well_formed_and_a_changed_letter_makes_it_not(random_bytes: bytes) -> None:
    text = make_key(random_bytes).reveal()
    assert is_well_formed(text)
    assert len(text) == 53
    changed = text[:20] + ("A" if text[20] != "A" else "B") + text[21:]
    assert not is_well_formed(changed)
    assert text not in redact(f"key {text}")


@pytest.mark.parametrize(
    "text", ["", "plk_", "plk_' OR 1=1 --", "plk_\0", "plk_" + "a" * 1_000_000, "plk_" + "é" * 49, "sk-kimi-EXAMPLE"]
)
def test_what_cannot_be_a_key_is_found_nowhere(text: str) -> None:
    assert KeyRing([_stored()]).find(text, NOW) is None


def test_a_key_is_found_with_what_it_may_do() -> None:
    settings = KeySettings(owner="team", models=("kimi-*",), priority="batch", rpm=30)
    found = KeyRing([_stored(settings=settings)]).find(KEY.reveal(), NOW)
    assert found is not None
    assert (found.id, found.name, found.settings) == ("id-ci", "ci", settings)
    assert KeyRing([_stored()]).find(make_key(bytes(32)).reveal(), NOW) is None


def test_an_expired_key_is_not_found() -> None:
    ring = KeyRing([_stored(settings=KeySettings(owner="x", expires_at=NOW))])
    assert ring.find(KEY.reveal(), NOW - timedelta(seconds=1)) is not None
    assert ring.find(KEY.reveal(), NOW) is None


def test_a_revoked_key_is_not_found_once_the_ring_is_replaced(store: Store) -> None:
    with store.begin() as connection:
        assert keys.create(connection, _stored())
        ring = KeyRing(keys.all_keys(connection))
        assert ring.find(KEY.reveal(), NOW) is not None
        assert keys.revoke(connection, "ci", NOW)
        assert not keys.revoke(connection, "ci", NOW)
        ring.replace(keys.all_keys(connection))
    assert ring.find(KEY.reveal(), NOW) is None


def test_a_name_is_given_once_and_the_key_itself_is_nowhere_in_the_file(store: Store) -> None:
    with store.begin() as connection:
        assert keys.create(connection, _stored())
        assert not keys.create(connection, _stored(make_key(bytes(32))))
        assert [key.name for key in keys.all_keys(connection)] == ["ci"]
    assert store.path is not None
    files = [file.read_bytes() for file in store.path.parent.glob("perilune.sqlite3*")]
    assert not any(KEY.reveal().encode() in data for data in files)


def test_settings_of_another_shape_open_nothing() -> None:
    stored = msgspec.structs.replace(_stored(), document='{"owner": 7}')
    assert KeyRing([stored]).find(KEY.reveal(), NOW) is None


def test_the_door_knows_a_caller_until_the_key_is_revoked(store: Store) -> None:
    settings = KeySettings(owner="team", routes=("default",), priority="review")
    with store.begin() as connection:
        keys.create(connection, _stored(settings=settings))
    book = StoredKeyBook(store, lambda: NOW)
    door = Door(keys=book)
    headers = {"authorization": f"Bearer {KEY.reveal()}"}
    caller = door.caller(headers)
    assert isinstance(caller, Caller)
    assert (caller.owner, caller.key_id, caller.priority, caller.routes) == (
        "team", "id-ci", Priority.REVIEW, ("default",),
    )  # fmt: skip
    with store.begin() as connection:
        keys.revoke(connection, "ci", NOW)
    book.refresh()
    refused = door.caller(headers)
    assert isinstance(refused, Problem)
    assert refused.code == "PL-GW-KEY"


@pytest.mark.case("gateway KE-01")
@pytest.mark.parametrize("listen", ["127.0.0.1:8787", "0.0.0.0:8787"])
async def test_a_wrong_revoked_or_expired_key_is_refused_before_any_vendor_is_called(
    build: Any, store: Store, listen: str
) -> None:
    revoked, expired, good = (make_key(bytes([number]) * 32) for number in (1, 2, 3))
    past = KeySettings(owner="x", expires_at=NOW - timedelta(seconds=1))
    with store.begin() as connection:
        keys.create(connection, _stored(revoked, "revoked"))
        keys.create(connection, _stored(expired, "expired", past))
        keys.create(connection, _stored(good, "good"))
        keys.revoke(connection, "revoked", NOW)
    config = route("work/kimi-for-coding", gateway=f'listen = "{listen}"')
    house = build(config, keys=StoredKeyBook(store, lambda: NOW))
    for key in (make_key(bytes(32)), revoked, expired, Secret("plk_wrong")):
        answer = await house.client.chat(headers={"authorization": f"Bearer {key.reveal()}"})
        assert (answer.status, answer.error["code"]) == (401, "PL-GW-KEY")
    assert house.seen() == []
    answer = await house.client.chat(headers={"authorization": f"Bearer {good.reveal()}"})
    assert answer.status == 200
