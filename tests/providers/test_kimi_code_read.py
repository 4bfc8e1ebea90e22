"""What the usages call's answers become, shape by shape."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.support.samples import NOW, answered, binding, body_of

from perilune.core.errors import PeriluneError
from perilune.providers.kimi_code import read as kimi
from perilune.quota.snapshot import Snapshot, Window

WORK = binding()
URL = kimi.read_url(WORK)
SOON = "2026-11-20T14:00:00Z"
GOOD = {"usages": {"limit_5h": {"used_ratio": 0.5, "reset_time": SOON}}}


def understood(body: Any, now: datetime = NOW, **headers: str) -> Snapshot:
    return kimi.understood(WORK, answered(WORK, URL, body, **headers), now)


def window(snapshot: Snapshot, window_id: str) -> Window:
    found = [window for window in snapshot.windows if window.id == window_id]
    assert len(found) == 1, [window.id for window in snapshot.windows]
    return found[0]


def ratios(snapshot: Snapshot) -> dict[str, str | None]:
    return {w.id: None if w.used_ratio is None else str(w.used_ratio.normalize()) for w in snapshot.windows}


def refused(body: Any, status: int = 200, **headers: str) -> PeriluneError:
    with pytest.raises(PeriluneError) as caught:
        kimi.understood(WORK, answered(WORK, URL, body, status, **headers), NOW)
    return caught.value


@pytest.mark.case("accounts 1.9")
def test_each_region_is_asked_at_its_own_host() -> None:
    assert URL == "https://api.kimi.com/coding/v1/usages"
    assert kimi.read_url(binding(region="intl")) == "https://api.kimi.ai/coding/v1/usages"


@pytest.mark.case("accounts 1.10", "accounts 1.11")
@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("https://proxy.example.com/kimi", "https://proxy.example.com/kimi/coding/v1/usages"),
        ("https://proxy.example.com/coding/v1", "https://proxy.example.com/coding/v1/usages"),
        ("https://proxy.example.com/kimi/coding/v1/", "https://proxy.example.com/kimi/coding/v1/usages"),
        ("https://proxy.example.com/kimi/coding/", "https://proxy.example.com/kimi/coding/v1/usages"),
    ],
)
def test_a_written_base_is_joined_without_doubling(base: str, url: str) -> None:
    bound = binding(base_url=base)
    assert kimi.read_url(bound) == url
    assert bound.bound.hosts == ("proxy.example.com",)


@pytest.mark.case("accounts 4.1")
def test_counts_on_the_percent_scale() -> None:
    snapshot = understood(body_of("code-usages-legacy"))
    assert ratios(snapshot) == {"5h": "0.15", "7d": "0.26"}
    assert window(snapshot, "7d").unit == "percent"
    assert window(snapshot, "5h").resets_at == datetime(2026, 11, 20, 16, 33, 2, 717479, UTC)
    assert window(snapshot, "5h").span_s == 18_000
    assert snapshot.plan_title == "Allegretto"
    assert snapshot.drift == ()
    assert snapshot.unknown_fields == ()


@pytest.mark.case("accounts 4.2")
def test_counts_in_requests() -> None:
    snapshot = understood(body_of("code-usages-legacy-requests"))
    five, seven = snapshot.windows
    assert (five.id, five.used, five.limit, five.unit, five.remaining) == ("5h", 40, 200, "requests", 160)
    assert (seven.id, seven.used, seven.limit, seven.unit) == ("7d", 333, 2048, "requests")


@pytest.mark.case("accounts 4.3")
def test_ratios_beside_counts() -> None:
    snapshot = understood(body_of("code-usages-quota-model"))
    assert ratios(snapshot) == {"5h": "0.183", "7d": "0.4471", "month": "0.3125"}
    assert window(snapshot, "5h").has_conflict is False
    assert window(snapshot, "5h").unit == "ratio"
    month = window(snapshot, "month")
    assert [(part.id, str(part.used_ratio)) for part in month.parts] == [("code", "0.29")]
    assert month.span_s == 30 * 86_400


@pytest.mark.case("accounts 4.7")
@pytest.mark.parametrize("limits", [{"limits": []}, {"limits": None}, {}])
def test_without_further_limits_there_is_the_week_alone(limits: dict[str, Any]) -> None:
    assert ratios(understood({"usage": {"limit": "100", "used": "26"}, **limits})) == {"7d": "0.26"}


@pytest.mark.case("accounts 4.8")
def test_other_spellings_and_plain_numbers() -> None:
    limits = [
        {"window": {"duration": 300, "time_unit": "minute"}, "detail": {"limit": 200, "used": 40, "resetAt": SOON}},
        {"window": {"duration": 1, "timeUnit": "DAY"}, "remaining": 99, "limit": 100, "reset_at": SOON},
    ]
    snapshot = understood({"limits": limits})
    assert ratios(snapshot) == {"5h": "0.2", "1d": "0.01"}
    assert window(snapshot, "1d").used == 1
    assert all(w.resets_at == datetime(2026, 11, 20, 14, tzinfo=UTC) for w in snapshot.windows)


def item(duration: int, unit: str, **detail: Any) -> dict[str, Any]:
    return {"window": {"duration": duration, "timeUnit": unit}, "detail": {"limit": 200, "used": 25, **detail}}


@pytest.mark.case("accounts 4.9")
def test_a_window_of_two_hours() -> None:
    two = window(understood({"limits": [item(2, "TIME_UNIT_HOUR")]}), "2h")
    assert (two.span_s, two.used_ratio) == (7_200, Decimal("0.125"))


@pytest.mark.case("accounts 4.10")
@pytest.mark.parametrize(
    ("duration", "unit", "window_id"),
    [(300, "MINUTE", "5h"), (5, "HOUR", "5h"), (7, "DAY", "7d"), (1, "WEEK", "7d"), (90, "MINUTE", "90m")],
)
def test_an_id_follows_from_the_span(duration: int, unit: str, window_id: str) -> None:
    assert [w.id for w in understood({"limits": [item(duration, unit)]}).windows] == [window_id]


@pytest.mark.case("accounts 4.11")
def test_every_item_is_read_shortest_first() -> None:
    limits = [item(30, "DAY"), item(300, "MINUTE"), item(1440, "MINUTE")]
    assert [w.id for w in understood({"limits": limits}).windows] == ["5h", "1d", "30d"]


@pytest.mark.case("accounts 4.12")
def test_a_bad_item_loses_only_itself() -> None:
    snapshot = understood({"limits": ["what", item(300, "MINUTE")]})
    assert ratios(snapshot) == {"5h": "0.125"}
    assert snapshot.drift == ("limits[0]",)


@pytest.mark.case("accounts 4.13")
@pytest.mark.parametrize(("name", "window_id"), [("5h limit", "5h"), ("7-day", "7d"), ("something", "limit-1")])
def test_a_label_stands_in_for_a_window(name: str, window_id: str) -> None:
    snapshot = understood({"limits": [{"name": name, "detail": {"limit": 200, "used": 25}}]})
    assert ratios(snapshot) == {window_id: "0.125"}


def test_two_items_of_one_span_and_different_names_are_two_windows() -> None:
    limits = [{**item(5, "HOUR"), "name": "Code"}, {**item(5, "HOUR"), "name": "Deep Search"}]
    assert [w.id for w in understood({"limits": limits}).windows] == ["5h", "5h-deep-search"]


@pytest.mark.case("accounts 4.14")
def test_a_reset_in_seconds_from_now() -> None:
    snapshot = understood({"limits": [item(300, "MINUTE", reset_in=600)]})
    assert snapshot.windows[0].resets_at == NOW + timedelta(minutes=10)


@pytest.mark.case("accounts 4.15")
def test_an_unknown_ratio_is_a_window_of_its_own_name() -> None:
    pool = window(understood({"usages": {"limit_team_pool": {"used_ratio": 0.5}}}), "team-pool")
    assert (pool.span_s, pool.used_ratio, pool.label) == (None, Decimal("0.5"), "team-pool")


@pytest.mark.case("accounts 4.16")
def test_the_parallel_limit_is_the_concurrency() -> None:
    assert understood({**GOOD, "parallel": {"limit": "30"}}).limits.concurrency == 30
    odd = understood({**GOOD, "parallel": {"limit": "many"}})
    assert (odd.limits.concurrency, odd.drift) == (None, ("parallel",))


@pytest.mark.case("accounts 4.17")
@pytest.mark.parametrize("body", [{}, {"usages": {}}, {"usages": {"limit_5h": {}}}, [], b"<html>secret</html>", b""])
def test_what_says_nothing_is_not_understood(body: Any) -> None:
    error = refused(body)
    assert error.problem.code == "PL-PARSE"
    assert "secret" not in str(error)


def test_the_names_of_fields_are_told_and_never_their_values() -> None:
    error = refused({"surprise": "sk-kimi-EXAMPLESECRET", "more": 1})
    assert error.problem.facts["fields"] == "surprise, more"
    assert "EXAMPLE" not in str(error)


@pytest.mark.case("accounts 4.18")
@pytest.mark.parametrize(("ratio", "used"), [(1.4, "1.4"), ("0.3", "0.3"), (-0.1, None), ("NaN", None)])
def test_a_ratio_that_is_none_leaves_the_use_unknown(ratio: Any, used: str | None) -> None:
    beside = {"limit_7d": {"used_ratio": 0.1}}
    with_reset = understood({"usages": {"limit_5h": {"used_ratio": ratio, "reset_time": SOON}, **beside}})
    assert ratios(with_reset)["5h"] == used
    assert window(with_reset, "5h").is_reliable is (used is not None)
    without = understood({"usages": {"limit_5h": {"used_ratio": ratio}, **beside}})
    assert ratios(without).get("5h", None) == used
    assert ("5h" in ratios(without)) is (used is not None)


@pytest.mark.case("accounts 4.20")
@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, "PL-401-KEY"),
        (402, "PL-402-MEMBER"),
        (403, "PL-403-READ"),
        (404, "PL-404-READ"),
        (429, "PL-429-READ"),
        (500, "PL-5XX-READ"),
        (503, "PL-5XX-READ"),
    ],
)
def test_a_status_has_its_code(status: int, code: str) -> None:
    assert refused({"error": {"message": "no"}}, status).problem.code == code


def test_a_throttled_read_says_until_when() -> None:
    assert refused({}, 429, retry_after="90").problem.retry_at == NOW + timedelta(seconds=90)


@pytest.mark.case("accounts 4.22")
def test_the_vendors_words_are_quoted_without_credentials() -> None:
    jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
    error = refused({"error": {"message": f"bad key sk-kimi-EXAMPLE0001 and {jwt}"}}, 500)
    assert error.problem.words is not None
    assert "EXAMPLE" not in f"{error} {error.problem.words}"
    assert "eyJ" not in f"{error} {error.problem.words}"


def test_a_key_of_another_plans_prefix_only_looks_like_one() -> None:
    bound = binding(key="sk-EXAMPLE00000001")
    with pytest.raises(PeriluneError) as caught:
        kimi.understood(bound, answered(bound, URL, {}, 401), NOW)
    assert (caught.value.problem.code, caught.value.problem.variant) == ("PL-401-HOST", "looks")
    assert caught.value.problem.facts["other"] == "Moonshot"


@pytest.mark.case("accounts 6.1")
@pytest.mark.parametrize(
    ("level", "title"),
    [
        ("LEVEL_FREE", "Adagio"),
        ("LEVEL_TRIAL", "Andante"),
        ("LEVEL_BASIC", "Moderato"),
        ("LEVEL_INTERMEDIATE", "Allegretto"),
        ("LEVEL_ADVANCED", "Allegro"),
    ],
)
def test_a_level_has_a_title(level: str, title: str) -> None:
    body = {**GOOD, "user": {"membership": {"level": level}}, "version": "GOODS_VERSION_V1"}
    assert understood(body).plan_title == title


@pytest.mark.case("accounts 6.2")
def test_an_unknown_level_is_shown_as_it_is() -> None:
    assert understood({**GOOD, "user": {"membership": {"level": "LEVEL_FUTURE"}}}).plan_title == "LEVEL_FUTURE"


@pytest.mark.case("accounts 6.3")
@pytest.mark.parametrize(
    "user",
    [None, {}, {"membership": None}, {"membership": {"level": " "}}, {"membership": {"level": "LEVEL_UNSPECIFIED"}},
     {"membership": {"level": 5}}, "somebody"],
)  # fmt: skip
def test_without_a_level_the_windows_stay(user: Any) -> None:
    snapshot = understood({**GOOD, "user": user})
    assert (snapshot.plan_title, ratios(snapshot)) == (None, {"5h": "0.5"})


def test_the_code_share_alone_is_no_window() -> None:
    snapshot = understood({"usages": {**GOOD["usages"], "limit_month_code": {"used_ratio": 0.2}}})
    assert [w.id for w in snapshot.windows] == ["5h"]
    assert [(part.id, str(part.used_ratio)) for part in snapshot.loose_parts] == [("code", "0.2")]


def test_fields_of_the_future_are_kept_by_name() -> None:
    assert understood({**GOOD, "shiny": {"a": 1}}).unknown_fields == ("shiny",)


def test_a_clock_that_is_off_is_measured_and_the_servers_counts() -> None:
    snapshot = understood(GOOD, date="Fri, 20 Nov 2026 11:50:00 GMT")
    assert snapshot.clock_skew_s == -600
    assert snapshot.fetched_at == NOW - timedelta(minutes=10)


def test_a_clock_that_is_nearly_right_is_taken() -> None:
    assert understood(GOOD, date="Fri, 20 Nov 2026 12:00:29 GMT").clock_skew_s == 0
