"""A request's turn by the rates of its group: taken behind the lease, settled by what was really used. Source: 6.5."""

from perilune.dialects.usage import Usage
from perilune.gateway.admission.rates import Debit
from perilune.gateway.setup import Services
from perilune.gateway.shaping import Shaper
from perilune.gateway.slots import Slot


async def take_turn(
    services: Services, slot: Slot, model: str, shaper: Shaper, longest_s: float
) -> Debit | float | None:
    """The right to send; None where no rate is known, the seconds still to wait where it takes longer than allowed."""
    gate = services.rates.gate(slot.group)
    if gate is None:
        return None
    return await gate.admit(shaper.prompt_tokens + _requested(services, slot, model, shaper), longest_s)


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
