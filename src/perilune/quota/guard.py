"""The guard: is enough left? Decided on exact ratios and amounts; what cannot be known is not taken for enough."""

import re
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Literal

import msgspec
from msgspec import Struct

from perilune.core.errors import UsageError
from perilune.core.money import Money, MoneyDocument
from perilune.core.numbers import parse_number
from perilune.quota.document import AccountDocument, WindowDocument
from perilune.quota.snapshot import ReadFailure

Decision = Literal["safe", "low", "unchecked"]
Reason = Literal["network", "vendor", "window_absent", "unit", "stale"]
ANY, BALANCE = "any", "balance"
_MONEY = re.compile(r"([A-Za-z]{3})\s*([0-9][0-9.]*)")
_SEVERITY = (4, 5, 69, 1, 0)
_REFUSED_EXITS = {"credential": 4, "membership": 5}


class Wanted(Struct, frozen=True, kw_only=True):
    """The least that must be left: a share of a window, a count of requests, or an amount of money."""

    kind: Literal["share", "count", "money"]
    amount: Decimal
    currency: str | None = None

    @property
    def text(self) -> str:
        """`20%`, `50`, `CNY 30`."""
        if self.kind == "money":
            return f"{self.currency} {_plain(self.amount)}"
        return f"{_plain(self.amount * 100)}%" if self.kind == "share" else _plain(self.amount)


class Judged(Struct, frozen=True, kw_only=True):
    """The answer for one account.

    Shape: `window` None when no window could be named; `failure` is the failed read behind `network` and `vendor`.
    """

    decision: Decision
    exit: int
    account: str
    wanted: Wanted
    window: str | None = None
    label: str = ""
    left_ratio: Decimal | None = None
    left: float | int | None = None
    unit: str | None = None
    available: Money | None = None
    resets_at: datetime | None = None
    reason: Reason | None = None
    age_s: int | None = None
    failure: ReadFailure | None = None


class GuardAccount(Struct, frozen=True, kw_only=True):
    """One account's answer as a document."""

    decision: Decision
    exit: int
    account: str
    window: str | None
    left_ratio: float | None
    left: float | int | None
    unit: str | None
    wanted: str
    resets_at: datetime | None
    reason: Reason | None
    available: MoneyDocument | None = None


class GuardDocument(GuardAccount, frozen=True, kw_only=True):
    """`perilune.guard.v1`: the tightest account, and each of them under `accounts`."""

    schema: Literal["perilune.guard.v1"] = "perilune.guard.v1"
    accounts: list[GuardAccount]


def parse_wanted(text: str) -> Wanted | None:
    """`20%`, `50`, `CNY30` or `USD 3.50`; None when it is none of them."""
    text = text.strip()
    money = _MONEY.fullmatch(text)
    number = parse_number(money[2] if money else text.removesuffix("%"))
    if number is None or number < 0:
        return None
    if money:
        return Wanted(kind="money", amount=number, currency=money[1].upper())
    if text.endswith("%"):
        return Wanted(kind="share", amount=number / 100) if number <= 100 else None
    return Wanted(kind="count", amount=number)


def concerned(accounts: Sequence[AccountDocument], wanted: Wanted, window: str) -> list[AccountDocument]:
    """The accounts that a question without names is about: those that have what is asked for, else all."""
    wants_money = wanted.kind == "money" or window == BALANCE
    if wants_money:
        fitting = [one for one in accounts if one.balance and one.balance.available.currency == wanted.currency]
        fitting = fitting or [one for one in accounts if one.balance]
    else:
        fitting = [one for one in accounts if one.balance is None]
    return fitting or list(accounts)


def judge(
    account: AccountDocument, wanted: Wanted, window: str, now: datetime, failure: ReadFailure | None = None
) -> Judged:
    """Whether one account has enough left.

    Shape: `window` is `any`, `balance` or a window's id; `failure` is the last read, where it failed.
    Raises: PL-CURRENCY when the account is counted in another currency than what is wanted.
    """
    refused = _REFUSED_EXITS.get(account.effective.blocked_by or "")
    if refused is not None:
        return _judged("unchecked", refused, account, wanted, failure=failure)
    if wanted.kind == "money" or window == BALANCE:
        return _money(account, wanted, window, failure)
    return _windows(account, wanted, window, now, failure)


def tightest(judged: Sequence[Judged]) -> Judged:
    """The answer that is reported: the worst exit, then the least left of what is wanted."""
    return min(judged, key=lambda one: (_SEVERITY.index(one.exit), _margin(one)))


def opened(judged: Judged) -> Judged:
    """The answer under `--fail-open`: what could not be checked passes."""
    if judged.decision != "unchecked" or judged.exit != 69:
        return judged
    return msgspec.structs.replace(judged, exit=0)


def guard_document(judged: Sequence[Judged]) -> GuardDocument:
    """The answers as one document."""
    told = [_document(one) for one in judged]
    reported = told[list(judged).index(tightest(judged))]
    return GuardDocument(**msgspec.structs.asdict(reported), accounts=told)


def _document(judged: Judged) -> GuardAccount:
    return GuardAccount(
        decision=judged.decision,
        exit=judged.exit,
        account=judged.account,
        window=judged.window,
        left_ratio=None if judged.left_ratio is None else float(judged.left_ratio),
        left=judged.left,
        unit=judged.unit,
        wanted=judged.wanted.text,
        resets_at=judged.resets_at,
        reason=judged.reason,
        available=MoneyDocument.of(judged.available),
    )


def _windows(
    account: AccountDocument, wanted: Wanted, asked: str, now: datetime, failure: ReadFailure | None
) -> Judged:
    blocked = _blocked(account, wanted, asked, now)
    if blocked is not None:
        return blocked
    named = [window for window in account.windows if asked in (ANY, window.id)]
    known = [window for window in named if window.reliable and window.used_ratio is not None]
    judged = [_window(account, wanted, window) for window in known]
    worst = tightest(judged) if judged else None
    reason = _doubt(account, failure)
    if reason is not None and not (worst and worst.left_ratio == 0):
        # A window that was full and has not reset cannot have refilled; everything else may have changed.
        return _unchecked(account, wanted, reason, worst, failure)
    if worst is not None:
        return worst
    if named:
        return _unchecked(account, wanted, "stale", _named(account, wanted, named[0]), failure)
    label = asked if asked != ANY else None
    return _judged("unchecked", 69, account, wanted, window=label, reason="window_absent")


def _window(account: AccountDocument, wanted: Wanted, window: WindowDocument) -> Judged:
    told = _named(account, wanted, window)
    if wanted.kind == "count" and (window.unit != "requests" or window.remaining is None):
        return _with(told, decision="unchecked", exit=69, reason="unit")
    left = told.left_ratio if wanted.kind == "share" else Decimal(str(window.remaining))
    is_enough = left is not None and left >= wanted.amount
    return _with(told, decision="safe" if is_enough else "low", exit=0 if is_enough else 1)


def _named(account: AccountDocument, wanted: Wanted, window: WindowDocument) -> Judged:
    ratio = None if window.used_ratio is None else max(1 - Decimal(str(window.used_ratio)), Decimal(0))
    return _judged(
        "unchecked",
        69,
        account,
        wanted,
        window=window.id,
        label=window.label,
        left_ratio=ratio,
        left=window.remaining,
        unit=window.unit,
        resets_at=window.resets_at,
    )


def _blocked(account: AccountDocument, wanted: Wanted, asked: str, now: datetime) -> Judged | None:
    """A refusal in force or a full window: nothing is left until then, whatever a reading says."""
    by, until = account.effective.blocked_by, account.effective.until
    if account.effective.usable is not False or by is None or (until is not None and until <= now):
        return None
    if asked not in (ANY, by) or by == BALANCE or wanted.amount == 0:
        return None
    window = next((window for window in account.windows if window.id == by), None)
    label, unit = (window.label, window.unit) if window else (by, None)
    left = 0 if window is not None and window.remaining is not None else None
    return _judged(
        "low", 1, account, wanted, window=by, label=label, left_ratio=Decimal(0), left=left, unit=unit, resets_at=until
    )


def _money(account: AccountDocument, wanted: Wanted, asked: str, failure: ReadFailure | None) -> Judged:
    balance = account.balance
    if balance is None or asked not in (ANY, BALANCE):
        return _judged(
            "unchecked", 69, account, wanted, window=asked if asked != ANY else BALANCE, reason="window_absent"
        )
    available = Money(Decimal(balance.available.amount), balance.available.currency)
    told = _judged("unchecked", 69, account, wanted, window=BALANCE, unit="money", available=available)
    if wanted.kind != "money":
        return _with(told, reason="unit")
    if available.currency != wanted.currency:
        example = f"{available.currency}{_plain(wanted.amount)}"
        raise UsageError.of(
            "PL-CURRENCY", account=account.name, currency=available.currency, amount=wanted.text, example=example
        )
    reason = _doubt(account, failure)
    if reason is not None:
        return _unchecked(account, wanted, reason, told, failure)
    is_enough = available.amount >= wanted.amount
    return _with(told, decision="safe" if is_enough else "low", exit=0 if is_enough else 1)


def _doubt(account: AccountDocument, failure: ReadFailure | None) -> Reason | None:
    """Why the last reading may not hold now; None when it does."""
    if failure is not None:
        return "network" if failure.code.startswith("PL-NET-") else "vendor"
    return "stale" if account.state in ("stale", "unknown") and account.effective.usable is not False else None


def _unchecked(
    account: AccountDocument, wanted: Wanted, reason: Reason, known: Judged | None, failure: ReadFailure | None
) -> Judged:
    base = known or _judged("unchecked", 69, account, wanted)
    return _with(base, decision="unchecked", exit=69, reason=reason, failure=failure)


def _judged(decision: Decision, status: int, account: AccountDocument, wanted: Wanted, **more: object) -> Judged:
    fields: dict[str, object] = {"age_s": account.age_s, **more}
    return Judged(decision=decision, exit=status, account=account.name, wanted=wanted, **fields)  # type: ignore[arg-type]


def _with(judged: Judged, **changes: object) -> Judged:
    return msgspec.structs.replace(judged, **changes)


def _margin(judged: Judged) -> Decimal:
    """How much of what is wanted is there; unknown is least."""
    have: Decimal | None = judged.left_ratio
    if judged.wanted.kind == "count":
        have = None if judged.left is None else Decimal(str(judged.left))
    elif judged.wanted.kind == "money":
        have = judged.available.amount if judged.available else None
    return Decimal(-1) if have is None else have


def _plain(amount: Decimal) -> str:
    return format(amount.normalize(), "f")
