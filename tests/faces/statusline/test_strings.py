"""The default strings: which case applies, and what it says in full and in short."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.lines import NOW_S, drawn, g1_line, with_account, with_window

from perilune.core.width import width
from perilune.quota.line import Line, LineBalance, LineRoute

LINE = g1_line()
DUE = with_window(LINE, used_ratio=None, used=None, remaining=None, reliable=False, resets_at=NOW_S - 120)
SPENT = with_account(LINE, state="spent", blocked_by="5h", until=NOW_S + 7620)
REFUSED = with_account(LINE, state="error", blocked_by="credential", code="PL-401-KEY")
OLD = with_account(LINE, fetched_at=NOW_S - 47 * 60 - 5)
DIFFERING = with_window(LINE, used_ratio=0.625, conflict=True, resets_at=NOW_S + 3700)
EMPTY = msgspec.structs.replace(LINE, accounts=())


@pytest.mark.parametrize(
    ("line", "full", "narrow"),
    [
        (LINE, "5h 69% 2h07m · 7d 10% · USD 18.43", "K 69% 2h07m"),
        (SPENT, "K spent → 22:07", "K → 22:07"),
        (OLD, "K 69%? 47m", "K 69%? 47m"),
        (DUE, "K –? due 19:58", "K –?"),
        (REFUSED, "K ! key refused", "K ! key"),
        (EMPTY, "K – add a key", "K –"),
        (None, "K – add a key", "K –"),
        (DIFFERING, "5h 62%≠ 1h02m · 7d 10% · USD 18.43", "K 62%≠ 1h02m"),
    ],
)
def test_each_case_has_its_string(line: Line | None, full: str, narrow: str) -> None:
    one = drawn(line)
    assert one.full() == full
    assert one.narrow() == narrow


def test_a_balance_alone_is_told_with_its_days() -> None:
    one = drawn(LINE, account="ci")
    assert (one.full(), one.narrow()) == ("USD 18.43 16d", "USD 18.43")


def test_what_is_left_is_marked_as_such() -> None:
    one = drawn(LINE, left=True)
    assert one.full() == "5h 31%↓ 2h07m · 7d 90%↓ · USD 18.43"
    assert one.narrow() == "K 31%↓ 2h07m"
    assert drawn(LINE, left=True, is_ascii=True).narrow() == "K 31% left 2h07m"


def test_ascii_has_other_glyphs_for_each() -> None:
    assert drawn(LINE, is_ascii=True).full() == "5h 69% 2h07m | 7d 10% | USD 18.43"
    assert drawn(SPENT, is_ascii=True).full() == "K spent -> 22:07"
    assert drawn(DUE, is_ascii=True).full() == "K -? due 19:58"
    assert drawn(DIFFERING, is_ascii=True).narrow() == "K 62%!= 1h02m"


@pytest.mark.parametrize(
    ("line", "full"),
    [
        (LINE, "5h 69% 2h07m · 7d 10% · USD 18.43"),
        (SPENT, "K 用尽 → 22:07"),
        (REFUSED, "K ! 密钥被拒"),
        (None, "K – 未添加密钥"),
        (OLD, "K 69%? 47m"),
    ],
)
def test_chinese_translates_words_and_leaves_figures(line: Line | None, full: str) -> None:
    assert drawn(line, language="zh-CN").full() == full


def test_the_first_case_that_applies_is_told() -> None:
    refused_and_old = with_account(REFUSED, fetched_at=NOW_S - 9999)
    assert drawn(refused_and_old).full() == "K ! key refused"
    spent_and_old = with_account(SPENT, fetched_at=NOW_S - 9999)
    assert drawn(spent_and_old).full() == "K spent → 22:07"
    due_and_old = with_account(DUE, fetched_at=NOW_S - 9999)
    assert drawn(due_and_old).full() == "K –? due 19:58"


def test_a_spent_window_whose_reset_passes_is_no_longer_spent() -> None:
    line = with_window(SPENT, used_ratio=1.0, resets_at=NOW_S + 7620, state="spent")
    later = drawn(line, now=NOW_S + 7680)
    assert later.full() == "K –? due 22:07"
    assert later.state != "spent"


def test_a_reset_on_another_day_is_short_enough_for_a_narrow_place() -> None:
    line = with_account(LINE, state="spent", blocked_by="7d", until=NOW_S + 444_180)
    assert drawn(line).full() == "K spent → Wed 25 Nov 23:23"
    assert drawn(line).narrow() == "K → Wed 23:23"


def test_spent_without_a_known_end_promises_nothing() -> None:
    line = with_account(LINE, state="spent", blocked_by="quota", until=None)
    assert drawn(line).full() == drawn(line).narrow() == "K spent"


def test_the_longer_window_comes_first_when_it_binds() -> None:
    line = with_account(with_window(LINE, "7d", used_ratio=0.9), binding="7d")
    assert drawn(line).full() == "7d 90% 5d3h · 5h 69% · USD 18.43"


def test_a_window_of_unknown_use_is_a_dash() -> None:
    line = with_account(
        with_window(LINE, used_ratio=None, used=None, remaining=None, reliable=False), state="unknown", binding=None
    )
    line = with_window(line, "7d", used_ratio=None)
    assert drawn(line).full() == "5h – 2h07m · 7d – · USD 18.43"


def test_the_account_is_the_one_asked_for_then_the_route_s_main_then_the_one_with_least_left() -> None:
    assert drawn(LINE, account="lab").view.name == "lab"
    routed = msgspec.structs.replace(LINE, routes=(LineRoute("default", ("ci", "work")),))
    assert drawn(routed).view.name == "ci"
    unrouted = msgspec.structs.replace(LINE, routes=(), accounts=LINE.accounts[::-1])
    assert drawn(unrouted).view.name == "work"
    assert drawn(LINE, account="gone").full() == "K ! no account gone"


def test_the_balance_is_that_of_the_first_fallback() -> None:
    line = msgspec.structs.replace(LINE, routes=(LineRoute("default", ("work", "lab", "ci")),))
    assert drawn(line).full().endswith("CNY 49.59")
    alone = msgspec.structs.replace(LINE, routes=(LineRoute("default", ("work",)),))
    assert drawn(alone).full() == "5h 69% 2h07m · 7d 10%"


def test_a_clock_that_runs_wrong_does_not_shift_durations() -> None:
    line = with_account(LINE, skew_s=600)
    assert drawn(line, now=NOW_S - 600).full() == "5h 69% 2h07m · 7d 10% · USD 18.43"


@pytest.mark.parametrize(
    ("ratio", "shown"), [(0.29, "29%"), (0.004, "<1%"), (0.0, "0%"), (0.999999, "99%"), (1.04, "104%")]
)
def test_a_percent_is_rounded_down_and_never_clamped(ratio: float, shown: str) -> None:
    assert drawn(with_window(LINE, used_ratio=ratio)).narrow() == f"K {shown} 2h07m"


@given(
    ratio=st.none() | st.floats(0, 2).map(lambda value: round(value, 6)),
    wait=st.integers(-100_000, 3_000_000),
    age=st.integers(0, 4_000_000),
    state=st.sampled_from(["ok", "high", "spent", "stale", "error", "unknown"]),
    until=st.none() | st.integers(-1000, 3_000_000),
    amount=st.decimals(-10_000, 100_000, places=2),
    conflict=st.booleans(),
    language=st.sampled_from(["en", "zh-CN"]),
    left=st.booleans(),
)
def test_no_line_is_wider_than_its_place(ratio, wait, age, state, until, amount, conflict, language, left) -> None:
    line = with_window(LINE, used_ratio=ratio, resets_at=NOW_S + wait, conflict=conflict)
    line = with_account(
        line, state=state, fetched_at=NOW_S - age, code="PL-401-KEY", until=None if until is None else NOW_S + until
    )
    line = with_account(line, "ci", balance=LineBalance(shown=f"USD {amount}", days_left=None))
    one = drawn(line, language=language, left=left)
    assert width(one.full()) <= 40
    assert width(one.narrow()) <= 16


@pytest.mark.case("experience L12")
def test_tokens_are_filled_and_unknown_values_are_a_dash() -> None:
    assert drawn(LINE, template="{5h.pct} {month.pct}").full() == "69% –"


def test_every_token_has_a_value() -> None:
    template = (
        "{bind.pct} {bind.left} {bind.reset} {bind.at} {7d.pct} {7d.left} {7d.reset} {7d.at} {pace} {empty_at}"
        " {balance} {state} {glyph} {age} {route} {account} {{}}"
    )
    assert drawn(LINE, template=template).full() == (
        "69% 61 2h07m 22:07 10% 1834 5d3h Wed 25 Nov 23:23 ahead 21:15 USD 18.43 high ▲ 12s default work {}"
    )


def test_an_unknown_token_stands_for_itself() -> None:
    assert drawn(LINE, template="{5h.pct} {nope} {5h.nope}").full() == "69% {nope} {5h.nope}"
