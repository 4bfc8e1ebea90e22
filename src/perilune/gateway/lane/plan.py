"""Plans: what becomes of bodies of one form on each slot of their route, found out by the general path's own means."""

import asyncio

from msgspec import Struct
from msgspec.structs import replace

from perilune.catalog.models import Model
from perilune.catalog.plan import Surface
from perilune.core.errors import RequestError
from perilune.dialects.head import Body, Head
from perilune.dialects.target import Hooks
from perilune.gateway.answering import headers_to_vendor, own_headers
from perilune.gateway.call import Call
from perilune.gateway.choosing import Chooser, shaper_of
from perilune.gateway.clocks import LARGE_PROMPT_TOKENS, Clocks
from perilune.gateway.lane.template import Parts, parts_of
from perilune.gateway.limits import Limits, first_limit
from perilune.gateway.record import Constant
from perilune.gateway.setup import Services, Setup
from perilune.gateway.shaping import Corrections, Prepared, Shaper
from perilune.gateway.slots import Route, Slot
from perilune.gateway.state_rules import Scope
from perilune.gateway.thoughts import session_of
from perilune.net.upstream import Clock, Connection, Target, written_head


class Way(Struct, kw_only=True):
    """How bodies of one form go to one slot and back.

    Shape: `before` and `after` stand around the turns when the body leaves; `head` is written up to its length; `tail`
    are our own headers between the request's id and its overhead, `end` those behind it; `prepared` has an empty body.
    Units: `longest` bytes of a body.
    """

    model: str
    traits: Model | None
    target: Target
    head: bytes
    before: bytes
    after: bytes
    prepared: Prepared
    tail: bytes
    end: bytes
    longest: int
    constant: Constant
    alone: tuple[float, Clock]
    with_others: tuple[float, Clock]
    pool: list[Connection] | None = None


class SlotPlan(Struct, frozen=True, kw_only=True):
    """One slot for bodies of one form.

    Shape: `watched` are all scopes that may have a say, `scopes` those of the slot; `way` is None where the lane leaves
    the slot alone, `depends_on_size` says that a body's size may be a reason against the slot.
    """

    slot: Slot
    surface: Surface
    scopes: tuple[str, ...]
    watched: tuple[str, ...]
    depends_on_size: bool
    way: Way | None


class Plan(Struct, kw_only=True):
    """What becomes of bodies of one form. `slots` in the route's order."""

    route: Route
    session: str | None
    model_asked: str
    is_stream: bool
    slots: tuple[SlotPlan, ...]


def plan_of(services: Services, setup: Setup, call: Call, clocks: Clocks, parts: Parts) -> Plan | None:
    """The plan for bodies like this one; None where the general path is needed for some reason."""
    try:
        body = Body(call.body)
    except RequestError:
        return None
    head = body.head
    place = next((one for one in body.places if one.key == "messages"), None)
    is_split_right = place is not None and (place.value, place.end) == (
        len(parts[0]),
        len(call.body) - len(parts[2]),
    )
    route = setup.routes.match(head.model)
    if not is_split_right or route is None or not route.slots or "tools" in body.members:
        return None
    if head.previous_response_id is not None or (head.stream and setup.config.keepalive_after_s):
        return None
    session = session_of(call.headers, head.prompt_cache_key)
    shaper = shaper_of(setup, call, body, session)
    chooser = Chooser(services, setup, call, route, shaper, session)
    slots = tuple(_slot_plan(services, call, clocks, chooser, shaper, slot, parts, route) for slot in route.slots)
    return Plan(route=route, session=session, model_asked=head.model[:200], is_stream=bool(head.stream), slots=slots)


def _slot_plan(
    services: Services,
    call: Call,
    clocks: Clocks,
    chooser: Chooser,
    shaper: Shaper,
    slot: Slot,
    parts: Parts,
    route: Route,
) -> SlotPlan:
    surface = chooser.surface_of(slot)
    scopes = chooser.scopes_of(slot, surface)
    return SlotPlan(
        slot=slot,
        surface=surface,
        scopes=scopes,
        watched=(*scopes, slot.scope_of(Scope.AGENT, "chat", chooser.agent_product, "")),
        depends_on_size=slot.config.max_input_tokens is not None,
        way=_way(services, call, clocks, chooser, shaper, slot, surface, parts, route),
    )


def _way(
    services: Services,
    call: Call,
    clocks: Clocks,
    chooser: Chooser,
    shaper: Shaper,
    slot: Slot,
    surface: Surface,
    parts: Parts,
    route: Route,
) -> Way | None:
    model = chooser.model_of(slot)
    traits = services.accounts.traits(slot.account, slot.plan.id, model)
    try:
        prepared = shaper.prepare(slot, surface, traits, Hooks(seal=services.seal), Corrections())
    except RequestError:
        return None
    leaving = parts_of(prepared.body)
    is_relayed = prepared.is_relayed and prepared.is_stream == bool(shaper.body.head.stream)
    if not is_relayed or prepared.wants_thoughts or leaving is None or leaving[1] != parts[1]:
        return None
    headers = headers_to_vendor(
        slot, surface, call.headers, passes_agent=chooser.passes_agent, is_stream=prepared.is_stream
    )
    target = slot.target(surface)
    ours = own_headers("", route.name, slot.account, 1, prepared.adjusted, 0.0)
    lines = [f"{name}: {value}\r\n".encode("latin-1") for name, value in ours]
    return Way(
        model=model,
        traits=traits,
        target=target,
        head=written_head("POST", target, headers),
        before=leaving[0],
        after=leaving[2],
        prepared=replace(prepared, body=b""),
        tail=b"".join(lines[1:4]),
        end=b"".join(lines[5:]),
        alone=_first(clocks, slot, is_stream=prepared.is_stream, has_other=False),
        with_others=_first(clocks, slot, is_stream=prepared.is_stream, has_other=True),
        constant=_constant(call, route, slot, surface, prepared, shaper.body.head, chooser.session),
        longest=_longest(traits, slot, shaper.body.head, Body(prepared.body).head),
    )


def limits_of(clocks: Clocks, slot: Slot, began: float, *, has_other: bool) -> Limits:
    """The clocks of an attempt that began at this time."""
    return Limits(
        connect_s=clocks.connect_s,
        first_s=clocks.first_for(slot.config, 0) if has_other else None,
        answer_s=clocks.answer_s,
        idle_s=clocks.idle_s,
        until=began + clocks.total_s,
        commit_at=began + (clocks.client_s or clocks.total_s),
    )


def _first(clocks: Clocks, slot: Slot, *, is_stream: bool, has_other: bool) -> tuple[float, Clock]:
    now = asyncio.get_running_loop().time()
    return first_limit(limits_of(clocks, slot, now, has_other=has_other), now, is_stream=is_stream)


def _constant(
    call: Call, route: Route, slot: Slot, surface: Surface, prepared: Prepared, head: Head, session: str | None
) -> Constant:
    return Constant(
        owner=call.owner,
        key_id=call.key_id,
        session=session,
        route=route.name,
        surface=surface,
        model_asked=head.model[:200],
        account=slot.account,
        plan=slot.plan.id,
        region=None if slot.region is None else slot.region.id,
        model=prepared.model,
        adjusted=prepared.adjusted,
        priority=call.priority.name.lower(),
    )


def _longest(traits: Model | None, slot: Slot, *heads: Head) -> int:
    """Up to how many bytes nothing depends on the number of the prompt's tokens."""
    longest = LARGE_PROMPT_TOKENS
    if traits is not None and traits.context is not None:
        cap = slot.config.max_output_tokens or 0
        for head in heads:
            longest = min(longest, traits.context - max(head.max_output or traits.max_output_default, cap))
    return longest
