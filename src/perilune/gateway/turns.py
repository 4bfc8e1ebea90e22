"""A request's turn by the rates of its group: taken behind the lease, settled by what was really used. Source: 6.5."""

from datetime import timedelta

from perilune.dialects.usage import Usage
from perilune.gateway.admission.rates import Debit
from perilune.gateway.call import Call
from perilune.gateway.ports import Wanted
from perilune.gateway.setup import Services
from perilune.gateway.shaping import Shaper
from perilune.gateway.slots import Slot
from perilune.gateway.tally import Tally
from perilune.providers.contract.outcome import Outcome
from perilune.providers.contract.outcome import OutcomeClass as Is


async def take_turn(
    services: Services, tally: Tally, call: Call, slot: Slot, model: str, shaper: Shaper, longest_s: float
) -> Debit | Outcome | None:
    """The right to send; the outcome of a slot that its rates let nothing through in time, or a budget nothing at all.

    The debit is None where no rate is known.
    """
    gate = services.rates.gate(slot.group)
    is_limited = services.purse.concerns(call.owner, call.limits, slot)
    if gate is None and not is_limited:
        return None
    output_tokens = _requested(services, slot, model, shaper)
    debit: Debit | None = None
    if gate is not None:
        admitted = await gate.admit(shaper.prompt_tokens + output_tokens, longest_s)
        if isinstance(admitted, float):
            retry_at = services.now() + timedelta(seconds=admitted)
            return Outcome(kind=Is.RATE_OTHER, code="PL-429-RATE", retry_at=retry_at)
        debit = admitted
    refused = await _held(services, tally, call, slot, model, shaper, output_tokens) if is_limited else None
    if refused is not None and debit is not None:
        debit.refund()
    return refused or debit


async def _held(
    services: Services, tally: Tally, call: Call, slot: Slot, model: str, shaper: Shaper, output_tokens: int
) -> Outcome | None:
    """Hold what the request may cost; the outcome where a budget does not allow it."""
    wanted = Wanted(
        request=tally.id, owner=call.owner, key=call.limits, slot=slot, model=model,
        prompt_tokens=shaper.prompt_tokens, output_tokens=output_tokens,
    )  # fmt: skip
    held = await services.purse.hold(wanted)
    if isinstance(held, Outcome):
        return held
    tally.counts = tuple({(one.budget, one.period): one for one in (*tally.counts, *held)}.values())
    return None


def settle(debit: Debit | None, usage: Usage | None) -> None:
    """Give back what was reserved beyond the real use; where that is not known, nothing."""
    if debit is not None and usage is not None:
        debit.settle((usage.input_total or 0) + (usage.output_total or 0))


def _requested(services: Services, slot: Slot, model: str, shaper: Shaper) -> int:
    """The output limit that the vendor counts: the one asked for, else the model's own."""
    traits = services.accounts.traits(slot.account, slot.plan.id, model)
    asked = shaper.body.head.max_output or (0 if traits is None else traits.max_output_default)
    cap = slot.config.max_output_tokens
    return asked if cap is None else min(asked, cap)
