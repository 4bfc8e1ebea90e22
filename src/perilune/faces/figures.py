"""What one window or balance says: the figures and sentences that text and pages share."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

from msgspec import Struct

from perilune.core.messages import Voice
from perilune.core.money import Money, MoneyDocument
from perilune.quota.document import BalanceDocument, PaceDocument, WindowDocument
from perilune.quota.wording import percent_left, percent_used

Shown = Literal["used", "left"]
UNKNOWN = "–"


class Figures(Struct, frozen=True, kw_only=True):
    """One window in words.

    Shape: `first` is the large figure (`69% used`), `second` the other side of it (`61 left`); `reset` and `pace` are
    sentences, `pace` None where nothing is known.
    """

    first: str
    second: str
    reset: str | None
    pace: str | None


def window_figures(window: WindowDocument, voice: Voice, shown: Shown = "used") -> Figures:
    """A window's figures and sentences at the voice's moment."""
    ratio = None if window.used_ratio is None else Decimal(str(window.used_ratio))
    first, second = _cells(window, ratio, voice, shown)
    return Figures(first=first, second=second, reset=reset_sentence(window, voice), pace=pace_sentence(window, voice))


def _cells(window: WindowDocument, ratio: Decimal | None, voice: Voice, shown: Shown) -> tuple[str, str]:
    if ratio is None:
        return voice.say("figures.used", figure=UNKNOWN), voice.say("figures.left", figure=UNKNOWN)
    mark = "≠" if window.conflict else "" if window.reliable else "?"
    left = f"{percent_left(ratio)}%"
    if shown == "left":
        used = f"{_count(window.used)}" if _has_counts(window) else percent_used(ratio)
        return voice.say("figures.left", figure=left + mark), voice.say("figures.used", figure=used)
    rest = f"{_count(window.remaining)}" if _has_counts(window) else left
    return voice.say("figures.used", figure=percent_used(ratio) + mark), voice.say("figures.left", figure=rest)


def _has_counts(window: WindowDocument) -> bool:
    return window.unit == "requests" and window.remaining is not None and window.used is not None


def _count(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:g}" if value < 1_000_000 else f"{value:.0f}"


def reset_sentence(window: WindowDocument, voice: Voice) -> str | None:
    """When a window comes back: relative and absolute; None where the server said nothing."""
    if window.resets_at is None:
        return voice.say("figures.starts") if window.used_ratio == 0 else None
    clock = voice.clock(window.resets_at, round_up=True)
    if window.resets_at <= voice.now:
        return voice.say("figures.due", clock=clock)
    message = "figures.back" if window.state == "spent" else "figures.resets"
    return voice.say(message, clock=clock, duration=window.resets_at - voice.now)


def pace_sentence(window: WindowDocument, voice: Voice) -> str | None:
    """Whether a window lasts, or when it is empty and how much too early that is."""
    pace = window.pace
    if pace is None or window.state == "spent":
        return None
    if pace.lasts:
        return voice.say("figures.lasts")
    return _early_sentence(pace, window.resets_at, voice)


def _early_sentence(pace: PaceDocument, resets_at: datetime | None, voice: Voice) -> str | None:
    if pace.empty_at is None or resets_at is None:
        return None
    early = _between_shown_clocks(pace.empty_at, resets_at)
    return voice.say("figures.early", clock=voice.clock(pace.empty_at), early=early)


def _between_shown_clocks(empty_at: datetime, resets_at: datetime) -> timedelta:
    """The span between the two clocks as they are shown: the earlier one rounded down, the reset rounded up."""
    down = empty_at.replace(second=0, microsecond=0)
    up = resets_at.replace(second=0, microsecond=0)
    return (up + timedelta(minutes=1) if up < resets_at else up) - down


class BalanceFigures(Struct, frozen=True, kw_only=True):
    """A balance in words: what is available, its parts, and the sentence on spending."""

    available: str
    parts: tuple[str, ...]
    spend: str


def balance_figures(balance: BalanceDocument, voice: Voice) -> BalanceFigures:
    """A balance's figures and sentence."""
    parts = [
        voice.say(f"figures.{name}", amount=_money(amount))
        for name, amount in (("voucher", balance.voucher), ("cash", balance.cash), ("owed", balance.deficit))
        if amount is not None
    ]
    return BalanceFigures(
        available=_money(balance.available).shown(with_code=voice.with_currency_codes),
        parts=tuple(parts),
        spend=_spend(balance, voice),
    )


def _spend(balance: BalanceDocument, voice: Voice) -> str:
    if balance.burn_per_day is None:
        return voice.say("figures.burn_unknown")
    burn = voice.say("figures.burn", amount=_money(balance.burn_per_day))
    if balance.days_left is None:
        return burn
    lasts = "figures.days_many" if balance.days_left > 365 else "figures.days"
    return f"{burn}   {voice.say(lasts, days=round(balance.days_left))}"


def _money(document: MoneyDocument) -> Money:
    return Money(Decimal(document.amount), document.currency)
