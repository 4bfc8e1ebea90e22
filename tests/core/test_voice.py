from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perilune.core.codes import CODES
from perilune.core.errors import Problem
from perilune.core.messages import Voice
from perilune.core.messages.catalogue import Language
from perilune.core.money import Money

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")
EN = Voice(zone=SHANGHAI, now=NOON)
ZH = Voice(language="zh-CN", zone=SHANGHAI, now=NOON)
SPANS = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=400))


@pytest.mark.parametrize(
    ("span", "en", "zh"),
    [
        ({"seconds": 0}, "0s", "0 秒"),
        ({"seconds": 45}, "45s", "45 秒"),
        ({"seconds": 59, "milliseconds": 500}, "1m", "1 分钟"),
        ({"minutes": 11, "seconds": 1}, "12m", "12 分钟"),
        ({"minutes": 59, "seconds": 30}, "1h 00m", "1 小时 0 分"),
        ({"hours": 2, "minutes": 7}, "2h 07m", "2 小时 7 分"),
        ({"days": 3, "hours": 2, "minutes": 59}, "3d 2h", "3 天 2 小时"),
        ({"seconds": -5}, "0s", "0 秒"),
    ],
)
def test_a_duration(span: dict[str, int], en: str, zh: str) -> None:
    assert EN.duration(timedelta(**span)) == en
    assert ZH.duration(timedelta(**span)) == zh


@pytest.mark.case("experience N16")
def test_a_reset_one_second_past_the_minute_is_said_a_minute_later() -> None:
    reset = datetime(2026, 11, 20, 14, 6, 1, tzinfo=UTC)
    assert f"in {EN.duration(reset - NOON)}" == "in 2h 07m"
    assert EN.clock(reset, round_up=True) == "22:07"
    assert EN.clock(reset) == "22:06"


@pytest.mark.case("experience N17")
def test_a_reset_more_than_a_day_away_has_weekday_and_date() -> None:
    reset = NOON + timedelta(hours=24, minutes=1)
    assert EN.clock(reset, round_up=True) == "Sat 21 Nov 20:01"
    assert ZH.clock(reset, round_up=True) == "11月21日 周六 20:01"


def test_another_year_is_named() -> None:
    assert EN.clock(datetime(2027, 1, 4, 1, tzinfo=UTC)) == "Mon 4 Jan 2027 09:00"
    assert ZH.clock(datetime(2027, 1, 4, 1, tzinfo=UTC)) == "2027年1月4日 周一 09:00"


def test_rounding_up_may_cross_midnight_and_the_year() -> None:
    late = Voice(zone=UTC, now=datetime(2026, 12, 31, 20, tzinfo=UTC))
    assert late.clock(datetime(2026, 12, 31, 23, 59, 1, tzinfo=UTC), round_up=True) == "Fri 1 Jan 2027 00:00"


def test_twelve_hours() -> None:
    voice = Voice(zone=SHANGHAI, now=NOON, clock_format="12h")
    assert voice.clock(NOON) == "8:00 PM"


@given(SPANS)
def test_a_duration_is_never_shorter_than_the_span_below_a_day(span: timedelta) -> None:
    if span < timedelta(days=1) - timedelta(minutes=1):
        assert _read(EN.duration(span)) >= span
        assert _read(EN.duration(span)) - span <= timedelta(minutes=1)


@given(SPANS)
def test_an_age_is_never_longer_than_the_span(span: timedelta) -> None:
    assert _read(EN.age(span)) <= span


def _read(text: str) -> timedelta:
    units = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
    return sum((timedelta(**{units[part[-1]]: int(part[:-1])}) for part in text.split()), timedelta(0))


@pytest.mark.parametrize(
    ("seconds", "en", "zh"),
    [
        (12.9, "12s ago", "12 秒前"),
        (47 * 60 + 59, "47m ago", "47 分钟前"),
        (3 * 3600, "3h ago", "3 小时前"),
        (2 * 86400, "2d ago", "2 天前"),
    ],
)
def test_an_age(seconds: float, en: str, zh: str) -> None:
    assert EN.age_ago(timedelta(seconds=seconds)) == en
    assert ZH.age_ago(timedelta(seconds=seconds)) == zh


@pytest.mark.parametrize(
    ("value", "word"),
    [
        (Money(Decimal("49.58894"), "CNY"), "¥49.59"),
        (1_048_576, "1,048,576"),
        (True, "true"),
        (None, "–"),
        (Decimal("0.10"), "0.1"),
        (timedelta(minutes=41), "41m"),
        (NOON, "20:00"),
        ("api.kimi.com", "api.kimi.com"),
    ],
)
def test_a_value_inside_a_sentence(value: object, word: str) -> None:
    assert EN.word(value) == word


def test_currency_codes_where_two_currencies_meet() -> None:
    assert Voice(with_currency_codes=True).word(Money(Decimal("49.58894"), "CNY")) == "CNY 49.59"


def test_an_unknown_message_is_a_fault_of_ours() -> None:
    with pytest.raises(KeyError):
        EN.say("common.not_there")


def test_values_are_not_read_as_placeholders() -> None:
    assert EN.say("common.vendor_says", words="{account} {0.__class__}") == 'The vendor says: "{account} {0.__class__}"'


def test_the_vendors_words_and_request_id_stand_in_the_cause() -> None:
    words = EN.explain(Problem(code="PL-5XX", words="try later", request_id="req-1"))
    assert words.why is not None
    assert 'The vendor says: "try later"' in words.why
    assert words.why.endswith("(req-1)")


@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize("code", CODES)
def test_every_code_can_be_put_into_words_without_any_fact(code: str, language: Language) -> None:
    words = Voice(language=language, now=NOON).explain(Problem(code=code))
    assert words.code == code
    for line in (words.what, words.why or "", *words.fix, words.note or ""):
        assert "{" not in line
        assert "None" not in line


def test_a_fact_that_is_none_counts_as_unknown() -> None:
    for code in CODES:
        bare = EN.explain(Problem(code=code))
        assert EN.explain(Problem(code=code, facts={"account": None, "host": None})) == bare
