"""Tokens told from bytes: a prior for code, then what the ledger has learned of the model."""

from decimal import ROUND_CEILING, Decimal

PRIOR_BYTES_PER_TOKEN = Decimal("3.1")
CJK_BYTES_PER_TOKEN = Decimal("3.0")
OUTPUT_PER_UNIT = 900
OUTPUT_PER_FINDING = 350
THINKING_FACTOR = 4
_CJK_SHARE = 0.3


def bytes_per_token(text: str) -> Decimal:
    """The prior for a text by its script."""
    sample = text[:20_000]
    cjk = sum(1 for char in sample if "\u3040" <= char <= "\u9fff" or "\uac00" <= char <= "\ud7af")
    return CJK_BYTES_PER_TOKEN if sample and cjk / len(sample) > _CJK_SHARE else PRIOR_BYTES_PER_TOKEN


def tokens_of(size: int, ratio: Decimal = PRIOR_BYTES_PER_TOKEN) -> int:
    """Tokens of so many bytes, rounded up."""
    return int((Decimal(size) / ratio).to_integral_value(ROUND_CEILING))


def learned(ratio: Decimal, size: int, billed: int) -> Decimal:
    """The ratio after one more billed prompt: half of what was known, half of what was seen."""
    if billed <= 0 or size <= 0:
        return ratio
    return (ratio + Decimal(size) / Decimal(billed)) / 2


def output_of(findings: Decimal, units: int, *, thinks: bool) -> int:
    """Expected output tokens of a plan."""
    plain = OUTPUT_PER_UNIT * units + int(OUTPUT_PER_FINDING * findings)
    return plain * THINKING_FACTOR if thinks else plain
