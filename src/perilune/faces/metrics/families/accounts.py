"""Accounts: windows, balances, verdicts, readings."""

import sys
from collections.abc import Callable, Iterator
from typing import get_args

from perilune import __version__
from perilune.faces.metrics.family import Facts, Family, Sample
from perilune.quota.document import AccountDocument, State, WindowDocument

_WINDOW = ("account", "plan", "region", "window")
Figure = Callable[[WindowDocument], float | None]


def _build(facts: Facts) -> Iterator[Sample]:
    yield (__version__, ".".join(map(str, sys.version_info[:3]))), 1


def _of_windows(figure: Figure) -> Callable[[Facts], Iterator[Sample]]:
    def samples(facts: Facts) -> Iterator[Sample]:
        for account, window in _windows(facts):
            value = figure(window)
            if value is not None:
                yield (account.name, account.plan, account.region, window.id), value

    return samples


def _of_counts(figure: Figure) -> Callable[[Facts], Iterator[Sample]]:
    def samples(facts: Facts) -> Iterator[Sample]:
        for account, window in _windows(facts):
            value = figure(window)
            if value is not None:
                yield (account.name, account.plan, account.region, window.id, window.unit), value

    return samples


def _of_flags(figure: Callable[[WindowDocument], bool]) -> Callable[[Facts], Iterator[Sample]]:
    def samples(facts: Facts) -> Iterator[Sample]:
        for account, window in _windows(facts):
            yield (account.name, window.id), figure(window)

    return samples


def _windows(facts: Facts) -> Iterator[tuple[AccountDocument, WindowDocument]]:
    return ((account, window) for account in facts.accounts for window in account.windows)


def _reset(window: WindowDocument) -> float | None:
    return None if window.resets_at is None else window.resets_at.timestamp()


def _empty(window: WindowDocument) -> float | None:
    empty_at = window.pace.empty_at if window.pace else None
    return None if empty_at is None else empty_at.timestamp()


def _balances(facts: Facts) -> Iterator[Sample]:
    for account in facts.accounts:
        for kind in ("available", "voucher", "cash", "deficit"):
            money = getattr(account.balance, kind, None)
            if money is not None:
                yield (account.name, money.currency, kind), float(money.amount)


def _runways(facts: Facts) -> Iterator[Sample]:
    for account in facts.accounts:
        if account.balance is not None and account.balance.days_left is not None:
            yield (account.name,), account.balance.days_left * 86_400


def _usable(facts: Facts) -> Iterator[Sample]:
    for account in facts.accounts:
        if account.effective.usable is not None:
            yield (account.name, account.plan, account.region), account.effective.usable


def _states(facts: Facts) -> Iterator[Sample]:
    for account in facts.accounts:
        for state in get_args(State):
            yield (account.name, state), account.state == state


def _fetched(facts: Facts) -> Iterator[Sample]:
    for account in facts.accounts:
        if account.fetched_at is not None:
            yield (account.name,), account.fetched_at.timestamp()


def _reads(facts: Facts) -> Iterator[Sample]:
    for account, count in facts.reads.reads.items() if facts.reads else ():
        yield (account,), count


def _failures(facts: Facts) -> Iterator[Sample]:
    yield from facts.reads.failures.items() if facts.reads else ()


FAMILIES = (
    Family(name="build_info", help="This program.", labels=("version", "python"), samples=_build),
    Family(
        name="window_used_ratio",
        help="Used share of a quota window, above 1 when over-used.",
        labels=_WINDOW,
        samples=_of_windows(lambda window: window.used_ratio),
    ),
    Family(
        name="window_limit",
        help="Size of a quota window in its unit.",
        labels=(*_WINDOW, "unit"),
        samples=_of_counts(lambda window: window.limit),
    ),
    Family(
        name="window_remaining",
        help="What is left of a quota window in its unit.",
        labels=(*_WINDOW, "unit"),
        samples=_of_counts(lambda window: window.remaining),
    ),
    Family(
        name="window_reset_timestamp_seconds",
        help="When a quota window comes back.",
        labels=_WINDOW,
        samples=_of_windows(_reset),
    ),
    Family(
        name="window_empty_timestamp_seconds",
        help="When a quota window runs out at this pace.",
        labels=_WINDOW,
        samples=_of_windows(_empty),
    ),
    Family(
        name="window_conflict",
        help="1 where two readings of a window disagree.",
        labels=("account", "window"),
        samples=_of_flags(lambda window: window.conflict),
    ),
    Family(
        name="window_reliable",
        help="1 where a window's reading can be relied on.",
        labels=("account", "window"),
        samples=_of_flags(lambda window: window.reliable),
    ),
    Family(
        name="balance_amount",
        help="Money on an account by its part.",
        labels=("account", "currency", "kind"),
        samples=_balances,
    ),
    Family(
        name="balance_runway_seconds",
        help="How long the balance lasts at the spending of late.",
        labels=("account",),
        samples=_runways,
    ),
    Family(
        name="account_usable",
        help="1 where an account can be used now.",
        labels=("account", "plan", "region"),
        samples=_usable,
    ),
    Family(
        name="account_state",
        help="1 for the state that an account is in, 0 for the others.",
        labels=("account", "state"),
        samples=_states,
    ),
    Family(
        name="snapshot_timestamp_seconds",
        help="When an account was last read.",
        labels=("account",),
        samples=_fetched,
    ),
    Family(
        name="reads_total",
        kind="counter",
        help="Reads of an account that asked its vendor.",
        labels=("account",),
        samples=_reads,
    ),
    Family(
        name="read_failures_total",
        kind="counter",
        help="Reads of an account that failed, by code.",
        labels=("account", "code"),
        samples=_failures,
    ),
)
