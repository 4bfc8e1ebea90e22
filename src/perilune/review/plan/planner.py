"""The plan of a review: units, votes, calls, what they cost, and what is done when that does not fit."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Literal

from msgspec import Struct, structs

from perilune.core.money import Money
from perilune.review.plan.allowance import Allowance, allowance, parse_money
from perilune.review.plan.forecast import Estimate, Work, estimate, expected_survivors
from perilune.review.plan.tokens import tokens_of
from perilune.review.plan.units import LIMITS, Limits, Ranked, Unit, pack
from perilune.review.ports import Objective, SlotView
from perilune.review.risk import HIGH_RISK, is_source
from perilune.review.settings import Budget, Effort

VERIFY_BATCH = 20
_LEAST_SOURCE_SHARE = Decimal("0.6")
_CONTEXT_SHARE = Decimal("0.9")
_LARGER = 2

OUTPUT_LIMITS = {"generate": (8_192, 32_768), "verify": (4_096, 16_384)}


class Plan(Struct, frozen=True, kw_only=True):
    """What a review will do. `skipped` are the names of files for which there was no room."""

    objective: Objective
    effort: Effort
    units: tuple[Unit, ...] = ()
    votes: dict[str, int] = {}
    verify_calls: int = 0
    reserve: int = 0
    estimate: Estimate = Estimate()
    degraded: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    slot: SlotView | None = None
    allowed: Allowance = Allowance()

    @property
    def generate_calls(self) -> int:
        return sum(self.votes.get(unit.id, 1) for unit in self.units)

    @property
    def requests(self) -> int:
        return self.generate_calls + self.verify_calls + self.reserve


class Shortfall(Struct, frozen=True, kw_only=True):
    """No plan fits: what the smallest one needs, what there is, and when there will be more."""

    needed: int
    available: int
    account: str | None
    window: str | None
    retry_at: datetime | None
    how: Literal["defer", "fail"] = "defer"
    plan: Plan


class Basis(Struct, frozen=True, kw_only=True):
    """What a plan is made from. `prefix_tokens` are those of the stable prefix with its rules."""

    ranked: tuple[Ranked, ...]
    effort: Effort
    budget: Budget
    slots: tuple[SlotView, ...]
    prefix_tokens: int


def make_plan(basis: Basis) -> Plan | Shortfall:
    """The first plan that fits, by the ladder of `on_short`: degrade, the next slot, or not now."""
    slots = [slot for slot in basis.slots if slot.is_usable]
    if not slots:
        return _without_slots(basis)
    steps = basis.budget.on_short
    tried = slots if "fallback" in steps else slots[:1]
    shortfall: Shortfall | None = None
    for index, slot in enumerate(tried):
        found = _plan_on(basis, slot)
        if isinstance(found, Plan):
            words = ("fallback",) if index else ()
            return structs.replace(found, degraded=found.degraded + words)
        shortfall = shortfall or found
    assert shortfall is not None  # noqa: S101 - there is at least one slot
    return shortfall


def _without_slots(basis: Basis) -> Plan | Shortfall:
    """A plan where no account is configured, or the wait where every slot is blocked."""
    if not basis.slots:
        return build(basis, None, basis.ranked, basis.effort, LIMITS["request"])
    first = min(basis.slots, key=lambda slot: (slot.blocked_until is None, slot.blocked_until))
    plan = build(basis, first, basis.ranked, basis.effort, limits_for(basis, first))
    return Shortfall(
        needed=plan.requests,
        available=0,
        account=first.account,
        window=first.blocked_by,
        retry_at=first.blocked_until,
        how=_last_step(basis.budget),
        plan=plan,
    )


def _plan_on(basis: Basis, slot: SlotView) -> Plan | Shortfall:
    limits = limits_for(basis, slot)
    full = build(basis, slot, basis.ranked, basis.effort, limits)
    if fits(full):
        return full
    tried: Plan = full
    if "degrade" in basis.budget.on_short:
        for tried in _degraded(basis, slot, full, limits):
            if fits(tried):
                return tried
    binding = tried.allowed.binding
    return Shortfall(
        needed=tried.requests,
        available=tried.allowed.requests or 0,
        account=slot.account,
        window=binding.id if binding else None,
        retry_at=binding.resets_at if binding else None,
        how=_last_step(basis.budget),
        plan=tried,
    )


def _last_step(budget: Budget) -> Literal["defer", "fail"]:
    return "defer" if "defer" in budget.on_short else "fail"


def _degraded(basis: Basis, slot: SlotView, full: Plan, limits: Limits) -> list[Plan]:
    """Ever smaller plans: one vote, low effort, larger units, fewer files."""
    single = build(basis, slot, basis.ranked, basis.effort, limits, ("votes",))
    low = build(basis, slot, basis.ranked, "low", limits, ("votes", "effort"))
    larger = _larger(limits, slot, basis)
    wide = build(basis, slot, basis.ranked, "low", larger, ("votes", "effort", "units"))
    fewer = _fewer_files(basis, slot, larger, full)
    return [single, low, wide, *([fewer] if fewer else [])]


def _fewer_files(basis: Basis, slot: SlotView, limits: Limits, full: Plan) -> Plan | None:
    """As many files as there is room for, highest risk first; None below 60 % of the changed source lines."""
    words = ("votes", "effort", "units", "files")
    order = sorted(basis.ranked, key=lambda entry: (-entry.risk.score, entry.file.path))
    low, high = 0, len(order)
    best: Plan | None = None
    while low < high:
        middle = (low + high + 1) // 2
        plan = build(basis, slot, order[:middle], "low", limits, words)
        if fits(plan):
            low, best = middle, plan
        else:
            high = middle - 1
    if best is None or _source_share(order[:low], order) < _LEAST_SOURCE_SHARE:
        return None
    return structs.replace(best, skipped=tuple(sorted(entry.file.name for entry in order[low:])))


def _source_share(kept: Sequence[Ranked], everything: Sequence[Ranked]) -> Decimal:
    def lines(entries: Sequence[Ranked]) -> int:
        return sum(entry.file.changed for entry in entries if is_source(entry.file.name))

    total = lines(everything)
    return Decimal(lines(kept)) / total if total else Decimal(bool(kept))


def limits_for(basis: Basis, slot: SlotView) -> Limits:
    """The unit limits of an objective, held under the smallest window and body of every slot that may answer."""
    limits = LIMITS[slot.objective]
    windows = [other.context_length for other in basis.slots if other.context_length]
    bodies = [other.body_limit for other in basis.slots if other.body_limit]
    room = [limits.tokens]
    room += [int(_CONTEXT_SHARE * length) - OUTPUT_LIMITS["generate"][1] - basis.prefix_tokens for length in windows]
    room += [tokens_of(size * 3 // 4) - basis.prefix_tokens for size in bodies]
    return structs.replace(limits, tokens=max(min(room), 2_000))


def _larger(limits: Limits, slot: SlotView, basis: Basis) -> Limits:
    wide = Limits(tokens=limits.tokens * _LARGER, changed=limits.changed * _LARGER, files=limits.files * _LARGER)
    length = min((other.context_length for other in basis.slots if other.context_length), default=None)
    if length is None:
        return wide
    room = int(_CONTEXT_SHARE * length) - OUTPUT_LIMITS["generate"][1] - basis.prefix_tokens
    body = tokens_of(slot.body_limit * 3 // 4) - basis.prefix_tokens if slot.body_limit else room
    return structs.replace(wide, tokens=max(min(wide.tokens, room, body), limits.tokens))


def build(
    basis: Basis,
    slot: SlotView | None,
    ranked: Sequence[Ranked],
    effort: Effort,
    limits: Limits,
    degraded: tuple[str, ...] = (),
) -> Plan:
    """A plan of these files at this effort, with its estimate; whether it fits is another question."""
    units = pack(ranked, limits)
    objective: Objective = slot.objective if slot is not None else "request"
    votes = {} if "votes" in degraded else _votes(units, effort, objective)
    expected = expected_survivors(units)
    plan = Plan(
        objective=objective,
        effort=effort,
        units=units,
        votes=votes,
        verify_calls=0 if effort == "low" or not units else -(-int(expected) // VERIFY_BATCH),
        reserve=max(-(-len(units) // 10), 1) if len(units) > 1 else 0,
        degraded=degraded,
        slot=slot,
        allowed=allowance(slot, basis.budget.max_share, basis.budget.floor) if slot is not None else Allowance(),
    )
    work = Work(
        units=units,
        votes=votes,
        generate_calls=plan.generate_calls,
        verify_calls=plan.verify_calls,
        requests=plan.requests,
    )
    return structs.replace(plan, estimate=estimate(work, slot, basis.prefix_tokens))


def _votes(units: Sequence[Unit], effort: Effort, objective: Objective) -> dict[str, int]:
    if effort == "high":
        return {unit.id: 3 for unit in units if unit.risk >= HIGH_RISK}
    if effort == "medium" and objective == "token":
        return {unit.id: 2 for unit in units if unit.risk >= HIGH_RISK}
    return {}


def fits(plan: Plan) -> bool:
    """Whether a plan stays within what the account allows; the review's own budget is enforced call by call."""
    allowed = plan.allowed
    if allowed.requests is not None and plan.requests > allowed.requests:
        return False
    cost = plan.estimate.cost
    return (
        allowed.money is None
        or cost is None
        or cost.currency != allowed.money.currency
        or cost.amount <= allowed.money.amount
    )


def cost_limit(budget: Budget) -> Money | None:
    return parse_money(budget.max_cost)
