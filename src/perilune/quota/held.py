"""What is known of one account when its status is told: what it is by configuration, and what the store holds."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from decimal import Decimal

from msgspec import Struct

from perilune.quota.balance import BalanceSample
from perilune.quota.curves import Mark
from perilune.quota.snapshot import Limits, ReadFailure, Refusal, Snapshot, Source


class Known(Struct, frozen=True, kw_only=True):
    """One account as configured.

    Shape: `vendor`, `plan_label`, `console` are words for sentences; `own_limits` what the user set, which caps what is
    reported; `learned_limits` numbers from refusals.
    Units: `interval_s` seconds between background reads.
    """

    name: str
    plan: str
    region: str
    source: Source = "api-key"
    vendor: str = ""
    plan_label: str = ""
    console: str = ""
    is_extra_usage_allowed: bool = False
    own_limits: Limits = Limits()
    learned_limits: Limits = Limits()
    interval_s: int = 300


class Held(Struct, frozen=True, kw_only=True):
    """What the store holds on one account.

    Shape: `had_requests` tells whether the ledger has a request in a span of time, `past` the kept readings of a
    window in eight weeks, oldest first.
    """

    snapshot: Snapshot | None = None
    failure: ReadFailure | None = None
    refusals: tuple[Refusal, ...] = ()
    balances: tuple[BalanceSample, ...] = ()
    had_requests: Callable[[datetime, datetime], bool] = lambda start, end: True
    past: Callable[[str], Sequence[Mark]] = lambda window: ()


class StatusSettings(Struct, frozen=True, kw_only=True):
    """How a status is judged. Floors are by currency; `is_verbose` adds readings and first failures."""

    high_ratio: Decimal = Decimal("0.75")
    balance_floor: Mapping[str, Decimal] = {}
    work_days: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7)
    zone: tzinfo = UTC
    is_verbose: bool = False
    shows_first_failure: bool = False
    is_sandbox: bool | None = None
