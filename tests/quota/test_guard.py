"""Is enough left? Decided on exact figures; what cannot be known is not enough."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import jsonschema
import msgspec
import pytest
from tests.support.g1 import CI, LAB, NOW, WORK

from perilune.core.encode import to_builtins
from perilune.core.errors import UsageError
from perilune.core.schemas import schema_files
from perilune.quota.document import AccountDocument, EffectiveDocument
from perilune.quota.guard import Judged, concerned, guard_document, judge, opened, parse_wanted, tightest
from perilune.quota.snapshot import ReadFailure


def asked(account: AccountDocument, least: str, window: str = "any", failure: ReadFailure | None = None) -> Judged:
    wanted = parse_wanted(least)
    assert wanted is not None
    return judge(account, wanted, window, NOW, failure)


def changed(window: str = "5h", account: AccountDocument = WORK, **changes: Any) -> AccountDocument:
    windows = [msgspec.structs.replace(one, **changes) if one.id == window else one for one in account.windows]
    return msgspec.structs.replace(account, windows=windows)


TIMEOUT = ReadFailure(account="work", at=NOW, code="PL-NET-TIMEOUT", facts={"host": "api.kimi.com", "seconds": "5"})


@pytest.mark.parametrize(
    ("text", "told"),
    [("20%", "20%"), (" 12.5% ", "12.5%"), ("50", "50"), ("CNY30", "CNY 30"), ("usd 3.50", "USD 3.5"), ("0%", "0%")],
)
def test_what_is_wanted_is_a_share_a_count_or_money(text: str, told: str) -> None:
    wanted = parse_wanted(text)
    assert wanted is not None
    assert wanted.text == told


@pytest.mark.parametrize("text", ["", "%", "101%", "-1", "-5%", "lots", "CNY", "CNY30%", "30CNY", "1e400", "NaN"])
def test_anything_else_is_not_understood(text: str) -> None:
    assert parse_wanted(text) is None


@pytest.mark.parametrize(
    ("least", "decision"),
    [("20%", "safe"), ("30.5%", "safe"), ("30.6%", "low"), ("31%", "low"), ("61", "safe"), ("62", "low")],
)
def test_the_decision_uses_the_exact_figure_and_not_the_shown_one(least: str, decision: str) -> None:
    assert asked(WORK, least).decision == decision


def test_the_tightest_window_answers_for_any() -> None:
    assert asked(WORK, "20%").window == "5h"
    assert asked(changed("7d", used_ratio=0.95), "20%").window == "7d"
    assert asked(WORK, "20%", "7d").window == "7d"


def test_a_window_that_is_not_reported_was_not_checked() -> None:
    told = asked(WORK, "20%", "month")
    assert (told.decision, told.exit, told.reason, told.window) == ("unchecked", 69, "window_absent", "month")
    assert opened(told).exit == 0


def test_a_count_needs_counts() -> None:
    told = asked(changed(unit="ratio", used=None, limit=None, remaining=None), "50")
    assert (told.decision, told.exit, told.reason, told.window) == ("unchecked", 69, "unit", "5h")


def test_a_balance_answers_questions_of_money_alone() -> None:
    assert asked(LAB, "CNY30").decision == "safe"
    assert asked(LAB, "CNY49.59").decision == "low"
    assert asked(LAB, "CNY49.58894").decision == "safe"
    assert asked(LAB, "20%", "balance").reason == "unit"
    assert asked(WORK, "CNY30").reason == "window_absent"


def test_money_of_another_currency_is_wrong_usage() -> None:
    with pytest.raises(UsageError) as caught:
        asked(CI, "CNY30")
    assert caught.value.problem.code == "PL-CURRENCY"


def test_a_reading_that_could_not_be_renewed_is_not_trusted() -> None:
    told = asked(WORK, "20%", failure=TIMEOUT)
    assert (told.decision, told.exit, told.reason) == ("unchecked", 69, "network")
    assert told.left_ratio == Decimal("0.305")
    vendor = msgspec.structs.replace(TIMEOUT, code="PL-5XX-READ")
    assert asked(WORK, "20%", failure=vendor).reason == "vendor"
    stale = msgspec.structs.replace(WORK, state="stale")
    assert asked(stale, "20%").reason == "stale"


def test_a_full_window_stays_full_even_when_nobody_can_be_asked() -> None:
    until = NOW + timedelta(minutes=41)
    full = changed(used_ratio=1.0, used=200, remaining=0, resets_at=until)
    blocked = EffectiveDocument(usable=False, blocked_by="5h", until=until, binding="5h", remaining_ratio=0.0)
    told = asked(msgspec.structs.replace(full, effective=blocked, state="spent"), "20%", failure=TIMEOUT)
    assert (told.decision, told.exit, told.resets_at, told.left_ratio) == ("low", 1, until, 0)


def test_a_live_refusal_leaves_nothing_whatever_the_reading_says() -> None:
    blocked = EffectiveDocument(usable=False, blocked_by="5h", until=None, binding="7d", remaining_ratio=0.9)
    refused = msgspec.structs.replace(WORK, effective=blocked, state="spent")
    assert asked(refused, "20%").left_ratio == 0
    assert asked(refused, "20%", "7d").decision == "safe"


@pytest.mark.parametrize(("by", "status"), [("credential", 4), ("membership", 5)])
def test_a_refused_account_gives_its_own_status(by: str, status: int) -> None:
    blocked = EffectiveDocument(usable=False, blocked_by=by, until=None, binding=None, remaining_ratio=None)
    told = asked(msgspec.structs.replace(WORK, effective=blocked), "20%")
    assert told.exit == status
    assert opened(told).exit == status


def test_a_window_of_unknown_use_was_not_checked() -> None:
    passed = changed(used_ratio=None, used=None, remaining=None, reliable=False, resets_at=NOW - timedelta(minutes=1))
    alone = msgspec.structs.replace(passed, windows=passed.windows[:1])
    assert asked(alone, "20%").reason == "stale"
    assert asked(passed, "20%", "5h").reason == "stale"


def test_the_worst_exit_is_reported_and_then_the_least_left() -> None:
    safe, low = asked(WORK, "20%"), asked(WORK, "40%")
    absent = asked(WORK, "20%", "month")
    assert tightest([safe, low]) is low
    assert tightest([low, absent, safe]) is absent
    lower = asked(changed(used_ratio=0.9), "40%")
    assert tightest([low, lower]) is lower


def test_a_question_without_names_is_about_those_that_have_what_is_asked_for() -> None:
    accounts = [WORK, CI, LAB]

    def names(least: str, window: str = "any") -> list[str]:
        wanted = parse_wanted(least)
        assert wanted is not None
        return [one.name for one in concerned(accounts, wanted, window)]

    assert names("20%") == ["work"]
    assert names("CNY30") == ["lab"]
    assert names("EUR3") == ["ci", "lab"]


def test_the_document_keeps_its_schema() -> None:
    judged = [asked(WORK, "40%"), asked(WORK, "20%", "month"), asked(LAB, "CNY30"), asked(WORK, "20%", failure=TIMEOUT)]
    schema = msgspec.json.decode(schema_files()["guard.v1"].read_bytes())
    for chosen in (judged, judged[:1], judged[2:3]):
        jsonschema.validate(to_builtins(guard_document(chosen)), schema)
    told = to_builtins(guard_document(judged[:1]))
    assert told["schema"] == "perilune.guard.v1"
    assert (told["decision"], told["exit"], told["account"], told["window"]) == ("low", 1, "work", "5h")
    assert (told["left_ratio"], told["left"], told["unit"], told["wanted"]) == (0.305, 61, "requests", "40%")
    assert told["resets_at"] == "2026-11-20T14:07:00Z"


def test_a_reset_that_has_passed_blocks_no_longer() -> None:
    gone = EffectiveDocument(
        usable=False, blocked_by="5h", until=datetime(2026, 11, 20, 11, tzinfo=UTC), binding="5h", remaining_ratio=0.0
    )
    assert asked(msgspec.structs.replace(WORK, effective=gone), "20%").decision == "safe"
