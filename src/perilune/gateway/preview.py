"""What would leave for each slot of a route, by the pipeline that real requests take; nothing is sent."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from msgspec import Struct

from perilune.catalog.plan import Surface
from perilune.config.overrides import unwrapped
from perilune.core.decoding import decoded
from perilune.core.errors import Problem
from perilune.dialects.form import Dialect
from perilune.dialects.head import Body
from perilune.dialects.target import Hooks
from perilune.gateway.core import Core
from perilune.gateway.lint import Looked, lints
from perilune.gateway.shaping import Corrections, Shaper
from perilune.gateway.slots import Route, Slot
from perilune.providers.contract.registry import providers
from perilune.providers.contract.send import Choice

Cause = Literal["override", "slot", "rule"]
_THINKING_FIELDS = ("thinking", "reasoning_effort", "reasoning", "output_config")


class Change(Struct, frozen=True):
    """One top-level key that leaves otherwise than it came; JSON texts, None where the key is not there."""

    key: str
    before: str | None
    after: str | None
    cause: Cause


class Preview(Struct, frozen=True, kw_only=True):
    """One slot's body for a request. Shape: `same` are the keys that leave as they came."""

    slot: str
    surface: Surface
    body: bytes
    same: tuple[str, ...]
    changes: tuple[Change, ...]
    adjusted: tuple[str, ...]
    lints: tuple[Problem, ...]


def preview_route(core: Core, route: Route, front: Dialect, body: bytes) -> list[Preview]:
    """What leaves for each slot of the route. Raises: RequestError as a real request would."""
    return [preview_slot(core, slot, front, body) for slot in route.slots]


def preview_slot(core: Core, slot: Slot, front: Dialect, body: bytes) -> Preview:
    """What leaves for one slot: surface, body, what is other than the client said and why, and what is odd.

    Raises: RequestError as a real request would.
    """
    asked = Body(body)
    shaper = Shaper(front, asked, stream_upstream=core.setup.config.stream_upstream)
    surface = slot.sender.choose_surface(Choice(plan=slot.plan, front=front, wanted=slot.config.surface))
    model = slot.config.model or asked.head.model
    traits = core.services.accounts.traits(slot.account, slot.plan.id, model)
    hooks = Hooks(seal=core.services.seal)
    prepared = shaper.prepare(slot, surface, traits, hooks, Corrections())
    before, after = _texts(body), _texts(prepared.body)
    names = [*after, *(name for name in before if name not in after)]
    override = unwrapped(slot.config.override or {}, providers())
    return Preview(
        slot=slot.name,
        surface=surface,
        body=prepared.body,
        same=tuple(name for name in names if before.get(name) == after.get(name)),
        changes=tuple(
            Change(name, before.get(name), after.get(name), _cause(name, slot, override))
            for name in names
            if before.get(name) != after.get(name)
        ),
        adjusted=prepared.adjusted,
        lints=lints(Looked(slot=slot, model=model, traits=traits, body=prepared.body)),
    )


def _cause(name: str, slot: Slot, override: Mapping[str, Any]) -> Cause:
    if name in override:
        return "override"
    is_slots = (name == "model" and slot.config.model) or (name in _THINKING_FIELDS and slot.config.thinking)
    return "slot" if is_slots else "rule"


def lint_slot(core: Core, slot: Slot) -> tuple[Problem, ...]:
    """What is odd about a slot's settings, seen on a small request in its own dialect."""
    front = Dialect(slot.plan.surfaces[0])
    said: dict[str, object] = {"model": slot.config.model or "model", "max_tokens": 64}
    said |= {"input": "ping"} if front is Dialect.RESPONSES else {"messages": [{"role": "user", "content": "ping"}]}
    return preview_slot(core, slot, front, msgspec.json.encode(said)).lints


def _texts(body: bytes) -> dict[str, str]:
    members: dict[str, msgspec.Raw] = decoded(body, dict[str, msgspec.Raw])
    return {name: bytes(raw).decode() for name, raw in members.items()}
