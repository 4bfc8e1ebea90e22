"""What a balance says over time: spending per day, days left, top-ups. Never converted or rounded before comparing."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import pairwise

from msgspec import Struct

from perilune.quota.snapshot import Balance

_PERIOD = timedelta(days=7)
_LEAST_SAMPLES = 3
_LEAST_COVERED = timedelta(hours=6)
_DAY_S = Decimal(86_400)
_RISE_MATTERS = Decimal("0.005")
_EXPIRY_FACTOR = 5
_TENTH, _FINE = Decimal("0.1"), Decimal("0.00001")


class BalanceSample(Struct, frozen=True):
    """A balance at one moment."""

    at: datetime
    available: Decimal
    voucher: Decimal | None = None


class _Sums(Struct):
    spent: Decimal = Decimal(0)
    covered: timedelta = timedelta(0)

    def rate_s(self) -> Decimal | None:
        return self.spent / _seconds(self.covered) if self.covered else None


def burn_per_day(
    samples: Sequence[BalanceSample],
    now: datetime,
    had_requests: Callable[[datetime, datetime], bool] = lambda start, end: True,
) -> Decimal | None:
    """Spending per day from own samples of the last 7 days; None below 3 samples or 6 h covered.

    A rise makes a pair unusable. A voucher that ran out unspent is no spending: it falls to 0, far above the rate so
    far, and `had_requests` knows of none in between.
    """
    recent = [sample for sample in samples if now - sample.at <= _PERIOD]
    sums = _summed(recent, had_requests)
    if len(recent) < _LEAST_SAMPLES or sums.covered < _LEAST_COVERED:
        return None
    return (sums.spent * _DAY_S / _seconds(sums.covered)).quantize(_FINE, ROUND_HALF_EVEN)


def spent(
    samples: Sequence[BalanceSample], had_requests: Callable[[datetime, datetime], bool] = lambda start, end: True
) -> Decimal:
    """What was spent between the readings, as `burn_per_day` counts it."""
    return _summed(samples, had_requests).spent


def days_left(available: Decimal, burn: Decimal | None) -> Decimal | None:
    """Days until nothing is available, one decimal; None when nothing is known to be spent."""
    if available <= 0:
        return Decimal(0)
    if not burn:
        return None
    return (available / burn).quantize(_TENTH, ROUND_HALF_EVEN)


def deficit(balance: Balance) -> Decimal | None:
    """What is owed, where cash is negative."""
    return -balance.cash if balance.cash is not None and balance.cash < 0 else None


def top_up(before: Balance, after: Balance) -> Decimal | None:
    """By how much a balance rose between two readings: a lower bound of what was paid in; None where it did not."""
    if before.currency != after.currency:
        return None
    rise = after.available - before.available
    return rise if rise > _RISE_MATTERS else None


def _summed(samples: Sequence[BalanceSample], had_requests: Callable[[datetime, datetime], bool]) -> _Sums:
    sums = _Sums()
    for earlier, later in pairwise(sorted(samples, key=lambda sample: sample.at)):
        fall, time = earlier.available - later.available, later.at - earlier.at
        if fall < 0 or time <= timedelta(0) or _is_expiry(earlier, later, sums.rate_s(), had_requests):
            continue
        sums.spent += fall
        sums.covered += time
    return sums


def _is_expiry(
    earlier: BalanceSample,
    later: BalanceSample,
    rate_s: Decimal | None,
    had_requests: Callable[[datetime, datetime], bool],
) -> bool:
    ran_out = bool(earlier.voucher) and later.voucher == 0
    if not ran_out or rate_s is None:
        return False
    predicted = rate_s * _seconds(later.at - earlier.at)
    fall = earlier.available - later.available
    return fall > _EXPIRY_FACTOR * predicted and not had_requests(earlier.at, later.at)


def _seconds(span: timedelta) -> Decimal:
    return Decimal(span // timedelta(microseconds=1)) / 1_000_000
