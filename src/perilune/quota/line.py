"""`perilune.line.v1`: the status in the shape that status lines read, so that a cold start computes next to nothing.

Written by whoever saves a snapshot, read with the standard library alone. Everything that passes with time is kept as a
moment and worked out when it is read. Units: moments are whole seconds since 1970, server time inside an account.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Literal

from msgspec import Struct

from perilune.core.money import Money
from perilune.quota.document import AccountDocument, BalanceDocument, State, StatusDocument, WindowDocument

_LEAST_STALE_S = 15 * 60
_INTERVALS_UNTIL_STALE = 3


class LineWindow(Struct, frozen=True, kw_only=True):
    """One window of an account."""

    id: str
    label: str
    used_ratio: float | None
    used: float | int | None
    remaining: float | int | None
    unit: str
    resets_at: int | None
    reliable: bool
    conflict: bool
    state: State
    stage: str | None
    empty_at: int | None


class LineBalance(Struct, frozen=True, kw_only=True):
    """Money on an account, as it is shown: `USD 18.43`."""

    shown: str
    days_left: float | None


class LineAccount(Struct, frozen=True, kw_only=True):
    """One account. Units: `skew_s` server time minus local time; `stale_after_s`, `refresh_after_s` ages."""

    name: str
    plan_label: str
    vendor: str
    region: str
    hosts: tuple[str, ...]
    state: State
    fetched_at: int | None
    skew_s: int
    stale_after_s: int
    refresh_after_s: int
    windows: tuple[LineWindow, ...]
    balance: LineBalance | None
    blocked_by: str | None
    until: int | None
    binding: str | None
    remaining_ratio: float | None
    code: str | None


class LineRoute(Struct, frozen=True):
    """One route: its name and the accounts of its slots in order."""

    name: str
    accounts: tuple[str, ...]


class LineDisplay(Struct, frozen=True, kw_only=True):
    """How figures are shown."""

    percent: Literal["used", "left"] = "used"
    clock: Literal["24h", "12h"] = "24h"
    ambiguous_width: int = 1
    lang: str | None = None
    tz: str | None = None


class Line(Struct, frozen=True, kw_only=True):
    """The whole picture of a status line.

    Shape: `service` is the process that keeps it fresh, where one runs; `fault` a code when there is no picture.
    """

    schema: Literal["perilune.line.v1"] = "perilune.line.v1"
    written_at: int
    accounts: tuple[LineAccount, ...]
    routes: tuple[LineRoute, ...] = ()
    display: LineDisplay = LineDisplay()
    listen: str = ""
    sandbox: bool = False
    service: int | None = None
    fault: str | None = None


class AccountFacts(Struct, frozen=True, kw_only=True):
    """What the status document does not say of an account: words for its plan, its hosts, how often it is read."""

    plan_label: str = ""
    vendor: str = ""
    hosts: tuple[str, ...] = ()
    interval_s: int = 300


class LineFacts(Struct, frozen=True, kw_only=True):
    """What a status line shows beside the status document."""

    accounts: Mapping[str, AccountFacts] = {}
    routes: Sequence[LineRoute] = ()
    display: LineDisplay = LineDisplay()
    listen: str = ""
    service: int | None = None


def line_of(document: StatusDocument, facts: LineFacts) -> Line:
    """The line of a status document."""
    written_at = _seconds(document.generated_at) or 0
    return Line(
        written_at=written_at,
        accounts=tuple(
            _account(account, facts.accounts.get(account.name, AccountFacts()), written_at)
            for account in document.accounts
        ),
        routes=tuple(facts.routes),
        display=facts.display,
        listen=facts.listen,
        sandbox=bool(document.sandbox),
        service=facts.service,
    )


def _account(account: AccountDocument, facts: AccountFacts, written_at: int) -> LineAccount:
    fetched_at = _seconds(account.fetched_at)
    server_now = None if fetched_at is None or account.age_s is None else fetched_at + account.age_s
    return LineAccount(
        name=account.name,
        plan_label=facts.plan_label or account.plan,
        vendor=facts.vendor or facts.plan_label or account.plan,
        region=account.region,
        hosts=facts.hosts,
        state=account.state,
        fetched_at=fetched_at,
        skew_s=0 if server_now is None else server_now - written_at,
        stale_after_s=max(_INTERVALS_UNTIL_STALE * facts.interval_s, _LEAST_STALE_S),
        # A service reads each interval give or take a tenth; only what it should have read by now is asked for.
        refresh_after_s=facts.interval_s + facts.interval_s // 5,
        windows=tuple(_window(window) for window in account.windows),
        balance=None if account.balance is None else _balance(account.balance),
        blocked_by=account.effective.blocked_by,
        until=_seconds(account.effective.until),
        binding=account.effective.binding,
        remaining_ratio=account.effective.remaining_ratio,
        code=account.error.code if account.error else None,
    )


def _window(window: WindowDocument) -> LineWindow:
    return LineWindow(
        id=window.id,
        label=window.label,
        used_ratio=window.used_ratio,
        used=window.used,
        remaining=window.remaining,
        unit=window.unit,
        resets_at=_seconds(window.resets_at),
        reliable=window.reliable,
        conflict=window.conflict,
        state=window.state,
        stage=window.pace.stage if window.pace else None,
        empty_at=_seconds(window.pace.empty_at) if window.pace else None,
    )


def _balance(balance: BalanceDocument) -> LineBalance:
    money = Money(Decimal(balance.available.amount), balance.available.currency)
    return LineBalance(shown=money.shown(with_code=True), days_left=balance.days_left)


def _seconds(at: datetime | None) -> int | None:
    return None if at is None else int(at.timestamp())
