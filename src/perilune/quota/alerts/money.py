"""Alerts of a balance: under its floor, and few days left; on crossing, then daily, until it is topped up."""

from datetime import datetime, timedelta
from decimal import Decimal

from msgspec.structs import replace

from perilune.core.money import Money
from perilune.quota.alerts.model import Alert, AlertRules, MoneyEdges
from perilune.quota.balance import burn_per_day, days_left, top_up
from perilune.quota.snapshot import Balance
from perilune.quota.status import Judged

_AGAIN = timedelta(days=1)


def money_alerts(
    judged: Judged, balance: Balance, before: MoneyEdges | None, rules: AlertRules
) -> tuple[MoneyEdges, list[Alert]]:
    """What a reading of a balance is worth telling. The first one is noted without a word; empty is another alert."""
    days = days_left(balance.available, burn_per_day(judged.held.balances, judged.now, judged.held.had_requests))
    floor = rules.floors.get(balance.currency)
    is_low = floor is not None and balance.available < floor
    is_short = rules.few_days is not None and days is not None and days < rules.few_days
    edges = MoneyEdges(available=balance.available, currency=balance.currency)
    if before is None or before.currency != balance.currency:
        noted = judged.now
        return replace(edges, low_told_at=noted if is_low else None, short_told_at=noted if is_short else None), []
    has_risen = top_up(Balance(currency=before.currency, available=before.available), balance) is not None
    low_at = _kept(before.low_told_at, is_low, has_risen=has_risen)
    short_at = _kept(before.short_told_at, is_short, has_risen=has_risen)
    tells_low = is_low and balance.available > 0 and _is_due(low_at, judged.now)
    tells_short = is_short and not is_low and balance.available > 0 and _is_due(short_at, judged.now)
    edges = replace(
        edges,
        low_told_at=judged.now if tells_low else low_at,
        short_told_at=judged.now if tells_short else short_at,
    )
    return edges, [_alert(judged, balance, days)] if tells_low or tells_short else []


def _kept(told_at: datetime | None, is_still: bool, *, has_risen: bool) -> datetime | None:
    """When it was told; forgotten by a top-up that lifts the balance over the line, not by a cent up and down."""
    return None if has_risen and not is_still else told_at


def _is_due(told_at: datetime | None, now: datetime) -> bool:
    return told_at is None or now - told_at >= _AGAIN


def _alert(judged: Judged, balance: Balance, days: Decimal | None) -> Alert:
    facts = {"amount": Money(balance.available, balance.currency).amount_text(), "currency": balance.currency}
    if days is not None:
        facts["days"] = str(days)
    return Alert(kind="balance_low", at=judged.now, account=judged.known.name, facts=facts)
