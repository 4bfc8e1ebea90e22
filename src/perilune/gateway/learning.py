"""What a refusal teaches: the cap, the state of a scope, the account's reading. Nothing here waits."""

from decimal import Decimal

from perilune.gateway.setup import Services
from perilune.gateway.slots import Slot
from perilune.gateway.state_rules import Scope
from perilune.gateway.states import ScopeState
from perilune.providers.contract.outcome import Outcome
from perilune.providers.contract.outcome import OutcomeClass as Is
from perilune.quota.snapshot import Refusal, Window

_NEAR_THE_CAP = 0.8
_FULL = Decimal("0.99")
_REFUSALS = {
    Is.QUOTA_SPENT: "quota",
    Is.BALANCE_EMPTY: "balance",
    Is.AUTH_REFUSED: "credential",
    Is.MEMBER_LAPSED: "membership",
}


def learn_from(
    services: Services, slot: Slot, surface: str, agent: str, model: str, outcome: Outcome
) -> ScopeState | None:
    """Take in a refusal; the state that it opened, if any."""
    if outcome.kind is Is.RATE_CONCURRENCY:
        _lower_cap(services, slot, outcome)
    services.rates.learn(slot.group, outcome)
    now = services.now()
    window = _window_of(services, slot, outcome)
    state = services.states.failed(
        outcome,
        lambda scope: slot.scope_of(Scope(scope), surface, agent, model),
        now,
        reset=None if window is None else window.resets_at,
        jitter=services.jitter(),
    )
    kind = _REFUSALS.get(outcome.kind)
    if kind is not None and outcome.code is not None:
        until = outcome.retry_at or (None if window is None else window.resets_at)
        until = until if until is not None and until > now else None if state is None else state.until
        services.accounts.refused(
            Refusal(
                account=slot.account,
                kind=kind,  # type: ignore[arg-type]
                code=outcome.code,
                at=now,
                window=outcome.window or (window.id if window is not None else None),
                until=until if outcome.kind is Is.QUOTA_SPENT else None,
            )
        )
    return state


def _lower_cap(services: Services, slot: Slot, outcome: Outcome) -> None:
    """A number is believed; without one the cap shrinks only when we are near it: else somebody else is there."""
    if outcome.limit is not None:
        services.admission.refused(slot.group, outcome.limit)
        return
    group = services.admission.state(slot.group)
    if group.cap is None or group.in_flight >= _NEAR_THE_CAP * group.cap:
        services.admission.refused(slot.group)


def _window_of(services: Services, slot: Slot, outcome: Outcome) -> Window | None:
    """The window a refusal is about: the named one, else the full one that resets last."""
    if outcome.kind is not Is.QUOTA_SPENT:
        return None
    snapshot = services.accounts.snapshot(slot.account)
    windows = () if snapshot is None else snapshot.windows
    if outcome.window is not None:
        return next((window for window in windows if window.id == outcome.window), None)
    full = [w for w in windows if w.used_ratio is not None and w.used_ratio >= _FULL and w.resets_at is not None]
    return max(full, key=lambda window: window.resets_at or services.now(), default=None)
