from typing import Any

import pytest
from tests.support.samples import NOW, body_of

from perilune.providers.kimi_code import web
from perilune.quota.snapshot import Window
from perilune.quota.windows import derive_windows

SOON = "2026-11-20T14:00:00Z"


def windows(findings: web.WebFindings | None) -> dict[str, Window]:
    assert findings is not None
    found = findings.found
    return {window.id: window for window in derive_windows(found.readings, NOW, found.parts)}


def stats(**body: Any) -> dict[str, Window]:
    return windows(web.of_stats(body, NOW, "CNY"))


@pytest.mark.case("accounts 4.5")
def test_usages_of_the_web() -> None:
    read = windows(web.of_usages(body_of("web-getusages-ok"), NOW))
    assert {name: str(window.used_ratio) for name, window in read.items()} == {"5h": "0.15", "7d": "0.26"}
    assert {reading.origin for window in read.values() for reading in window.readings} == {"web-usages"}


@pytest.mark.case("accounts 4.6")
@pytest.mark.parametrize("body", [{"usages": [{"scope": "OTHER_SCOPE", "detail": {"limit": 1}}]}, {}, {"usages": {}}])
def test_without_the_coding_scope_nothing_is_understood(body: Any) -> None:
    assert web.of_usages(body, NOW) is None


@pytest.mark.case("accounts 5.15")
def test_the_sample_of_stats() -> None:
    read = windows(web.of_stats(body_of("web-getsubscriptionstats-ok"), NOW, "CNY"))
    assert {name: str(window.used_ratio) for name, window in read.items()} == {
        "5h": "0",
        "7d": "0.4471",
        "month": "0.3125",
    }
    assert [str(part.used_ratio) for part in read["month"].parts] == ["0.29"]


@pytest.mark.case("accounts 5.14")
def test_what_is_off_or_not_a_number_is_no_reading() -> None:
    assert stats(ratelimitCode7d={"enabled": False, "ratio": 0.5, "resetTime": SOON}) == {}
    assert stats(ratelimitCode7d={"enabled": True, "ratio": "NaN", "resetTime": SOON}) == {}
    assert stats(subscriptionBalance={"amountUsedRatio": "Infinity", "expireTime": SOON}) == {}


@pytest.mark.case("accounts 5.16")
def test_a_pool_of_another_feature_is_no_month() -> None:
    assert stats(subscriptionBalance={"feature": "FEATURE_X", "amountUsedRatio": 0.5, "expireTime": SOON}) == {}


def test_a_refused_session_is_told_apart() -> None:
    assert web.is_unauthenticated(401, body_of("web-unauthenticated"))
    assert web.is_unauthenticated(200, body_of("web-unauthenticated"))
    assert not web.is_unauthenticated(200, body_of("web-getusages-ok"))


@pytest.mark.case("accounts 6.4", "accounts 6.5")
@pytest.mark.parametrize(
    ("active", "status", "title", "expected"),
    [
        (True, "SUBSCRIPTION_STATUS_ACTIVE", "Pro", "Pro"),
        (True, None, "Pro", "Pro"),
        (True, "SUBSCRIPTION_STATUS_INACTIVE", "Pro", None),
        (True, "SUBSCRIPTION_STATUS_ACTIVE", " ", None),
        (False, "SUBSCRIPTION_STATUS_ACTIVE", "Pro", None),
    ],
)
def test_the_title_of_a_running_subscription(
    active: bool, status: str | None, title: str, expected: str | None
) -> None:
    body = {"active": active, "subscription": {"goods": {"title": title}, "status": status}}
    assert web.of_subscription(body, NOW).title == expected
