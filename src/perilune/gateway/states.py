"""The state of every scope: closed, open until a time or evidence, half-open for one request. Source: 5.5.

In memory, asked on the hot path; a port carries changes to the store and to other processes.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from perilune.gateway.state_rules import RULES, Reopens, Rule, Scope, open_until
from perilune.providers.contract.outcome import Outcome
from perilune.providers.contract.outcome import OutcomeClass as Is

PERMIT_S = 30.0


class ScopeState(Struct, frozen=True, kw_only=True):
    """One scope that is not closed. `until` None means that time alone does not end it; `step` counts openings."""

    scope: str
    reason: Is
    since: datetime
    until: datetime | None = None
    code: str | None = None
    step: int = 0
    reopens: Reopens = Reopens.HALF_OPEN
    words: str | None = None
    window: str | None = None
    evidence_used: bool = False


class StateStore(Protocol):
    """Keeps states beyond this process. Calls return at once; writing happens behind them."""

    def save(self, state: ScopeState) -> None:
        """Keep a state that opened or changed."""
        ...

    def remove(self, scope: str) -> None:
        """Forget a scope that closed."""
        ...

    def take_permit(self, scope: str, until: datetime) -> bool:
        """The right to send the one half-open request; False when another process has it."""
        ...

    def return_permit(self, scope: str) -> None:
        """Give the right back unused or used."""
        ...


class States:
    """All scopes. `on_change` hears of each opening and closing, once per change."""

    def __init__(self, store: StateStore | None = None, on_change: Callable[[ScopeState, bool], None] | None = None):
        self._store = store
        self._on_change = on_change
        self._open: dict[str, ScopeState] = {}
        self._recent: dict[str, deque[datetime]] = {}
        self._permits: dict[str, datetime] = {}

    def restore(self, states: Iterable[ScopeState]) -> None:
        """Take over what the store kept, or what another process has changed."""
        self._open = {state.scope: state for state in states}

    def all(self) -> list[ScopeState]:
        """Every scope that is not closed."""
        return list(self._open.values())

    @property
    def is_quiet(self) -> bool:
        """True while every scope is closed, which is nearly always."""
        return not self._open

    @property
    def is_calm(self) -> bool:
        """True while nothing is open and nothing is being counted."""
        return not self._open and not self._recent

    def first_open(self, scopes: Sequence[str]) -> ScopeState | None:
        """The state of the first of these scopes that is not closed."""
        return next((state for scope in scopes if (state := self._open.get(scope)) is not None), None)

    def blocking(self, scopes: Sequence[str], now: datetime) -> ScopeState | None:
        """The open state that keeps these scopes from use; None when they are closed or due for a half-open try."""
        if not self._open:
            return None
        found = [state for scope in scopes if (state := self._open.get(scope)) is not None]
        blocked = [state for state in found if not self._is_due(state, now)]
        return max(blocked, key=_ends, default=None)

    def admit(self, scopes: Sequence[str], now: datetime) -> tuple[str, ...] | None:
        """Take the half-open permits that these scopes need; none needed is an empty tuple, None is refused."""
        if not self._open:
            return ()
        taken: list[str] = []
        for scope in scopes:
            state = self._open.get(scope)
            if state is None:
                continue
            if not self._is_due(state, now) or not self._take(scope, now):
                self.give_back(taken)
                return None
            taken.append(scope)
        return tuple(taken)

    def give_back(self, permits: Iterable[str]) -> None:
        """Return permits whose request ended without saying anything about the scope."""
        for scope in permits:
            if self._permits.pop(scope, None) is not None and self._store is not None:
                self._store.return_permit(scope)

    def succeeded(self, scopes: Sequence[str]) -> None:
        """Content came: the scopes close and their counters are cleared."""
        if not self._open and not self._recent:
            return
        for scope in scopes:
            self._recent.pop(scope, None)
            self.close(scope)

    def failed(
        self,
        outcome: Outcome,
        scope_of: Callable[[Scope], str],
        now: datetime,
        *,
        reset: datetime | None = None,
        jitter: float = 0,
    ) -> ScopeState | None:
        """Open the scope that this outcome closes for use, if it does now."""
        rule = RULES.get(outcome.kind)
        if rule is None:
            return None
        scope = scope_of(rule.scope)
        before = self._open.get(scope)
        if before is None and not self._is_enough(scope, rule, now):
            return None
        step = before.step + 1 if before is not None and self._is_due(before, now) else (before.step if before else 0)
        state = ScopeState(
            scope=scope,
            reason=outcome.kind,
            since=before.since if before is not None and before.reason is outcome.kind else now,
            until=open_until(outcome, rule, step, now, reset=reset, jitter=jitter),
            code=outcome.code,
            step=step,
            reopens=_reopens_after(rule, before, outcome),
            words=outcome.words,
            window=outcome.window,
            evidence_used=before is not None and before.evidence_used,
        )
        self._put(state, is_new=before is None or before.reason is not outcome.kind)
        return state

    def close(self, scope: str) -> None:
        """Close by success, by hand, or because key, host, surface or model changed."""
        state = self._open.pop(scope, None)
        self.give_back((scope,))
        if state is None:
            return
        if self._store is not None:
            self._store.remove(scope)
        if self._on_change is not None:
            self._on_change(state, False)

    def clear(self, prefixes: Iterable[str]) -> None:
        """Close every scope whose name begins so."""
        starts = tuple(prefixes)
        for scope in [name for name in self._open if name.startswith(starts)]:
            self.close(scope)

    def evidence(self, scope: str, kinds: frozenset[Is]) -> bool:
        """Free evidence of one of these kinds: closes the scope without an answer being spent.

        A refused key is reopened once by it; refused again, only a change or a test by hand does.
        """
        state = self._open.get(scope)
        if state is None or state.reason not in kinds or state.reopens is Reopens.BY_HAND:
            return False
        if state.reason is Is.AUTH_REFUSED:
            self._put(replace(state, reopens=Reopens.BY_HAND, until=state.since, evidence_used=True), is_new=False)
            return True
        self.close(scope)
        return True

    def _is_due(self, state: ScopeState, now: datetime) -> bool:
        return state.until is not None and state.until <= now

    def _is_enough(self, scope: str, rule: Rule, now: datetime) -> bool:
        if rule.after <= 1:
            return True
        recent = self._recent.setdefault(scope, deque(maxlen=rule.after))
        recent.append(now)
        return len(recent) >= rule.after and recent[0] >= now - timedelta(seconds=rule.within_s)

    def _take(self, scope: str, now: datetime) -> bool:
        held = self._permits.get(scope)
        if held is not None and held > now:
            return False
        until = now + timedelta(seconds=PERMIT_S)
        if self._store is not None and not self._store.take_permit(scope, until):
            return False
        self._permits[scope] = until
        return True

    def _put(self, state: ScopeState, *, is_new: bool) -> None:
        self._open[state.scope] = state
        self.give_back((state.scope,))
        if self._store is not None:
            self._store.save(state)
        if is_new and self._on_change is not None:
            self._on_change(state, True)


def _reopens_after(rule: Rule, before: ScopeState | None, outcome: Outcome) -> Reopens:
    if before is not None and before.evidence_used and outcome.kind is Is.AUTH_REFUSED:
        return Reopens.BY_HAND
    return rule.reopens


def _ends(state: ScopeState) -> float:
    return float("inf") if state.until is None else state.until.timestamp()
