"""The verdict: can an account be used now; if not, what blocks it and until when."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

from msgspec import Struct

from perilune.quota.snapshot import Balance, ExtraUsage, Refusal, Window

_UNUSABLE_WALLETS = ("disabled", "frozen", "unavailable")
_LAST = timedelta(days=10_000)


class Verdict(Struct, frozen=True, kw_only=True):
    """One account's verdict.

    Shape: `blocked_by` a window id, `credential`, `membership`, `quota` or `balance`; `usable` None is unknown.
    """

    usable: bool | None
    blocked_by: str | None = None
    until: datetime | None = None
    binding: str | None = None
    remaining_ratio: Decimal | None = None
    refused_at: datetime | None = None


def verdict_of(
    *,
    windows: Sequence[Window],
    balance: Balance | None,
    now: datetime,
    refusals: Sequence[Refusal] = (),
    trouble: Literal["credential", "membership"] | None = None,
    extra_usage: ExtraUsage | None = None,
    is_extra_usage_allowed: bool = False,
) -> Verdict:
    """The first rule that applies. `windows` and `refusals` are as of `now`; `trouble` is what the last read met."""
    binding, remaining = _binding(windows, balance, now)

    def blocked(by: str, until: datetime | None = None, refused_at: datetime | None = None) -> Verdict:
        return Verdict(
            usable=False, blocked_by=by, until=until, binding=binding, remaining_ratio=remaining, refused_at=refused_at
        )

    for kind in ("credential", "membership"):
        if trouble == kind or any(refusal.kind == kind for refusal in refusals):
            return blocked(kind)
    live = _longest(refusals, now)
    if live is not None:
        fallback = "balance" if live.kind == "balance" else "quota"
        return blocked(live.window or fallback, live.until, live.at)
    spent = _spent(windows, now)
    if spent is not None and not (is_extra_usage_allowed and _is_spendable(extra_usage)):
        return blocked(spent.id, spent.resets_at)
    if balance is not None and balance.available <= 0:
        return blocked("balance")
    is_known = balance is not None or any(window.is_reliable for window in windows)
    return Verdict(usable=True if is_known else None, binding=binding, remaining_ratio=remaining)


def is_spent(window: Window, now: datetime) -> bool:
    """True when the window is known to be full and its reset lies ahead or is unknown."""
    is_full = window.is_reliable and window.used_ratio is not None and window.used_ratio >= 1
    return is_full and (window.resets_at is None or window.resets_at > now)


def _longest(refusals: Sequence[Refusal], now: datetime) -> Refusal | None:
    live = [refusal for refusal in refusals if refusal.kind in ("quota", "balance")]
    return max(live, key=lambda refusal: refusal.until or now + _LAST, default=None)


def _spent(windows: Sequence[Window], now: datetime) -> Window | None:
    spent = [window for window in windows if is_spent(window, now)]
    return max(spent, key=lambda window: window.resets_at or now + _LAST, default=None)


def _is_spendable(wallet: ExtraUsage | None) -> bool:
    if wallet is None or wallet.left <= 0 or wallet.state in _UNUSABLE_WALLETS:
        return False
    return wallet.monthly_cap is None or (wallet.used_this_month or Decimal(0)) < wallet.monthly_cap


def _binding(windows: Sequence[Window], balance: Balance | None, now: datetime) -> tuple[str | None, Decimal | None]:
    known = [(window, window.used_ratio) for window in windows if window.is_reliable and window.used_ratio is not None]
    if not known:
        return ("balance" if balance is not None else None), None
    window, used = max(known, key=lambda pair: (min(pair[1], Decimal(1)), pair[0].resets_at or now + _LAST))
    return window.id, max(1 - used, Decimal(0))
