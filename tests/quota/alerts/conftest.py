"""Readings of one account, one after the other, and what they are worth telling."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from perilune.quota.alerts.model import Alert, AlertRules, Edges
from perilune.quota.alerts.rules import alerts_of
from perilune.quota.held import Held, Known
from perilune.quota.snapshot import Balance, ReadFailure, Refusal, Snapshot, Window
from perilune.quota.status import Judged, judge
from perilune.quota.workdays import WorkWeek

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SPANS = {"5h": 18_000, "7d": 604_800}
KNOWN = Known(name="work", plan="kimi-code", region="cn", vendor="Kimi")


class Account:
    """One account whose readings are looked at as they come; `minute` is where its clock stands."""

    def __init__(self, rules: AlertRules | None = None) -> None:
        self.rules = rules or AlertRules(floors={"CNY": Decimal(20), "USD": Decimal(3)}, week=WorkWeek())
        self.edges: Edges | None = None
        self.minute = 0.0
        self.held = Held()

    @property
    def now(self) -> datetime:
        return NOW + timedelta(minutes=self.minute)

    def judged(self) -> Judged:
        return judge(KNOWN, self.held, self.now)

    def look(self) -> list[str]:
        return [alert.kind for alert in self.alerts()]

    def alerts(self) -> tuple[Alert, ...]:
        self.edges, found = alerts_of(self.judged(), self.edges, self.rules)
        return found

    def after(self, minutes: float) -> "Account":
        self.minute += minutes
        return self

    def reads(self, *windows: Window, **more: Any) -> list[str]:
        """A new reading, five minutes after the last."""
        self.after(5)
        self.take(*windows, **more)
        return self.look()

    def take(self, *windows: Window, **more: Any) -> None:
        facts = {"account": "work", "plan": "kimi-code", "region": "cn", "source": "api-key", "fetched_at": self.now}
        snapshot = Snapshot(**{**facts, **more}, windows=windows)
        self.held = Held(snapshot=snapshot, refusals=self.held.refusals)

    def uses(self, ratio: str, **more: Any) -> list[str]:
        """A new reading of the 5-hour window alone."""
        return self.reads(five_hours(ratio, **more))

    def has_money(self, available: str, currency: str = "CNY") -> list[str]:
        return self.reads(balance=Balance(currency=currency, available=Decimal(available)))

    def fails(self, code: str, count: int = 1, **more: Any) -> list[str]:
        self.after(5)
        before = self.held.failure
        since = before.since if before else self.now
        failure = ReadFailure(account="work", at=self.now, code=code, count=count, since=since, **more)
        self.held = Held(snapshot=self.held.snapshot, failure=failure, refusals=self.held.refusals)
        return self.look()

    def is_refused(self, **more: Any) -> list[str]:
        self.after(1)
        refusal = Refusal(**{"account": "work", "kind": "quota", "code": "PL-QUOTA-5H", "at": self.now, **more})
        self.held = Held(snapshot=self.held.snapshot, failure=self.held.failure, refusals=(refusal,))
        return self.look()


def five_hours(ratio: str | None, *, resets_in: float = 240, **more: Any) -> Window:
    """`resets_in` are minutes after the beginning."""
    return window("5h", ratio, resets_in=resets_in, **more)


def window(window_id: str, ratio: str | None, *, resets_in: float | None = 240, **more: Any) -> Window:
    resets_at = None if resets_in is None else NOW + timedelta(minutes=resets_in)
    used = None if ratio is None else Decimal(ratio)
    facts = {"id": window_id, "label": window_id, "span_s": SPANS.get(window_id), "is_reliable": used is not None}
    return Window(**{**facts, **more}, used_ratio=used, resets_at=resets_at)


@pytest.fixture
def account() -> Account:
    return Account(AlertRules(floors={"CNY": Decimal(20)}, is_early_on=False, week=WorkWeek()))


@pytest.fixture
def early() -> Account:
    return Account(AlertRules(levels=(), week=WorkWeek()))
