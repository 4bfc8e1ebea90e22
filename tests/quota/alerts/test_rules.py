"""Each thing is told once: levels, running out early, spent and back, balances, credentials."""

from datetime import timedelta
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.quota.alerts.conftest import NOW, Account, five_hours, window

from perilune.quota.alerts.model import AlertRules, Edges
from perilune.quota.held import Held
from perilune.quota.workdays import WorkWeek


def again(account: Account) -> None:
    """The edges as another process would find them."""
    account.edges = msgspec.json.decode(msgspec.json.encode(account.edges), type=Edges)


@pytest.mark.case("accounts 11.6")
def test_levels_crossed_at_once_are_told_as_the_highest(account: Account) -> None:
    assert account.uses("0.70") == []
    assert account.uses("0.93") == ["window_90"]
    assert account.uses("0.94") == []


@pytest.mark.case("accounts 11.7")
def test_a_level_is_told_once_in_a_cycle(account: Account) -> None:
    account.uses("0.80")
    assert [account.uses(ratio) for ratio in ("0.91", "0.89", "0.91")] == [["window_90"], [], []]


@pytest.mark.case("accounts 11.8")
def test_the_first_reading_is_noted_but_for_spent_and_refused() -> None:
    assert Account().uses("0.95") == []
    assert Account().uses("1.0") == ["spent"]
    assert Account().fails("PL-401-KEY") == ["credential_refused"]
    assert Account().has_money("0") == ["balance_empty"]


@pytest.mark.case("experience M2")
def test_the_first_reading_ever_is_noted_so_that_it_is_not_told_later(account: Account) -> None:
    assert account.uses("0.95") == []
    assert account.edges is not None
    assert account.edges.windows["5h"].passed == (75, 90)
    assert account.uses("0.96") == []


@pytest.mark.case("accounts 11.9")
def test_an_unreliable_reading_tells_nothing(account: Account) -> None:
    account.uses("0.5")
    assert account.uses("1.2", is_reliable=False) == []
    assert account.uses("0.6") == []


@pytest.mark.case("experience M3")
def test_a_failed_read_is_neither_spent_nor_back(account: Account) -> None:
    account.uses("0.60")
    assert account.fails("PL-NET-TIMEOUT") == []
    assert account.fails("PL-5XX-READ", count=2) == []
    assert account.uses("0.61") == []


def test_a_level_is_told_again_after_use_fell_five_points_below_it(account: Account) -> None:
    account.uses("0.70")
    assert account.uses("0.76") == ["window_75"]
    assert account.uses("0.701") == []
    assert account.uses("0.76") == []
    assert account.uses("0.70") == []
    assert account.uses("0.76") == ["window_75"]


def test_a_level_is_told_again_in_the_next_cycle(account: Account) -> None:
    account.uses("0.70")
    assert account.uses("0.92", resets_in=100) == ["window_90"]
    account.after(200)
    assert account.uses("0.91", resets_in=400) == ["window_90"]


def test_a_rolling_reset_is_no_new_cycle(account: Account) -> None:
    account.uses("0.70")
    assert account.uses("0.92", resets_in=240) == ["window_90"]
    assert account.uses("0.93", resets_in=250) == []


@given(st.lists(st.integers(0, 140), min_size=1, max_size=30))
def test_within_a_cycle_each_level_is_told_at_most_once_unless_use_falls(percents: list[int]) -> None:
    rising = sorted(percents)
    account = Account(AlertRules(is_early_on=False, week=WorkWeek()))
    told = [kind for percent in rising for kind in account.uses(str(Decimal(percent) / 100))]
    assert len(told) == len(set(told))
    assert set(told) <= {"window_75", "window_90", "spent"}


def test_running_out_early_needs_three_readings_and_is_told_once_until_one_lasts(early: Account) -> None:
    assert early.uses("0.40") == []
    assert early.uses("0.42") == []
    assert early.uses("0.44") == ["runs_out_early"]
    assert early.uses("0.46") == []
    early.after(200)
    assert early.uses("0.47") == []
    assert early.edges is not None
    assert not early.edges.windows["5h"].is_early_told


def test_running_out_early_says_when_and_how_early(early: Account) -> None:
    for ratio in ("0.40", "0.42"):
        early.uses(ratio)
    early.after(5)
    early.take(five_hours("0.44"))
    (alert,) = early.alerts()
    assert alert.window == "5h"
    assert alert.facts["empty_at"] < alert.facts["resets_at"]


def test_spent_is_told_on_the_edge_and_back_after_a_reading_confirms_it(account: Account) -> None:
    account.uses("0.5")
    assert account.uses("1.0") == ["spent"]
    assert account.uses("1.0") == []
    account.after(250)
    assert account.look() == []
    assert account.uses("0.01", resets_in=600) == ["back"]
    assert account.uses("0.02", resets_in=600) == []


def test_spent_says_which_window_and_until_when(account: Account) -> None:
    account.uses("0.5")
    account.after(5)
    account.take(five_hours("1.0"))
    (alert,) = account.alerts()
    assert (alert.window, alert.facts["until"]) == ("5h", "2026-11-20T16:00:00Z")


def test_a_refusal_is_told_at_once_and_ends_with_a_newer_reading(account: Account) -> None:
    account.uses("0.62")
    assert account.is_refused(window="5h", until=NOW + timedelta(minutes=240)) == ["spent"]
    assert account.uses("0.62") == []
    account.after(240)
    assert account.look() == []
    assert account.uses("0.01", resets_in=700) == ["back"]


def test_a_refusal_that_no_window_explains_does_not_flap(account: Account) -> None:
    account.uses("0.10")
    assert account.is_refused(code="PL-QUOTA-UNKNOWN", until=account.now + timedelta(minutes=15)) == ["spent"]
    account.after(16)
    assert account.uses("0.11") == []
    assert account.is_refused(code="PL-QUOTA-UNKNOWN", until=account.now + timedelta(minutes=15)) == []
    account.held = Held(snapshot=account.held.snapshot)
    assert account.uses("0.12") == ["back"]


def test_another_window_that_blocks_for_longer_is_told_too(account: Account) -> None:
    account.reads(five_hours("0.9"), window("7d", "0.99", resets_in=5_000))
    assert account.reads(five_hours("1"), window("7d", "0.99", resets_in=5_000)) == ["spent"]
    assert account.reads(five_hours("1"), window("7d", "1", resets_in=5_000)) == ["spent"]
    assert account.reads(five_hours("1"), window("7d", "1", resets_in=5_000)) == []


@pytest.mark.case("accounts 11.10")
def test_a_window_that_disappears_with_a_plan_is_not_back(account: Account) -> None:
    account.reads(five_hours("0.5"), window("7d", "0.5", resets_in=5_000))
    assert account.reads(five_hours("0.5"), window("7d", "1", resets_in=5_000)) == ["spent"]
    assert account.reads(five_hours("0.5")) == []
    assert account.edges is not None
    assert account.edges.block is None


def test_nothing_is_made_of_an_old_reading_but_what_a_refusal_says(account: Account) -> None:
    account.uses("0.5")
    account.take(five_hours("1.0"))
    account.after(60)
    assert account.look() == []
    assert account.is_refused(window="5h", until=NOW + timedelta(minutes=240)) == ["spent"]


def test_a_picture_older_than_the_last_one_changes_nothing(account: Account) -> None:
    account.uses("0.70")
    older = account.held
    assert account.uses("0.93") == ["window_90"]
    newer, account.held = account.held, older
    assert account.look() == []
    account.held = newer
    assert account.look() == []


@pytest.mark.parametrize("code", ["PL-401-KEY", "PL-COOKIE-EXPIRED", "PL-LOGIN-EXPIRED"])
def test_a_refused_credential_is_told_once_until_it_is_repaired(account: Account, code: str) -> None:
    kind = "credential_refused" if code == "PL-401-KEY" else "session_expired"
    account.uses("0.5")
    assert account.fails(code) == [kind]
    assert account.fails(code, count=2) == []
    assert account.fails("PL-NET-TIMEOUT", count=3) == []
    assert account.fails(code, count=4) == []
    assert account.uses("0.5") == []
    assert account.fails(code) == [kind]


def test_a_membership_that_is_not_confirmed_is_spent(account: Account) -> None:
    account.uses("0.5")
    assert account.fails("PL-402-MEMBER") == ["spent"]
    assert account.fails("PL-402-MEMBER", count=2) == []
    assert account.uses("0.5") == ["back"]


def test_a_low_balance_is_told_on_crossing_then_daily(account: Account) -> None:
    assert account.has_money("30") == []
    assert account.has_money("18.90") == ["balance_low"]
    assert account.has_money("18.80") == []
    account.after(24 * 60)
    assert account.has_money("18.70") == ["balance_low"]


def test_a_cent_up_and_down_over_the_floor_is_no_top_up(account: Account) -> None:
    account.has_money("20.001")
    assert account.has_money("19.999") == ["balance_low"]
    assert account.has_money("20.002") == []
    assert account.has_money("19.998") == []


def test_a_top_up_over_the_floor_arms_it_again(account: Account) -> None:
    account.has_money("30")
    assert account.has_money("19") == ["balance_low"]
    assert account.has_money("19.5") == []
    assert account.has_money("50") == []
    assert account.has_money("19") == ["balance_low"]


def test_no_money_left_is_told_by_itself_and_back_after_the_top_up(account: Account) -> None:
    account.has_money("30")
    assert account.has_money("10") == ["balance_low"]
    assert account.has_money("0") == ["balance_empty"]
    account.after(24 * 60)
    assert account.has_money("-1.20") == []
    assert account.has_money("100") == ["back"]


def test_another_currency_has_its_own_floor_or_none(account: Account) -> None:
    account.has_money("30", "USD")
    assert account.has_money("1", "USD") == []


def test_a_host_that_is_silent_for_ten_minutes_is_told_and_its_return(account: Account) -> None:
    account.uses("0.5")
    assert account.fails("PL-NET-TIMEOUT", facts={"host": "api.kimi.com"}) == []
    assert account.fails("PL-NET-TIMEOUT", count=2) == []
    assert account.fails("PL-NET-TIMEOUT", count=3) == ["upstream_down"]
    assert account.fails("PL-NET-TIMEOUT", count=4) == []
    assert account.uses("0.5") == ["upstream_up"]


def test_a_new_shape_is_told_once(account: Account) -> None:
    account.uses("0.5")
    account.after(5)
    assert account.reads(five_hours("0.5"), drift=("usages.limits[1]",)) == ["drift"]
    assert account.reads(five_hours("0.5"), drift=("usages.limits[1]",)) == []


def test_edges_survive_as_text(account: Account) -> None:
    account.reads(five_hours("0.70"), window("7d", None, resets_in=None))
    account.uses("0.92")
    again(account)
    assert account.uses("0.95") == []
    assert account.uses("1.01") == ["spent"]
    again(account)
    assert account.uses("1.02") == []
