"""Figures of a status document as people read them: percent, counts, money, bars. Rounding and nothing else."""

from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Literal

from perilune.core.messages import Voice
from perilune.core.money import Money, MoneyDocument
from perilune.core.numbers import plain
from perilune.quota import wording
from perilune.quota.document import WindowDocument

Shown = Literal["used", "left"]
UNKNOWN = "–"


def exact(number: float) -> Decimal:
    """A number of a document as the decimal it was written as."""
    return Decimal(str(number))


def percent_used(window: WindowDocument) -> str:
    """`69%`, `<1%`, `104%`, `–`; `≠` behind it where readings differ, `?` where it is not reliable."""
    if window.used_ratio is None:
        return UNKNOWN
    return wording.percent_used(exact(window.used_ratio)) + _doubt(window)


def percent_left(window: WindowDocument) -> str:
    """100 minus the percent shown as used, not below 0."""
    if window.used_ratio is None:
        return UNKNOWN
    return f"{wording.percent_left(exact(window.used_ratio))}%"


def figures(window: WindowDocument, shown: Shown) -> tuple[str, str]:
    """The first figure of a window (percent) and the second (requests where they are counted, else percent)."""
    if shown == "left":
        second = _count(window.used) if _counts(window) and window.used is not None else percent_used(window)
        doubt = _doubt(window) if window.used_ratio is not None else ""
        return percent_left(window) + doubt, second
    second = _count(window.remaining) if _counts(window) and window.remaining is not None else percent_left(window)
    return percent_used(window), second


def bar(window: WindowDocument, cells: int, shown: Shown = "used") -> str:
    """Filled and empty cells with the mark of even pace; under `left` what remains, mirrored."""
    if window.used_ratio is None:
        return "░" * cells
    used = exact(window.used_ratio)
    ratio = used if shown == "used" else max(1 - used, Decimal(0))
    filled = int((min(ratio, Decimal(1)) * cells).to_integral_value(ROUND_HALF_UP))
    if ratio > 0:
        filled = max(filled, 1)
    if ratio < 1:
        filled = min(filled, cells - 1)
    drawn = "█" * filled + "░" * (cells - filled)
    mark = _mark(window, cells, shown)
    return drawn if mark is None else f"{drawn[:mark]}|{drawn[mark + 1 :]}"


def money(document: MoneyDocument, voice: Voice) -> str:
    """An amount in two decimals, with symbol or code as the voice has it."""
    return voice.word(Money(Decimal(document.amount), document.currency))


def _mark(window: WindowDocument, cells: int, shown: Shown) -> int | None:
    if window.pace is None:
        return None
    index = int((exact(window.pace.expected_ratio) * cells).to_integral_value(ROUND_FLOOR))
    index = min(max(index, 0), cells - 1)
    return index if shown == "used" else cells - 1 - index


def _counts(window: WindowDocument) -> bool:
    return window.unit in ("requests", "credits")


def _count(number: float) -> str:
    return plain(exact(number))


def _doubt(window: WindowDocument) -> str:
    return "≠" if window.conflict else "" if window.reliable else "?"
