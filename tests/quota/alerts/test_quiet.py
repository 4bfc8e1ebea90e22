"""Quiet hours, filters, what still holds."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.quota.alerts.conftest import NOW, Account, five_hours

from perilune.core.instants import to_rfc3339
from perilune.core.messages import Voice, message
from perilune.quota.alerts import kinds
from perilune.quota.alerts.holding import still_holds
from perilune.quota.alerts.model import Alert
from perilune.quota.alerts.quiet import parse_quiet
from perilune.quota.alerts.text import LONGEST, alert_text

SHANGHAI = ZoneInfo("Asia/Shanghai")


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, 20, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "now", "until"),
    [
        ("22:00-08:00", at(21, 59), None),
        ("22:00-08:00", at(22), at(8) + timedelta(days=1)),
        ("22:00-08:00", at(3), at(8)),
        ("22:00-08:00", at(8), None),
        ("12:00-13:30", at(12), at(13, 30)),
        ("12:00-13:30", at(13, 30), None),
    ],
)
def test_quiet_lasts_from_its_start_to_its_end(text: str, now: datetime, until: datetime | None) -> None:
    quiet = parse_quiet(text)
    assert quiet is not None
    assert quiet.until(now, UTC) == until


def test_quiet_is_on_the_readers_clock() -> None:
    quiet = parse_quiet("22:00-08:00")
    assert quiet is not None
    assert quiet.until(at(15), SHANGHAI) == datetime(2026, 11, 21, 8, tzinfo=SHANGHAI)
    assert quiet.until(at(12), SHANGHAI) is None


@pytest.mark.parametrize("text", ["", "night", "22-08", "24:00-08:00", "08:00-08:00", "22:00-08:00 "])
def test_what_is_no_span_of_hours_is_none(text: str) -> None:
    assert (parse_quiet(text) is None) == (text.strip() != "22:00-08:00")


def test_all_is_what_is_on_by_itself() -> None:
    on = ("window_75", "runs_out_early", "spent", "back", "balance_low", "balance_empty", "credential_refused",
          "session_expired", "failover", "review_failed", "budget_soft", "budget_hard")  # fmt: skip
    off = ("upstream_down", "upstream_up", "drift", "review_done")
    assert all(kinds.is_wanted(kind, ["all"]) for kind in on)
    assert not any(kinds.is_wanted(kind, ["all"]) for kind in off)
    assert all(kinds.is_wanted(kind, ["upstream", "drift", "review"]) for kind in off)
    assert not kinds.is_wanted("spent", ["window", "back", "window_90"])


def test_three_events_pass_quiet_hours() -> None:
    passing = {"credential_refused", "balance_empty", "spent"}
    assert all(kinds.passes_quiet(kind) == (kind in passing) for kind in [*kinds.filter_words(), "window_90"])


def alert(kind: str, window: str | None = None, **facts: str) -> Alert:
    return Alert(kind=kind, at=NOW, account="work", window=window, facts=facts)


def holds(found: Alert, account: Account) -> bool:
    return still_holds(found, account.judged(), account.rules)


def test_a_level_holds_while_use_is_at_it_in_the_same_cycle(account: Account) -> None:
    told = alert("window_90", "5h", resets_at=to_rfc3339(NOW + timedelta(minutes=240)))
    account.uses("0.92")
    assert holds(told, account)
    account.uses("0.89")
    assert not holds(told, account)
    account.take(five_hours(None))
    assert holds(told, account)
    account.after(300)
    account.take(five_hours("0.95", resets_in=600))
    assert not holds(told, account)
    account.take()
    assert not holds(told, account)


def test_spent_and_back_hold_by_the_verdict(account: Account) -> None:
    account.uses("1.0")
    assert (holds(alert("spent", "5h"), account), holds(alert("back", "5h"), account)) == (True, False)
    account.uses("0.2")
    assert (holds(alert("spent", "5h"), account), holds(alert("back", "5h"), account)) == (False, True)


def test_money_and_credentials_hold_until_they_are_put_right(account: Account) -> None:
    low, refused = alert("balance_low"), alert("credential_refused")
    account.has_money("19")
    assert holds(low, account)
    account.has_money("21")
    assert not holds(low, account)
    assert not holds(refused, account)
    account.fails("PL-401-KEY")
    assert holds(refused, account)


def test_running_out_early_holds_while_it_does_not_last(early: Account) -> None:
    told = alert("runs_out_early", "5h", resets_at=to_rfc3339(NOW + timedelta(minutes=240)))
    early.uses("0.40")
    assert holds(told, early)
    early.after(180)
    early.uses("0.41")
    assert not holds(told, early)


def test_what_belongs_to_no_account_holds_and_what_belongs_to_a_removed_one_does_not(account: Account) -> None:
    assert still_holds(Alert(kind="review_failed", at=NOW), None, account.rules)
    assert not still_holds(alert("spent"), None, account.rules)


@given(
    account=st.text(min_size=1, max_size=64).filter(str.isprintable),
    ratio=st.decimals(0, 3, places=4),
    days=st.one_of(st.none(), st.decimals(0, 400, places=1)),
    language=st.sampled_from(["en", "zh-CN"]),
)
def test_every_alert_is_one_line_of_200_characters_at_most(
    account: str, ratio: Decimal, days: Decimal | None, language: str
) -> None:
    moment = to_rfc3339(NOW + timedelta(minutes=90))
    facts = {
        "label": "5h", "ratio": str(ratio), "resets_at": moment, "empty_at": to_rfc3339(NOW), "until": moment,
        "since": to_rfc3339(NOW), "amount": "18.90", "currency": "CNY", "status": "401", "code": "PL-401-KEY",
        "route": "default", "main": account, "host": "api.kimi.com", "vendor": "Kimi", "fields": "usages " * 40,
        "title": "x" * 300, "findings": "3", "key": "ci-bot", "percent": "90", "budget": "USD 20", "per": "month",
        "other": account, "other_costs": "money",
    } | ({} if days is None else {"days": str(days)})  # fmt: skip
    voice = Voice(language=language, now=NOW)
    for kind in [*kinds.filter_words(), "window_90"]:
        if message("en", f"notice.{kind}") is None and kind != "window_90":
            continue
        for window in ("5h", None):
            text = alert_text(Alert(kind=kind, at=NOW, account=account, window=window, facts=facts), voice)
            assert len(text) <= LONGEST
            assert "\n" not in text
            assert "{" not in text.replace(account, "")
