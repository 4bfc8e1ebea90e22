from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from perilune.core.ids import ulid, uuid7

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
INSTANTS = st.datetimes(datetime(1970, 1, 1), datetime(9999, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 (hypothesis takes naive bounds)
MILLISECONDS = st.integers(min_value=0, max_value=(1 << 48) - 1)


@given(INSTANTS, st.integers(min_value=0, max_value=(1 << 74) - 1))
def test_a_uuid7_holds_its_millisecond_version_and_variant(at: datetime, bits: int) -> None:
    identifier = uuid7(at, bits)
    assert identifier.version == 7
    assert identifier.variant == "specified in RFC 4122"
    assert identifier.int >> 80 == (at - EPOCH) // timedelta(milliseconds=1)


@given(INSTANTS, st.integers(min_value=0, max_value=(1 << 74) - 1), st.integers(min_value=0, max_value=(1 << 74) - 1))
def test_later_uuids_sort_behind_earlier_ones(at: datetime, one: int, other: int) -> None:
    assert uuid7(at, one) < uuid7(at + timedelta(milliseconds=1), other)
    assert (uuid7(at, one) == uuid7(at, other)) == (one == other)


@given(MILLISECONDS, st.integers(min_value=0, max_value=(1 << 80) - 1))
def test_a_ulid_is_26_characters_that_sort_by_time(milliseconds: int, bits: int) -> None:
    text = ulid(milliseconds, bits)
    assert len(text) == 26
    assert not set(text) - set("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
    if milliseconds:
        assert ulid(milliseconds - 1, (1 << 80) - 1) < text


def test_a_known_ulid() -> None:
    assert ulid(1469918176385, 0) == "01ARYZ6S410000000000000000"


def test_identifiers_of_one_moment_differ() -> None:
    assert len({uuid7(EPOCH) for _ in range(1000)}) == 1000
    assert len({ulid(0) for _ in range(1000)}) == 1000
