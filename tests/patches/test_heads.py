"""Findings across heads: recognised by code and words, never by lines; resolved only when the code is gone."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from perilune.patches.finding import Anchor, Category, Finding, Level, Severity, State
from perilune.patches.fingerprint import identify
from perilune.patches.heads import (
    AcrossHeads,
    Earlier,
    Now,
    Read,
    Silent,
    Suppression,
    across_heads,
    is_suppressed,
    words_of,
)
from perilune.patches.model import Side

QUOTE = "    total += price * count"


def _finding(
    title: str = "Overflow of total when count is large",
    path: str = "shop/cart.py",
    quote: str = QUOTE,
    symbol: str = "Cart.add",
    category: Category = Category.BUG,
    severity: Severity = Severity.MEDIUM,
    line: int = 10,
) -> Finding:
    identity = identify(path, quote, symbol, 0, category)
    return Finding(
        id=title,
        unit_id="u",
        fingerprint=identity.fingerprint,
        fingerprint_code=identity.fingerprint_code,
        symbol=symbol,
        severity=severity,
        category=category,
        title=title,
        body="",
        anchor=Anchor(path=path, start_line=line, end_line=line, level=Level.LINE, quote=quote),
    )


def _earlier(finding: Finding, **fields: object) -> Earlier:
    entry = Earlier(
        key=finding.id,
        fingerprint=finding.fingerprint,
        fingerprint_code=finding.fingerprint_code,
        path=finding.anchor.path,
        quote=finding.anchor.quote,
        symbol=finding.symbol,
        severity=finding.severity,
        words=words_of(finding),
    )
    return structs.replace(entry, **fields)


def _now(names: dict[str, Sequence[str]] | None = None, read: Read = Read.WHOLE, *, stands: bool | None = True) -> Now:
    def lines_stand(path: str, side: Side, anchor: str) -> bool | None:
        return stands

    return Now(names=names or {}, read=lambda path: read, stands=lines_stand)


def _one(finding: Finding, entry: Earlier, now: Now | None = None) -> State:
    return across_heads([finding], [entry], now or _now()).found[0].state


def _silent(entry: Earlier, now: Now) -> Silent:
    return across_heads([], [entry], now).silent[0]


def test_the_same_finding_on_another_line_is_carried() -> None:
    assert _one(_finding(line=110), _earlier(_finding(line=10))) is State.CARRIED


@pytest.mark.parametrize(
    "title",
    ["The sum can overflow for a large count", "Rounding loses cents here"],
    ids=["similar words", "other words, but the only finding on this code"],
)
def test_a_reworded_finding_of_another_category_is_carried(title: str) -> None:
    assert _one(_finding(title, category=Category.SECURITY), _earlier(_finding())) is State.CARRIED


def test_a_finding_in_a_renamed_file_is_carried() -> None:
    moved = _finding(path="store/basket.py")
    assert _one(moved, _earlier(_finding()), _now({"store/basket.py": ["shop/cart.py"]})) is State.CARRIED
    assert _one(moved, _earlier(_finding())) is State.NEW


def test_a_finding_in_a_renamed_symbol_is_carried() -> None:
    assert _one(_finding(symbol="Basket.put"), _earlier(_finding())) is State.CARRIED


def test_a_finding_on_edited_code_of_the_same_symbol_with_the_same_words_is_carried() -> None:
    assert _one(_finding(quote="    total = total + price * count"), _earlier(_finding())) is State.CARRIED


def test_another_defect_elsewhere_is_new() -> None:
    other = _finding("Password is written to the log", quote="    log.info(password)", symbol="Cart.login")
    result = across_heads([_finding(), other], [_earlier(_finding())], _now())
    assert [entry.state for entry in result.found] == [State.CARRIED, State.NEW]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_two_defects_on_one_line_stay_two_each_with_its_own_thread(order: tuple[int, int]) -> None:
    both = [_finding("Overflow of total"), _finding("Missing lock around shared total")]
    result = across_heads([both[at] for at in order], [_earlier(finding) for finding in both], _now())
    assert [entry.earlier.key for entry in result.found if entry.earlier] == [both[at].title for at in order]
    assert [entry.state for entry in result.found] == [State.CARRIED, State.CARRIED]


def test_two_equal_defects_at_two_places_stay_two() -> None:
    first, second = _finding(), _finding(symbol="Cart.remove")
    result = across_heads([first, second], [_earlier(first)], _now())
    assert [entry.state for entry in result.found] == [State.CARRIED, State.NEW]


def test_a_higher_severity_is_told_and_a_lower_one_not() -> None:
    worse = across_heads([_finding(severity=Severity.HIGH)], [_earlier(_finding())], _now()).found[0]
    milder = across_heads([_finding(severity=Severity.LOW)], [_earlier(_finding())], _now()).found[0]
    assert (worse.state, worse.is_raised) == (State.CARRIED, True)
    assert (milder.state, milder.is_raised) == (State.CARRIED, False)


def test_a_dismissed_finding_is_suppressed() -> None:
    assert _one(_finding(), _earlier(_finding(), state=State.DISMISSED)) is State.SUPPRESSED


def test_a_finding_that_comes_back_after_it_was_fixed_is_new_and_names_the_old_one() -> None:
    matched = across_heads([_finding()], [_earlier(_finding(), state=State.FIXED)], _now()).found[0]
    assert matched.state is State.NEW
    assert matched.earlier is not None


def test_of_a_fixed_and_an_open_one_the_open_one_is_meant() -> None:
    fixed = _earlier(_finding(), key="fixed", state=State.FIXED)
    matched = across_heads([_finding()], [fixed, _earlier(_finding(), key="open")], _now()).found[0]
    assert (matched.state, matched.earlier and matched.earlier.key) == (State.CARRIED, "open")


def test_silence_about_code_that_is_still_there_resolves_nothing() -> None:
    silent = _silent(_earlier(_finding()), _now(stands=True))
    assert (silent.state, silent.may_resolve) == (State.CARRIED, False)


@pytest.mark.parametrize("read", [Read.WHOLE, Read.GONE, Read.UNCHANGED])
def test_code_that_is_gone_is_fixed(read: Read) -> None:
    silent = _silent(_earlier(_finding()), _now(read=read, stands=False))
    assert (silent.state, silent.may_resolve) == (State.FIXED, True)


def test_a_thread_with_a_human_reply_is_fixed_but_left_open() -> None:
    silent = _silent(_earlier(_finding(), has_human_reply=True), _now(stands=False))
    assert (silent.state, silent.may_resolve) == (State.FIXED, False)


def test_code_that_is_gone_from_a_file_not_read_whole_is_not_resolved() -> None:
    silent = _silent(_earlier(_finding()), _now(read=Read.NOT_WHOLE, stands=False))
    assert (silent.state, silent.may_resolve) == (State.POSTED, False)


def test_a_thread_alone_says_too_little_to_resolve_it() -> None:
    lost = _earlier(_finding(), quote="", symbol="", is_known=False)
    assert _silent(lost, _now(stands=None)).state is State.POSTED
    assert _one(_finding(), lost) is State.CARRIED


def test_what_became_of_a_finding_is_asked_of_its_files_present_path() -> None:
    asked: list[str] = []

    def read(path: str) -> Read:
        asked.append(path)
        return Read.WHOLE

    now = Now(names={"store/basket.py": ["shop/cart.py"]}, read=read, stands=lambda path, side, anchor: True)
    across_heads([], [_earlier(_finding())], now)
    assert asked == ["store/basket.py"]


def test_the_like_of_a_dismissed_finding_is_suppressed_until_that_is_forgotten() -> None:
    at = datetime(2026, 11, 20, tzinfo=UTC)
    fact = Suppression(
        fingerprint_code=_finding().fingerprint_code, words=words_of(_finding()), until=at + timedelta(days=90)
    )
    assert is_suppressed(_finding(), [fact], at)
    assert not is_suppressed(_finding(), [fact], at + timedelta(days=90))
    assert not is_suppressed(_finding("Missing lock around shared state"), [fact], at)


_TITLES = ["Overflow of total", "Missing lock around shared state", "Password in the log", "Total can overflow"]
_findings = st.builds(
    _finding,
    title=st.sampled_from(_TITLES),
    quote=st.sampled_from([QUOTE, "    return total"]),
    symbol=st.sampled_from(["Cart.add", "Cart.remove"]),
    category=st.sampled_from([Category.BUG, Category.SECURITY]),
)


@given(st.lists(_findings, max_size=6), st.lists(_findings, max_size=6))
def test_pairs_are_one_to_one_and_nothing_is_lost(found: list[Finding], before: list[Finding]) -> None:
    earlier = [_earlier(finding, key=str(at)) for at, finding in enumerate(before)]
    result: AcrossHeads = across_heads(found, earlier, _now())
    taken = [entry.earlier.key for entry in result.found if entry.earlier is not None]
    assert len(taken) == len(set(taken))
    assert [entry.finding for entry in result.found] == found
    assert sorted(taken + [entry.earlier.key for entry in result.silent]) == sorted(entry.key for entry in earlier)


@given(st.lists(_findings, max_size=6))
def test_the_same_findings_again_are_all_carried(found: list[Finding]) -> None:
    earlier = [_earlier(finding, key=str(at)) for at, finding in enumerate(found)]
    assert all(entry.state is State.CARRIED for entry in across_heads(found, earlier, _now()).found)
