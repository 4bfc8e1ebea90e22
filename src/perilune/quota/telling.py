"""Rules' results as the parts of the status document: rounding and types, nothing else."""

from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Literal

from perilune.core.instants import whole_second
from perilune.core.money import Money, MoneyDocument
from perilune.quota import document as doc
from perilune.quota.held import Known
from perilune.quota.pace import Pace
from perilune.quota.snapshot import Limits, Reading, Snapshot
from perilune.quota.verdict import Verdict

_SIX_PLACES = Decimal("0.000001")


def reading_document(reading: Reading) -> doc.ReadingDocument:
    return doc.ReadingDocument(
        origin=reading.origin,
        used_ratio=ratio_number(reading.used_ratio),
        used=count_number(reading.used),
        limit=count_number(reading.limit),
        resets_at=whole_second(reading.resets_at),
    )


def pace_document(pace: Pace | None) -> doc.PaceDocument | None:
    if pace is None:
        return None
    expected = ratio_number(pace.expected_ratio)
    return doc.PaceDocument(
        expected_ratio=expected or 0.0,
        stage=pace.stage,
        lasts=pace.lasts,
        empty_at=whole_second(pace.empty_at),
        method=pace.method,
        probability=ratio_number(pace.probability),
    )


def effective_document(verdict: Verdict) -> doc.EffectiveDocument:
    return doc.EffectiveDocument(
        usable=verdict.usable,
        blocked_by=verdict.blocked_by,
        until=whole_second(verdict.until),
        binding=verdict.binding,
        remaining_ratio=ratio_number(verdict.remaining_ratio),
        refused_at=whole_second(verdict.refused_at),
    )


def limits_document(known: Known, snapshot: Snapshot | None) -> doc.LimitsDocument:
    reported = snapshot.limits if snapshot else Limits()

    def limit(name: Literal["concurrency", "rpm", "tpm"]) -> int | None:
        own: int | None = getattr(known.own_limits, name)
        told: int | None = getattr(known.learned_limits, name) or getattr(reported, name)
        return min((value for value in (own, told) if value is not None), default=None)

    return doc.LimitsDocument(concurrency=limit("concurrency"), rpm=limit("rpm"), tpm=limit("tpm"))


def extra_usage_document(snapshot: Snapshot | None) -> doc.ExtraUsageDocument | None:
    if snapshot is None or snapshot.extra_usage is None:
        return None
    wallet = snapshot.extra_usage
    return doc.ExtraUsageDocument(
        state=wallet.state,
        total=money_document(wallet.total, wallet.currency),
        left=money_document(wallet.left, wallet.currency),
        used_this_month=money_or_none(wallet.used_this_month, wallet.currency),
        monthly_cap=money_or_none(wallet.monthly_cap, wallet.currency),
    )


def money_document(amount: Decimal, currency: str) -> MoneyDocument:
    return MoneyDocument(Money(amount, currency).amount_text(), currency)


def money_or_none(amount: Decimal | None, currency: str) -> MoneyDocument | None:
    return None if amount is None else money_document(amount, currency)


def ratio_number(ratio: Decimal | None) -> float | None:
    """At most six decimals, never over an edge: what is not full stays below 1, what is used stays above 0."""
    if ratio is None:
        return None
    rounded = ratio.quantize(_SIX_PLACES, ROUND_HALF_EVEN)
    if ratio < 1 <= rounded:
        rounded = 1 - _SIX_PLACES
    return float(max(rounded, _SIX_PLACES) if ratio > 0 else rounded)


def count_number(value: Decimal | None) -> int | float | None:
    if value is None:
        return None
    return int(value) if value == value.to_integral_value() else float(value)


def second_of(at: datetime) -> datetime:
    return whole_second(at) or at
