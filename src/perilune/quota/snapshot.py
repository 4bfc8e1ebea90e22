"""What one account answered at one moment, as data: readings, windows, balance, limits, identity."""

from datetime import datetime
from decimal import Decimal
from typing import Literal

from msgspec import Struct

from perilune.core.live_models import LiveModel

Unit = Literal["requests", "percent", "ratio", "credits"]
Source = Literal["api-key", "cli-login", "web-session"]


class Reading(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One figure that one part of an answer gave for one window, before readings are weighed against each other.

    Units: `used_ratio` 0..1, above 1 when over-used; `used`, `limit`, `remaining` in `unit`; `span_s` seconds.
    """

    window: str
    origin: str
    label: str | None = None
    span_s: int | None = None
    used_ratio: Decimal | None = None
    used: Decimal | None = None
    limit: Decimal | None = None
    remaining: Decimal | None = None
    unit: Unit = "ratio"
    resets_at: datetime | None = None
    is_known_zero_start: bool = False


class WindowPart(Struct, frozen=True):
    """A share of a window's pool that the vendor names by itself; never added to the window."""

    id: str
    used_ratio: Decimal


class Window(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One quota of a plan that fills up and comes back.

    Units: used, limit and remaining in what `unit` says; ratio 0..1, above 1 when over-used; None is unknown.
    Source: GET /coding/v1/usages -> usages.limit_* (ratio) or usage, limits[] (counts as strings); web calls alike.
    """

    id: str
    label: str
    span_s: int | None = None
    used_ratio: Decimal | None = None
    used: Decimal | None = None
    limit: Decimal | None = None
    remaining: Decimal | None = None
    unit: Unit = "ratio"
    resets_at: datetime | None = None
    is_reliable: bool = True
    has_conflict: bool = False
    parts: tuple[WindowPart, ...] = ()
    readings: tuple[Reading, ...] = ()


class Balance(Struct, frozen=True, kw_only=True):
    """Money on an account. `cash` may be negative; then it is owed.

    Source: GET /v1/users/me/balance -> data.*_balance; the currency follows the host.
    """

    currency: str
    available: Decimal
    voucher: Decimal | None = None
    cash: Decimal | None = None


class ExtraUsage(Struct, frozen=True, kw_only=True):
    """A wallet that pays for use beyond the plan's windows. Amounts in `currency`."""

    currency: str
    total: Decimal
    left: Decimal
    state: str | None = None
    used_this_month: Decimal | None = None
    monthly_cap: Decimal | None = None


class Limits(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How much at once: requests in flight, requests and tokens a minute, tokens a day. None is unknown."""

    concurrency: int | None = None
    rpm: int | None = None
    tpm: int | None = None
    tpd: int | None = None


class SourceTry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One credential source that was tried in vain.

    Shape: `host` is where it was sent, None where nothing was; `code` is ours; `credential` a fingerprint of what was
    refused, since `since` and again at `at`. One that was not reached or asked for a pause is left alone until
    `retry_at`, for longer the more often it failed (`count`).
    """

    source: Source
    code: str
    at: datetime
    host: str | None = None
    credential: str | None = None
    since: datetime | None = None
    retry_at: datetime | None = None
    count: int = 1


class Snapshot(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one account answered at one moment.

    Shape: `drift` names parts that were there but could not be read; `unknown_fields` names fields this version does
    not know; neither holds values. `loose_parts` are shares of a window that was not
    reported. `identity` is a digest that accounts of one membership or organisation share, in any home.
    `profile_title`, `models`, `live_models` (what the vendor's list says of them) and `identity` come from calls made
    once a day, at `profile_at`; `limits_refused_at` is
    when the vendor last refused to tell the limits. `fetched_at` is server time. `credential` is a keyed digest
    of what was accepted. `read_by` is the account of the same identity that made the read, None where it was this one;
    `poll_s` the interval that was in force then. `web_identity` says whose web session
    stood beside a key's reading: merged when it is of the same person, nothing of it when of another; of an unknown one
    title and month are shown. `tried` are the credential sources before the one that answered.
    Units: `took_ms` milliseconds; `clock_skew_s` server time minus local time where it matters (above 30 s).
    """

    account: str
    plan: str
    region: str
    source: Source
    fetched_at: datetime
    plan_title: str | None = None
    windows: tuple[Window, ...] = ()
    loose_parts: tuple[WindowPart, ...] = ()
    balance: Balance | None = None
    extra_usage: ExtraUsage | None = None
    limits: Limits = Limits()
    identity: str | None = None
    drift: tuple[str, ...] = ()
    unknown_fields: tuple[str, ...] = ()
    origin: str | None = None
    took_ms: int | None = None
    clock_skew_s: int = 0
    models: tuple[str, ...] = ()
    live_models: tuple[LiveModel, ...] = ()
    profile_title: str | None = None
    profile_at: datetime | None = None
    limits_refused_at: datetime | None = None
    credential: str | None = None
    web_identity: Literal["same", "other", "unknown"] | None = None
    tried: tuple[SourceTry, ...] = ()
    read_by: str | None = None
    poll_s: int = 0


class Refusal(Struct, frozen=True, kw_only=True):
    """A vendor's no, seen live: it outranks every reading until `until`, a success, or a reading with a later reset.

    Shape: `window` names the quota that was said to be full, None when the sentence named none. `code` is ours; `words`
    the vendor's sentence, redacted.
    """

    account: str
    kind: Literal["quota", "balance", "credential", "membership"]
    code: str
    at: datetime
    window: str | None = None
    until: datetime | None = None
    words: str | None = None


class ReadFailure(Struct, frozen=True, kw_only=True):
    """The last failed read of an account, beside its last good snapshot.

    Shape: `code`, `variant`, `facts`, `words` and `request_id` are a Problem's; `count` failures in a row, `since` the
    first of them. `retry_at` is when the vendor or our own patience allows the next try; `is_asked_wait` when the
    vendor asked for it. `credential` is a fingerprint of what was refused.
    """

    account: str
    at: datetime
    code: str
    variant: str = ""
    facts: dict[str, str] = {}
    words: str | None = None
    request_id: str | None = None
    retry_at: datetime | None = None
    count: int = 1
    since: datetime | None = None
    is_asked_wait: bool = False
    credential: str | None = None
