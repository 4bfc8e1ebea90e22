"""`perilune.status.v1`: the status of all accounts as command line, API, pages and status lines show it."""

from datetime import datetime
from typing import Literal

from msgspec import Struct, field

from perilune.core.money import MoneyDocument

State = Literal["ok", "high", "spent", "stale", "error", "unknown"]
Stage = Literal["far-ahead", "ahead", "slightly-ahead", "on-track", "slightly-behind", "behind", "far-behind"]


class PaceDocument(Struct, frozen=True, kw_only=True):
    """Used against elapsed; `empty_at` is when the window runs out at this rate, None when it lasts."""

    expected_ratio: float
    stage: Stage
    lasts: bool
    empty_at: datetime | None
    method: Literal["linear", "work-days", "history"] = "linear"
    probability: float | None = None


class PartDocument(Struct, frozen=True):
    """A named share of a window's pool."""

    id: str
    used_ratio: float


class ReadingDocument(Struct, frozen=True, kw_only=True):
    """One reading behind a window (`-v`)."""

    origin: str
    used_ratio: float | None
    used: float | int | None
    limit: float | int | None
    resets_at: datetime | None


class WindowDocument(Struct, frozen=True, kw_only=True):
    """One window. None is unknown; a window that was not reported is not in the list."""

    id: str
    label: str
    span_s: int | None
    used_ratio: float | None
    used: float | int | None
    limit: float | int | None
    remaining: float | int | None
    unit: Literal["requests", "percent", "ratio", "credits"]
    resets_at: datetime | None
    reliable: bool
    conflict: bool
    pace: PaceDocument | None
    state: State = "unknown"
    parts: list[PartDocument] = field(default_factory=list)
    readings: list[ReadingDocument] | None = None


class BalanceDocument(Struct, frozen=True, kw_only=True):
    """Money on an account."""

    available: MoneyDocument
    voucher: MoneyDocument | None
    cash: MoneyDocument | None
    deficit: MoneyDocument | None
    burn_per_day: MoneyDocument | None
    days_left: float | None


class ExtraUsageDocument(Struct, frozen=True, kw_only=True):
    """The wallet for use beyond the windows."""

    state: str | None
    total: MoneyDocument
    left: MoneyDocument
    used_this_month: MoneyDocument | None
    monthly_cap: MoneyDocument | None


class EffectiveDocument(Struct, frozen=True, kw_only=True):
    """The verdict: can this account be used now; if not, what blocks it and until when."""

    usable: bool | None
    blocked_by: str | None
    until: datetime | None
    binding: str | None
    remaining_ratio: float | None
    refused_at: datetime | None = None


class LimitsDocument(Struct, frozen=True, kw_only=True):
    """How much at once."""

    concurrency: int | None
    rpm: int | None
    tpm: int | None


class ErrorDocument(Struct, frozen=True, kw_only=True):
    """An error as our documents carry it. `brief` is its shortest form, for places of one line."""

    code: str
    message: str
    why: str | None = None
    fix: list[str] = field(default_factory=list)
    retry_at: datetime | None = None
    account: str | None = None
    brief: str | None = None


class AccountDocument(Struct, frozen=True, kw_only=True):
    """One account: what it is, what is left, whether it can be used."""

    name: str
    plan: str
    region: str
    plan_title: str | None
    source: str
    state: State
    fetched_at: datetime | None
    age_s: int | None
    windows: list[WindowDocument]
    balance: BalanceDocument | None
    effective: EffectiveDocument
    limits: LimitsDocument
    error: ErrorDocument | None
    extra_usage: ExtraUsageDocument | None = None
    fingerprint_shared_with: list[str] = field(default_factory=list)
    notes: list[ErrorDocument] = field(default_factory=list)
    origin: str | None = None
    took_ms: int | None = None


class StatusDocument(Struct, frozen=True, kw_only=True):
    """The whole picture."""

    schema: Literal["perilune.status.v1"] = "perilune.status.v1"
    generated_at: datetime
    accounts: list[AccountDocument]
    errors: list[ErrorDocument]
    sandbox: bool | None = None
