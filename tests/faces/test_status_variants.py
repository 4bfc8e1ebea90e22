"""States, widths and encodings of the status text."""

import io
import re
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.support.g1 import CI, FIVE_HOURS, G1, GATEWAY, LAB, NOW, SEVEN_DAYS, WORK, balance_account, look, voice

from perilune.core.messages import Language
from perilune.core.money import MoneyDocument
from perilune.core.width import width
from perilune.faces.cli.output import Output
from perilune.faces.text.brief import brief_lines
from perilune.faces.text.changes import changed_lines
from perilune.faces.text.figures import bar, figures
from perilune.faces.text.narrow import narrow_lines
from perilune.faces.text.status import status_lines
from perilune.quota.document import (
    AccountDocument,
    EffectiveDocument,
    ErrorDocument,
    PaceDocument,
    StatusDocument,
    WindowDocument,
)

GOLDENS = Path(__file__).parent / "goldens"
LANGUAGES: list[Language] = ["en", "zh-CN"]


def golden(name: str, start: int, end: int) -> list[str]:
    return (GOLDENS / f"{name}.txt").read_text(encoding="utf-8").splitlines()[start:end]


def window(used_ratio: float | None, **more: Any) -> WindowDocument:
    plain = {"used": None, "limit": None, "remaining": None, "unit": "ratio", "pace": None, "state": "ok"}
    return replace(FIVE_HOURS, used_ratio=used_ratio, **{**plain, **more})


def account(*windows: WindowDocument, **more: Any) -> AccountDocument:
    free = EffectiveDocument(usable=True, blocked_by=None, until=None, binding=None, remaining_ratio=None)
    return replace(WORK, windows=list(windows), **{"effective": free, **more})


def status(*accounts: AccountDocument) -> StatusDocument:
    return StatusDocument(generated_at=NOW, accounts=list(accounts), errors=[])


def lines(*windows: WindowDocument, language: Language = "en", **more: Any) -> list[str]:
    """The lines below the header."""
    return status_lines(status(account(*windows, **more)), look(), voice(language))[1:]


def at(moment: datetime, held: AccountDocument) -> AccountDocument:
    """The account as it is told at another moment."""
    assert held.fetched_at is not None
    return replace(held, age_s=int((moment - held.fetched_at).total_seconds()))


@pytest.mark.case("experience N1")
def test_a_percent_is_cut_in_decimal() -> None:
    (row, _) = lines(window(0.29))[:2]
    assert "29% used" in row
    assert "71% left" in row


@pytest.mark.case("experience N2")
def test_what_is_not_full_never_looks_full() -> None:
    nearly = window(0.996, state="high")
    assert bar(nearly, 40) == "█" * 39 + "░"
    assert "99% used" in lines(nearly)[0]
    assert lines(nearly)[0].endswith("high")


@pytest.mark.case("experience N3")
def test_over_use_is_visible() -> None:
    row = lines(window(1.04, state="spent"))[0]
    assert "█" * 40 + " 104% used" in row
    assert "0% left  spent" in row


@pytest.mark.case("experience N4")
def test_a_little_use_is_visible() -> None:
    row = lines(window(0.004))[0]
    assert "█" + "░" * 39 in row
    assert "<1% used" in row
    assert "99% left" in row


@pytest.mark.case("experience N5")
@pytest.mark.parametrize("language", LANGUAGES)
def test_percent_points_are_not_called_requests(language: Language) -> None:
    points = window(0.27, used=27, limit=100, remaining=73, unit="percent")
    text = "\n".join(lines(points, language=language))
    assert {"27%", "73%"} <= set(re.findall(r"\d+%", text))
    assert "request" not in text
    assert "请求" not in text


@pytest.mark.case("experience N6")
def test_left_turns_the_figures_and_the_bar_around() -> None:
    row = status_lines(G1, replace(look(), shown="left"), voice())[1]
    assert "31% left" in row
    assert "139 used" in row
    assert figures(FIVE_HOURS, "left") == ("31%", "139")
    drawn = bar(replace(FIVE_HOURS, pace=None), 40, "left")
    assert drawn == "█" * 12 + "░" * 28
    assert bar(FIVE_HOURS, 40, "left").index("|") == 39 - 23


@pytest.mark.case("experience N7")
def test_an_unused_window_starts_with_the_next_request() -> None:
    row, second = lines(window(0.0, resets_at=None))[:2]
    assert "0% used" in row
    assert "|" not in row
    assert second == " " * 10 + "starts with the next request"


@pytest.mark.case("experience N8")
def test_a_window_that_was_not_reported_has_no_row() -> None:
    text = "\n".join(lines(FIVE_HOURS, window(0.2, id="month", label="Month")))
    assert "7 days" not in text
    assert "week" not in text.lower()


@pytest.mark.case("experience N9")
def test_a_passed_reset_is_due_and_its_use_unknown() -> None:
    passed = window(None, resets_at=NOW - timedelta(minutes=2), state="stale", reliable=False)
    assert lines(passed, state="stale")[:2] == golden("variants_en", 8, 10)


@pytest.mark.case("experience N13")
def test_what_is_owed_is_told() -> None:
    owing = balance_account("lab", "cn", "CNY", ("2.5", "2.5", "-0.73"), None, None)
    assert owing.balance is not None
    owing = replace(owing, state="high", balance=replace(owing.balance, deficit=MoneyDocument("0.73", "CNY")))
    row = status_lines(status(owing), look(), voice())[1]
    assert row.startswith("  balance ¥2.50   voucher ¥2.50   cash -¥0.73   owed ¥0.73 ")
    assert row.endswith("  high")


@pytest.mark.case("experience N15")
def test_a_window_of_an_unknown_id_keeps_its_own_label() -> None:
    twelve = window(0.5, id="12h", label="12h", span_s=43_200)
    rows = [line[2:10].strip() for line in lines(FIVE_HOURS, twelve, SEVEN_DAYS) if "█" in line]
    assert rows == ["5 h", "12h", "7 days"]


@pytest.mark.case("experience N16")
def test_a_reset_is_rounded_up() -> None:
    late = window(0.5, resets_at=NOW.replace(hour=14, minute=6, second=1))
    assert "in 2h 07m (22:07)" in lines(late)[1]


@pytest.mark.case("experience N17")
def test_a_reset_on_another_day_has_weekday_and_date() -> None:
    assert "in 1d 0h (Sat 21 Nov 20:01)" in lines(window(0.5, resets_at=NOW + timedelta(hours=24, minutes=1)))[1]


@pytest.mark.case("experience N18")
def test_money_is_rounded_half_even_on_the_screen() -> None:
    alone = status_lines(status(LAB), look(), voice())
    assert "balance ¥49.59" in alone[1]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_spent_window_says_when_it_is_back_and_what_is_left(language: Language) -> None:
    soon = NOW.replace(hour=13, minute=26)
    spent = window(1.0, remaining=0, used=200, limit=200, unit="requests", state="spent")
    seven = replace(SEVEN_DAYS, used_ratio=0.35, used=None, remaining=None, unit="ratio")
    blocked = EffectiveDocument(usable=False, blocked_by="5h", until=spent.resets_at, binding="5h", remaining_ratio=0.0)
    held = at(soon, account(spent, seven, state="spent", effective=blocked))
    told = status_lines(status(held), look(), voice(language))[1:3]
    assert told == golden("variants_en" if language == "en" else "variants_zh", 0, 2)


def test_a_far_reset_is_told_without_advice() -> None:
    month = window(1.04, id="month", label="Month", resets_at=datetime.fromisoformat("2026-12-01T03:00:00Z"))
    assert lines(replace(month, state="spent"), state="spent")[:2] == golden("variants_en", 4, 6)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_stale_reading_says_since_when_and_why(language: Language) -> None:
    brief = {"en": "api.kimi.com timed out 3 times", "zh-CN": "api.kimi.com 连续 3 次超时"}[language]
    error = ErrorDocument(code="PL-NET-TIMEOUT", message="…", brief=brief)
    old = replace(SEVEN_DAYS, used_ratio=0.35, unit="ratio", remaining=None, pace=None, state="stale")
    held = account(old, state="stale", error=error, age_s=47 * 60)
    told = status_lines(status(held), look(), voice(language))[1:3]
    assert told == golden("variants_en" if language == "en" else "variants_zh", 2, 4)


def test_readings_that_differ_are_marked_and_explained() -> None:
    paced = PaceDocument(expected_ratio=0.71, stage="behind", lasts=True, empty_at=None)
    row, why = lines(window(0.62, conflict=True, pace=paced))[:2]
    expected = golden("variants_en", 6, 8)
    assert why == expected[1]
    assert row[50:] == expected[0][50:]


def test_an_account_that_cannot_be_read_has_its_code() -> None:
    error = ErrorDocument(code="PL-401-KEY", message="…", brief="api.kimi.com refuses this key since 19:58")
    refused = account(state="error", fetched_at=None, age_s=None, error=error)
    assert status_lines(status(refused), look(), voice())[1] == golden("variants_en", 11, 12)[0]
    new = account(name="new", state="unknown", fetched_at=None, age_s=None)
    assert status_lines(status(new), look(), voice())[1] == golden("variants_en", 12, 13)[0]


def test_an_unreliable_figure_is_doubted() -> None:
    assert "62%? used" in lines(window(0.62, reliable=False))[0]
    unknown = lines(window(None, reliable=False, resets_at=None, state="unknown"))
    assert unknown[0].endswith("    – used     – left  unknown")


def test_the_source_of_the_figures_is_told_when_asked() -> None:
    asked = replace(look(), is_verbose=True, keys={"work": "sk-kimi-…a1b2"})
    told = status_lines(status(WORK), asked, voice())
    assert told[-1] == " " * 10 + "api.kimi.com/coding/v1/usages · api-key sk-kimi-…a1b2 · 212 ms"
    assert "lasts until reset, 16 points below even pace" in "\n".join(told)


@pytest.mark.case("experience W3")
def test_a_wide_screen_widens_the_bar_alone() -> None:
    wide = status_lines(G1, look(120), voice(), GATEWAY)
    usual = status_lines(G1, look(80), voice(), GATEWAY)
    bars = [line for line in wide if "█" in line]
    assert all(len(line[10:70].strip("█░|")) == 0 for line in bars)
    assert [re.sub(r"[█░| ]+", " ", line) for line in wide] == [re.sub(r"[█░| ]+", " ", line) for line in usual]
    assert max(map(width, wide)) == 100


@pytest.mark.case("experience W4")
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("columns", [59, 40])
def test_a_narrow_screen_has_no_line_over_40(language: Language, columns: int) -> None:
    narrow = narrow_lines(G1, look(columns), voice(language))
    assert max(map(width, narrow)) <= 40
    assert not any("█" in line for line in narrow)


@pytest.mark.parametrize("columns", range(60, 80))
@pytest.mark.parametrize("language", LANGUAGES)
def test_between_60_and_79_the_bar_shrinks(language: Language, columns: int) -> None:
    told = status_lines(G1, look(columns), voice(language), GATEWAY)
    assert max(map(width, told)) <= columns
    assert len(re.findall(r"[█░|]", next(line for line in told if "█" in line))) == columns - 40


@pytest.mark.case("experience W5")
def test_the_table_is_aligned_by_display_width() -> None:
    named = status(replace(WORK, name="测试账号"), CI)
    table = brief_lines(named, look(), voice())
    starts = {
        width(line[: line.index(cell)]) for line, cell in zip(table[1:3], ("kimi-code", "kimi-code"), strict=True)
    }
    starts |= {width(table[3][: table[3].index("moonshot")]), table[0].index("PLAN")}
    assert starts == {10}


@pytest.mark.case("experience W6")
def test_ascii_output_is_ascii_bytes_and_stays_aligned() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    output = Output(stream, {"TERM": "dumb"})
    told = [output.shown(line) for line in status_lines(G1, look(is_ascii=True), voice(), GATEWAY)]
    assert all(" " <= character <= "~" for line in told for character in line)
    expected = (GOLDENS / "status_en_ascii_first_account.txt").read_text().splitlines()
    assert told[: len(expected)] == expected
    doubted = status_lines(status(account(window(0.62, conflict=True))), look(is_ascii=True), voice())
    assert width(output.shown(doubted[1])) == 75
    assert "62%!= used" in output.shown(doubted[1])


@pytest.mark.case("experience W8")
def test_ascii_glyphs_with_chinese_words_fit_the_screen() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    output = Output(stream, {})
    output.is_ascii = True
    told = [output.shown(line) for line in status_lines(G1, look(is_ascii=True), voice("zh-CN"), GATEWAY)]
    assert max(map(width, told)) <= 80
    assert not re.search(r"[█░–·→]", "".join(told))
    assert "已用 69%" in told[1]


def test_only_what_changed_is_told_again() -> None:
    later = replace(G1, generated_at=NOW + timedelta(seconds=30), accounts=[account(window(0.70), SEVEN_DAYS), CI, LAB])
    assert changed_lines(G1, later, look(), voice()) == ["20:00:30 work 5 h 70% used"]
    assert changed_lines(G1, replace(G1, generated_at=NOW + timedelta(seconds=30)), look(), voice()) == []


ratios = st.one_of(st.none(), st.decimals(min_value=0, max_value=2, places=6).map(float))


@given(
    ratio=ratios,
    expected=st.one_of(st.none(), st.decimals(min_value=Decimal("0.03"), max_value=1, places=4).map(float)),
    cells=st.integers(20, 60),
)
def test_a_bar_is_as_long_as_its_cells_and_full_only_when_full(
    ratio: float | None, expected: float | None, cells: int
) -> None:
    pace = None if expected is None else PaceDocument(expected_ratio=expected, stage="ahead", lasts=True, empty_at=None)
    drawn = bar(window(ratio, pace=pace), cells)
    assert len(drawn) == cells
    unmarked = bar(window(ratio), cells)
    assert ("░" not in unmarked) is (ratio is not None and ratio >= 1)
    assert ("█" not in unmarked) is (ratio is None or ratio == 0)


@given(ratio=st.decimals(min_value=0, max_value=1, places=6).map(float))
def test_used_and_left_add_up(ratio: float) -> None:
    used, left = figures(window(ratio), "used")
    shown = 1 if used == "<1%" else int(used.rstrip("%"))
    assert shown + int(left.rstrip("%")) == 100


some_windows = st.lists(
    st.builds(
        lambda name, ratio, reset, reliable, conflict, state: window(
            ratio,
            id=name,
            label=name,
            resets_at=None if reset is None else NOW + timedelta(minutes=reset),
            reliable=reliable,
            conflict=conflict,
            state=state,
        ),
        st.sampled_from(["5h", "7d", "month", "12h"]),
        ratios,
        st.one_of(st.none(), st.integers(-300, 30_000)),
        st.booleans(),
        st.booleans(),
        st.sampled_from(["ok", "high", "spent", "stale", "unknown"]),
    ),
    max_size=4,
    unique_by=lambda held: held.id,
)


@given(windows=some_windows, language=st.sampled_from(LANGUAGES), columns=st.integers(40, 130))
def test_every_percent_on_the_screen_is_in_the_document(
    windows: list[WindowDocument], language: Language, columns: int
) -> None:
    held = status(account(*windows))
    allowed = set()
    for one in windows:
        if one.used_ratio is not None:
            used = int(Decimal(str(one.used_ratio)) * 100)
            shown = 1 if used == 0 and one.used_ratio > 0 else used
            allowed |= {f"{shown}%", f"{max(100 - shown, 0)}%"}
    tell = status_lines if columns >= 60 else narrow_lines
    for told in (tell(held, look(columns), voice(language)), brief_lines(held, look(columns), voice(language))):
        assert set(re.findall(r"\d+%", "\n".join(told))) <= allowed
        assert not re.search(r"None|nan|inf|\{|\}", "\n".join(told))
