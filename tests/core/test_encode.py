from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import msgspec
import pytest

from perilune.core.encode import encode_document, to_builtins


class Reading(msgspec.Struct):
    ratio: Decimal
    at: datetime | None
    parts: tuple["Reading", ...] = ()


def test_numbers_are_numbers_times_have_a_z_and_absent_is_null() -> None:
    eight_ahead = timezone(timedelta(hours=8))
    document = Reading(
        Decimal("0.695"), datetime(2026, 11, 20, 20, 0, 0, 600_000, eight_ahead), (Reading(Decimal(1), None),)
    )
    assert encode_document(document) == (
        b'{"ratio":0.695,"at":"2026-11-20T12:00:01Z","parts":[{"ratio":1,"at":null,"parts":[]}]}'
    )


def test_indented_for_people() -> None:
    assert encode_document({"a": 1}, indent=True) == b'{\n  "a": 1\n}'


def test_builtins_are_plain() -> None:
    assert to_builtins({"at": datetime(2026, 11, 20, tzinfo=UTC), "text": "额度"}) == {
        "at": "2026-11-20T00:00:00Z",
        "text": "额度",
    }


def test_a_foreign_type_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match="object has no JSON form"):
        encode_document({"x": object()})
