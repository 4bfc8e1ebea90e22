"""Verdicts, states and the status document."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import jsonschema
import msgspec
import pytest
from tests.support.samples import NOW, answered, binding, body_of

import perilune.quota
from perilune.core.encode import encode_document
from perilune.core.messages import Voice
from perilune.providers.kimi_code import read as kimi
from perilune.providers.moonshot import read as moonshot
from perilune.quota.balance import BalanceSample
from perilune.quota.document import AccountDocument, StatusDocument
from perilune.quota.held import Held, Known, StatusSettings
from perilune.quota.refusals import resolve
from perilune.quota.resets import back_filled
from perilune.quota.snapshot import Balance, Limits, ReadFailure, Refusal, Snapshot, Window
from perilune.quota.status import build_status

SCHEMA = json.loads((Path(perilune.quota.__file__).parent / "schema/status.v1.json").read_text(encoding="utf-8"))
WORK = Known(name="work", plan="kimi-code", region="cn", vendor="Kimi", plan_label="Kimi Code", console="kimi.com/code")
VOICE = Voice(now=NOW)
FLOORS = StatusSettings(balance_floor={"CNY": Decimal(20), "USD": Decimal(3)})


def window(window_id: str, used: str | None, *, left: timedelta | None = timedelta(hours=2), **more: Any) -> Window:
    spans = {"5h": 18_000, "7d": 604_800, "month": 2_592_000}
    ratio = None if used is None else Decimal(used)
    more = {"span_s": spans.get(window_id), "label": window_id, "is_reliable": ratio is not None, **more}
    return Window(id=window_id, used_ratio=ratio, resets_at=None if left is None else NOW + left, **more)


def snapshot(*windows: Window, **more: Any) -> Snapshot:
    facts = {"account": "work", "plan": "kimi-code", "region": "cn", "source": "api-key", "fetched_at": NOW}
    return Snapshot(**{**facts, "origin": "api.kimi.com/coding/v1/usages", **more}, windows=windows)


def status(
    *windows: Window, known: Known = WORK, now: datetime = NOW, settings: StatusSettings = FLOORS, **held: Any
) -> AccountDocument:
    kept = Held(**{"snapshot": snapshot(*windows), **held})
    document = build_status([(known, kept)], now, VOICE, settings)
    demand_valid(document)
    return document.accounts[0]


def demand_valid(document: StatusDocument) -> None:
    jsonschema.validate(json.loads(encode_document(document)), SCHEMA)


def failure(code: str, count: int = 1, **more: Any) -> ReadFailure:
    return ReadFailure(account="work", at=NOW, code=code, facts={"host": "api.kimi.com"}, count=count, **more)


@pytest.mark.parametrize(
    "name", ["code-usages-legacy", "code-usages-legacy-requests", "code-usages-quota-model", "code-usages-extra-usage"]
)
def test_every_sample_of_usages_gives_a_valid_document(name: str) -> None:
    bound = binding()
    read = kimi.understood(bound, answered(bound, kimi.read_url(bound), body_of(name)), NOW)
    verbose = msgspec.structs.replace(FLOORS, is_verbose=True)
    demand_valid(build_status([(WORK, Held(snapshot=read))], NOW, VOICE, verbose))


@pytest.mark.parametrize("name", ["dev-balance-ok", "dev-balance-exhausted"])
@pytest.mark.parametrize("region", ["cn", "intl"])
def test_every_sample_of_balance_gives_a_valid_document(name: str, region: str) -> None:
    bound = binding("moonshot", region)
    read = moonshot.understood(bound, answered(bound, moonshot.read_url(bound), body_of(name)), NOW)
    demand_valid(build_status([(WORK, Held(snapshot=read))], NOW, VOICE, FLOORS))


@pytest.mark.case("accounts 4.4")
def test_extra_usage_is_spent_only_when_allowed() -> None:
    bound = binding()
    read = kimi.understood(bound, answered(bound, kimi.read_url(bound), body_of("code-usages-extra-usage")), NOW)
    told = status(snapshot=read)
    assert told.extra_usage is not None
    wallet = json.loads(encode_document(told.extra_usage))
    amounts = {name: money["amount"] for name, money in wallet.items() if money and name != "state"}
    assert amounts == {"total": "50.00", "left": "31.25", "used_this_month": "18.75", "monthly_cap": "200.00"}
    assert told.extra_usage.total.currency == "USD"
    assert (told.effective.usable, told.effective.blocked_by, told.state) == (False, "5h", "spent")
    allowed = status(snapshot=read, known=msgspec.structs.replace(WORK, is_extra_usage_allowed=True))
    assert (allowed.effective.usable, allowed.state) == (True, "high")


@pytest.mark.case("accounts 5.18")
def test_the_month_blocks_what_the_others_would_allow() -> None:
    told = status(window("5h", "0"), window("7d", "0"), window("month", "1.0", left=timedelta(days=11)))
    assert (told.effective.usable, told.effective.blocked_by) == (False, "month")
    assert told.effective.until == NOW + timedelta(days=11)


def test_of_spent_windows_the_latest_reset_blocks() -> None:
    told = status(window("5h", "1"), window("7d", "1", left=timedelta(days=3)), window("x", "1", left=None))
    assert (told.effective.blocked_by, told.effective.until) == ("x", None)


@pytest.mark.case("accounts 5.19")
def test_a_refusal_outranks_the_reading_and_leaves_its_number() -> None:
    month = window("month", "0.6", left=timedelta(days=11))
    refusal = resolve("work", "month", [month], NOW)
    told = status(month, refusals=(refusal,))
    assert (told.effective.usable, told.effective.blocked_by) == (False, "month")
    assert told.effective.until == month.resets_at
    assert (told.windows[0].used_ratio, told.windows[0].reliable, told.windows[0].conflict) == (0.6, False, True)
    assert told.error is not None
    assert told.error.code == "PL-QUOTA-MONTH"


@pytest.mark.case("accounts 5.20", "experience E1")
def test_a_refusal_that_names_no_window_is_explained_by_the_full_one() -> None:
    windows = (window("5h", "1.0", left=timedelta(hours=2, minutes=7)), window("7d", "0.10", left=timedelta(days=5)))
    refusal = msgspec.structs.replace(
        resolve("work", None, windows, NOW), words="You've reached your usage limit for this billing cycle."
    )
    told = status(*windows, refusals=(refusal,))
    assert told.effective.blocked_by == "5h"
    assert told.error is not None
    assert told.error.code == "PL-QUOTA-5H"
    shown = Voice(now=NOW, zone=ZoneInfo("Asia/Shanghai"))
    (account,) = build_status(
        [(WORK, Held(snapshot=snapshot(*windows), refusals=(refusal,)))], NOW, shown, FLOORS
    ).accounts
    assert account.error is not None
    assert account.error.message == (
        "work's 5 h window is spent; it is back at 22:07 (in 2h 07m). 7 days is 90% unused."
    )
    assert "billing cycle" in (account.error.why or "")


@pytest.mark.case("accounts 5.21", "experience E2")
def test_a_refusal_that_nothing_explains_blocks_for_a_while() -> None:
    windows = (window("5h", "0.69"), window("7d", "0.10", left=timedelta(days=3)))
    refusal = resolve("work", None, windows, NOW)
    told = status(*windows, refusals=(refusal,))
    assert (told.effective.blocked_by, told.effective.until) == ("quota", NOW + timedelta(minutes=15))
    assert told.error is not None
    assert told.error.code == "PL-QUOTA-UNKNOWN"
    assert "(5 h 69%, 7 days 10%)" in told.error.message


@pytest.mark.case("experience E3")
def test_a_refusal_without_any_reading_says_so() -> None:
    told = status(snapshot=None, refusals=(resolve("work", None, (), NOW),))
    assert told.error is not None
    assert told.error.code == "PL-QUOTA-UNKNOWN"
    assert "the windows could not be read" in told.error.message


@pytest.mark.case("experience E5")
def test_a_sentence_that_names_a_window_is_believed() -> None:
    seven = window("7d", "0.97", left=timedelta(days=3))
    assert resolve("work", "7d", [seven], NOW).code == "PL-QUOTA-7D"
    assert resolve("work", "7d", [seven], NOW).until == seven.resets_at


def test_a_refusal_ends_at_its_time_and_with_the_next_cycle() -> None:
    refusal = Refusal(
        account="work", kind="quota", code="PL-QUOTA-5H", at=NOW, window="5h", until=NOW + timedelta(hours=1)
    )
    assert status(window("5h", "0.5", left=timedelta(hours=1)), refusals=(refusal,)).effective.usable is False
    assert status(window("5h", "0.1", left=timedelta(hours=6)), refusals=(refusal,)).effective.usable is True
    assert status(window("5h", "0.5"), refusals=(refusal,), now=NOW + timedelta(hours=1)).effective.usable is True


def test_the_rules_of_the_verdict_in_their_order() -> None:
    assert status(window("5h", "0"), failure=failure("PL-401-KEY")).effective.blocked_by == "credential"
    assert status(window("5h", "0"), failure=failure("PL-402-MEMBER")).effective.blocked_by == "membership"
    assert status(snapshot=None).effective.usable is None
    assert status(window("5h", None)).effective.usable is None
    tight = status(window("5h", "0.305"), window("7d", "0.74"))
    assert (tight.effective.usable, tight.effective.binding, tight.effective.remaining_ratio) == (True, "7d", 0.26)


@pytest.mark.case("accounts 8.11", "accounts 8.12")
def test_a_missing_reset_is_filled_in_from_before_only_when_in_use() -> None:
    before = snapshot(window("5h", "0.39"))
    assert back_filled(snapshot(window("5h", "0.4", left=None)), before).windows[0].resets_at == NOW + timedelta(
        hours=2
    )
    assert back_filled(snapshot(window("5h", "0", left=None)), before).windows[0].resets_at is None
    assert back_filled(snapshot(window("5h", "0.3", left=None)), before).windows[0].resets_at is None
    past = snapshot(window("5h", "0.39", left=-timedelta(minutes=1)))
    assert back_filled(snapshot(window("5h", "0.4", left=None)), past).windows[0].resets_at is None
    owners = [msgspec.structs.replace(held, identity=name) for held, name in ((before, "a"), (before, "b"))]
    other = msgspec.structs.replace(snapshot(window("5h", "0.4", left=None)), identity="b")
    assert back_filled(other, owners[0]).windows[0].resets_at is None
    assert back_filled(other, owners[1]).windows[0].resets_at is not None


@pytest.mark.case("accounts 8.13")
def test_a_passed_reset_makes_the_use_unknown_and_blocks_nothing() -> None:
    later = NOW + timedelta(hours=2, minutes=1)
    keep = StatusSettings()
    alone = status(window("5h", "1"), now=later, settings=keep, known=msgspec.structs.replace(WORK, interval_s=7200))
    assert (alone.windows[0].used_ratio, alone.windows[0].resets_at) == (None, NOW + timedelta(hours=2))
    assert (alone.effective.usable, alone.state, alone.windows[0].state) == (None, "stale", "stale")
    patient = msgspec.structs.replace(WORK, interval_s=7200)
    beside = status(window("5h", "1"), window("7d", "0.2", left=timedelta(days=3)), now=later, known=patient)
    assert (beside.state, beside.effective.usable) == ("ok", True)


@pytest.mark.case("experience N10")
def test_an_old_reading_of_a_spent_window_stays_spent() -> None:
    told = status(window("5h", "1", left=timedelta(hours=2)), now=NOW + timedelta(minutes=47))
    assert (told.state, told.windows[0].state, told.age_s) == ("spent", "spent", 47 * 60)


@pytest.mark.case("experience N11")
@pytest.mark.parametrize(("age_s", "state"), [(899, "ok"), (901, "stale")])
def test_a_reading_is_stale_after_a_quarter_of_an_hour(age_s: int, state: str) -> None:
    often = msgspec.structs.replace(WORK, interval_s=60)
    assert status(window("5h", "0.1"), now=NOW + timedelta(seconds=age_s), known=often).state == state


@pytest.mark.case("experience N12")
def test_a_window_that_will_not_last_is_high() -> None:
    told = status(window("5h", "0.5", left=timedelta(hours=4)))
    assert told.windows[0].pace is not None
    assert (told.windows[0].pace.lasts, told.state) == (False, "high")


@pytest.mark.case("accounts 11.4")
def test_the_first_failure_is_hidden_and_the_second_shown() -> None:
    first = status(window("5h", "0.1"), failure=failure("PL-NET-DNS"))
    assert (first.error, first.state) == (None, "ok")
    verbose = status(
        window("5h", "0.1"), failure=failure("PL-NET-DNS"), settings=msgspec.structs.replace(FLOORS, is_verbose=True)
    )
    assert verbose.error is not None
    second = status(window("5h", "0.1"), failure=failure("PL-NET-DNS", 2), now=NOW + timedelta(seconds=30))
    assert second.error is not None
    assert (second.error.code, second.state, second.age_s) == ("PL-NET-DNS", "stale", 30)
    assert second.windows[0].used_ratio == 0.1


def test_a_failure_without_any_reading_is_an_error() -> None:
    told = status(snapshot=None, failure=failure("PL-NET-DNS"))
    assert (told.state, told.fetched_at, told.windows) == ("error", None, [])


@pytest.mark.case("accounts 11.11")
def test_a_clock_that_is_ten_minutes_fast_changes_neither_age_nor_pace() -> None:
    server = snapshot(window("5h", "0.5", left=timedelta(hours=4)), clock_skew_s=-600)
    told = status(snapshot=server, now=NOW + timedelta(minutes=10, seconds=20))
    assert told.age_s == 20
    assert [note.code for note in told.notes] == ["PL-CLOCK"]
    assert "10m ahead of api.kimi.com" in told.notes[0].message
    plain = status(window("5h", "0.5", left=timedelta(hours=4)), now=NOW + timedelta(seconds=20))
    assert told.windows[0].pace == plain.windows[0].pace


@pytest.mark.case("experience E21")
def test_a_part_that_could_not_be_read_is_a_note() -> None:
    bound = binding()
    body = {"limits": ["odd", {"window": {"duration": 5, "timeUnit": "HOUR"}, "limit": 200, "used": 20}]}
    read = kimi.understood(bound, answered(bound, kimi.read_url(bound), body), NOW)
    told = status(snapshot=read)
    assert [note.code for note in told.notes] == ["PL-PARSE-PART"]
    assert told.notes[0].message == "Kimi's answer has a new shape; 1 of 2 windows understood."
    assert "limits[0]" in (told.notes[0].why or "")


def balance(available: str, currency: str = "CNY", **parts: str) -> Snapshot:
    money = {name: Decimal(amount) for name, amount in parts.items()}
    return snapshot(balance=Balance(currency=currency, available=Decimal(available), **money))


@pytest.mark.case("experience N14")
def test_an_empty_balance_is_spent_and_explained() -> None:
    told = status(snapshot=balance("0", "USD", cash="-1.20"))
    assert (told.state, told.effective.blocked_by, told.effective.until) == ("spent", "balance", None)
    assert told.error is not None
    assert told.error.code == "PL-BALANCE-EMPTY"
    assert told.error.message == "work has no money left: available $0.00, cash -$1.20 (owed)."


@pytest.mark.parametrize(("available", "state"), [("19.99", "high"), ("20", "ok")])
def test_a_balance_below_its_floor_is_high(available: str, state: str) -> None:
    assert status(snapshot=balance(available)).state == state


def test_a_balance_that_lasts_two_days_is_high() -> None:
    spent = tuple(
        BalanceSample(NOW - timedelta(hours=h), Decimal(a)) for h, a in ((24, "150"), (12, "125"), (0, "100"))
    )
    told = status(snapshot=balance("100"), balances=spent)
    assert told.balance is not None
    assert (told.balance.days_left, told.state) == (2.0, "high")


@pytest.mark.case("accounts 7.4", "experience N18")
@pytest.mark.parametrize(("sent", "amount"), [("49.58894", "49.58894"), ("5.0", "5.00"), ("1e-05", "0.00001")])
def test_an_amount_is_kept_exactly(sent: str, amount: str) -> None:
    told = status(snapshot=balance(sent))
    assert told.balance is not None
    assert told.balance.available.amount == amount


def test_the_users_own_limit_caps_what_is_reported() -> None:
    capped = msgspec.structs.replace(WORK, own_limits=Limits(concurrency=10), learned_limits=Limits(rpm=60))
    told = status(known=capped, snapshot=snapshot(window("5h", "0"), limits=Limits(concurrency=30, rpm=500)))
    assert (told.limits.concurrency, told.limits.rpm, told.limits.tpm) == (10, 60, None)


def test_accounts_of_one_membership_are_named() -> None:
    held = [Held(snapshot=snapshot(window("5h", "0"), identity="same", account=name)) for name in ("work", "home")]
    known = [msgspec.structs.replace(WORK, name=name) for name in ("work", "home")]
    document = build_status(list(zip(known, held, strict=True)), NOW, VOICE, FLOORS)
    assert [account.fingerprint_shared_with for account in document.accounts] == [["home"], ["work"]]


def test_a_ratio_is_not_rounded_over_an_edge() -> None:
    told = status(window("5h", "0.99999999"), window("7d", "0.00000001"))
    assert [one.used_ratio for one in told.windows] == [0.999999, 0.000001]


def test_the_second_precision_of_times() -> None:
    at = NOW + timedelta(microseconds=600_000)
    document = build_status([(WORK, Held(snapshot=snapshot(window("5h", "0"))))], at, VOICE, FLOORS)
    assert json.loads(encode_document(document))["generated_at"] == "2026-11-20T12:00:01Z"
    assert document.generated_at.tzinfo is UTC


@pytest.mark.case("accounts 5.8")
def test_a_full_count_outweighs_an_empty_ratio() -> None:
    reset = "2026-11-25T05:24:18Z"
    body = {
        "usage": {"limit": "100", "used": "100", "resetTime": reset},
        "usages": {"limit_7d": {"used_ratio": 0, "reset_time": reset}},
    }
    bound = binding()
    told = status(snapshot=kimi.understood(bound, answered(bound, kimi.read_url(bound), body), NOW))
    (seven,) = told.windows
    assert (seven.id, seven.used_ratio, seven.conflict) == ("7d", 1.0, True)
    assert (told.effective.blocked_by, told.state) == ("7d", "spent")
