from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from perilune.quota.balance import BalanceSample, burn_per_day, days_left, deficit, top_up
from perilune.quota.snapshot import Balance

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def samples(*points: tuple[float, str]) -> list[BalanceSample]:
    """Hours before now, and what was available then."""
    return [BalanceSample(NOW - timedelta(hours=hours), Decimal(amount)) for hours, amount in points]


@pytest.mark.case("accounts 7.13")
def test_spending_per_day() -> None:
    burn = burn_per_day(samples((48, "20"), (24, "18"), (0, "16")), NOW)
    assert burn == 2
    assert days_left(Decimal(16), burn) == Decimal("8.0")


@pytest.mark.case("accounts 7.14")
@pytest.mark.parametrize("points", [[(48, "20"), (0, "16")], [(1, "20"), (0.5, "19"), (0, "18")]])
def test_too_little_is_no_rate(points: list[tuple[float, str]]) -> None:
    burn = burn_per_day(samples(*points), NOW)
    assert burn is None
    assert days_left(Decimal(16), burn) is None


@pytest.mark.case("accounts 7.15")
def test_a_constant_balance_burns_nothing() -> None:
    burn = burn_per_day(samples((72, "20"), (48, "20"), (0, "20")), NOW)
    assert burn == 0
    assert days_left(Decimal(20), burn) is None


def test_a_top_up_takes_its_pair_out_of_both_sums() -> None:
    assert burn_per_day(samples((48, "20"), (24, "18"), (23, "118"), (0, "116")), NOW) == Decimal("2.04255")


def test_samples_older_than_a_week_do_not_count() -> None:
    assert burn_per_day(samples((400, "100"), (48, "20"), (24, "18"), (0, "16")), NOW) == 2


def test_a_voucher_that_ran_out_unspent_is_no_spending() -> None:
    points = [(48, "20", "5"), (36, "19", "5"), (24, "18", "5"), (12, "13", "0"), (0, "12", "0")]
    kept = [BalanceSample(NOW - timedelta(hours=h), Decimal(a), Decimal(v)) for h, a, v in points]
    assert burn_per_day(kept, NOW, lambda start, end: False) == 4
    eleven = [
        *kept[:3],
        BalanceSample(NOW - timedelta(hours=12), Decimal(6), Decimal(0)),
        BalanceSample(NOW, Decimal(5), Decimal(0)),
    ]
    assert burn_per_day(eleven, NOW, lambda start, end: False) == 2
    assert burn_per_day(eleven, NOW, lambda start, end: True) == Decimal("7.5")


def test_nothing_left_is_zero_days() -> None:
    assert days_left(Decimal(-1), None) == 0


@pytest.mark.case("accounts 7.3")
def test_negative_cash_is_owed() -> None:
    owed = Balance(currency="CNY", available=Decimal("2.5"), voucher=Decimal("2.5"), cash=Decimal("-0.73"))
    assert deficit(owed) == Decimal("0.73")


def test_a_rise_is_a_top_up_of_at_least_that_much() -> None:
    before = Balance(currency="CNY", available=Decimal("2.5"))
    assert top_up(before, Balance(currency="CNY", available=Decimal("12.4"))) == Decimal("9.9")
    assert top_up(before, Balance(currency="CNY", available=Decimal("2.505"))) is None
    assert top_up(before, Balance(currency="USD", available=Decimal("12.4"))) is None
