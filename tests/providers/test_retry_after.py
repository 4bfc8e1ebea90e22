"""When to come back, in each form a vendor says it."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from perilune.providers.contract.retry_after import retry_after_s

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.mark.case("gateway RA-01")
@pytest.mark.parametrize(
    ("headers", "message", "expected"),
    [
        ({"retry-after-ms": "1500"}, "", 1.5),
        ({"retry-after": "2"}, "", 2),
        ({"retry-after": "0.5"}, "", 0.5),
        ({"retry-after": format_datetime(NOW + timedelta(seconds=40), usegmt=True)}, "", 40),
        ({}, "please try again after 1 seconds", 1),
        ({}, "Rate limit reached, retry after 5s", 5),
        ({}, "try again in 1m30s", 90),
        ({}, "back in 500ms", 0.5),
        ({}, "available in 2h", 7200),
        ({"retry-after": "soon"}, "", None),
        ({"retry-after": "nan"}, "", None),
        ({"retry-after": "-3"}, "", 0),
        ({"x-ratelimit-reset": "30"}, "", 30),
        ({"x-ratelimit-reset": str(int(NOW.timestamp()) + 60)}, "", 60),
        ({"x-ratelimit-reset": str(int(NOW.timestamp() + 60) * 1000)}, "", 60),
        ({}, "in a moment", None),
    ],
)
def test_each_form(headers, message, expected) -> None:
    assert retry_after_s(headers, message, NOW) == expected


@pytest.mark.case("gateway RA-02")
def test_milliseconds_win_over_seconds() -> None:
    assert retry_after_s({"retry-after-ms": "1500", "retry-after": "9"}, "try again after 3 seconds", NOW) == 1.5


@pytest.mark.case("gateway RA-03")
def test_a_date_counts_against_the_vendors_own_clock() -> None:
    ahead = NOW + timedelta(seconds=90)
    headers = {
        "date": format_datetime(ahead, usegmt=True),
        "retry-after": format_datetime(ahead + timedelta(seconds=7), usegmt=True),
    }
    assert retry_after_s(headers, "", NOW) == 7


@pytest.mark.case("gateway RA-04")
def test_a_rate_never_waits_longer_than_a_day() -> None:
    assert retry_after_s({"retry-after": "999999"}, "", NOW) == 86_400
    assert retry_after_s({"retry-after": "999999"}, "", NOW, is_window=True) == 999_999
