"""Choosing the next slot of a route for one request, and waiting for a place on it."""

import asyncio

from msgspec import Struct

from perilune.catalog.agents import Agent
from perilune.catalog.plan import Surface
from perilune.dialects.head import Body
from perilune.gateway.admission import Lease, Priority, Refused
from perilune.gateway.admission.rates import Debit
from perilune.gateway.call import Attempt, Call
from perilune.gateway.clocks import Clocks
from perilune.gateway.failures import plain_outcome
from perilune.gateway.ordering import least_used, preferred
from perilune.gateway.setup import Services, Setup
from perilune.gateway.shaping import Shaper
from perilune.gateway.slots import Route, Slot
from perilune.gateway.state_rules import Scope
from perilune.gateway.usability import by_state, by_verdict
from perilune.providers.contract.outcome import Outcome
from perilune.providers.contract.outcome import OutcomeClass as Is
from perilune.providers.contract.send import Choice

_MOST_AGENTS = 1000
_QUOTA_PATIENCE_S = 20.0
_LOOK_AGAIN_S = 1.0
_MAY_HAVE_CHANGED_S = 0.005


class Place(Struct, kw_only=True):
    """A slot with the right to use it now.

    Shape: `permits` are the half-open scopes this request tries for all, `debit` what it took of the group's rates.
    """

    slot: Slot
    surface: Surface
    scopes: tuple[str, ...]
    lease: Lease
    permits: tuple[str, ...] = ()
    debit: Debit | None = None


class Full(Struct, frozen=True):
    """No place: the line was full, or the deadline passed in it."""

    slot: Slot
    refused: Refused


def shaper_of(setup: Setup, call: Call, body: Body, session: str | None) -> Shaper:
    """The shaper of one request."""
    return Shaper(call.front, body, stream_upstream=setup.config.stream_upstream, session=session)


def _agent_of(setup: Setup, user_agent: str | None) -> Agent | None:
    """The listed agent of a User-Agent; the few that are in use are looked up once."""
    if not user_agent:
        return None
    known = setup.known_agents
    if user_agent not in known:
        if len(known) > _MOST_AGENTS:
            known.clear()
        known[user_agent] = setup.agents.named_by(user_agent)
    return known[user_agent]


class Chooser:
    """The slots of one request: tried, skipped, still to come."""

    def __init__(
        self, services: Services, setup: Setup, call: Call, route: Route, shaper: Shaper, session: str | None
    ) -> None:
        self._services = services
        self._setup = setup
        self._call = call
        self._route = route
        self._shaper = shaper
        self.session = session
        self.done: set[str] = set()
        self.asked: set[tuple[str, str]] = set()
        self.skips: dict[str, Attempt] = {}
        self.again: Slot | None = None
        self.at_head = False
        self.least_window = 0
        self.waited_s = 0.0
        self._agent = _agent_of(setup, call.headers.get("user-agent"))
        self._passes = setup.config.forward_user_agent == "auto"

    @property
    def passes_agent(self) -> bool:
        """True when the caller is a listed agent whose own name may be passed along."""
        return self._passes and self._agent is not None

    @property
    def agent_product(self) -> str:
        """The agent's product, `-` for any other caller."""
        return "-" if self._agent is None else self._agent.product

    def model_of(self, slot: Slot) -> str:
        """The model asked of this slot."""
        return slot.config.model or self._shaper.body.head.model

    def surface_of(self, slot: Slot) -> Surface:
        """The surface behind, by the provider's rule."""
        gated = False
        if not self._services.states.is_quiet:
            scope = slot.scope_of(Scope.AGENT, "chat", self.agent_product, "")
            gated = self._services.states.blocking((scope,), self._services.now()) is not None
        choice = Choice(
            plan=slot.plan,
            front=self._call.front,
            agent_listed=self.passes_agent,
            gated=gated,
            wanted=slot.config.surface,
        )
        return slot.sender.choose_surface(choice)

    def scopes_of(self, slot: Slot, surface: str) -> tuple[str, ...]:
        """Every scope whose state this slot depends on."""
        return tuple(slot.scope_of(scope, surface, self.agent_product, self.model_of(slot)) for scope in Scope)

    def usable(self) -> list[Slot]:
        """The slots that can be used now, in order; each other one is noted as skipped."""
        if self.again is not None:
            return [self.again]
        found = [slot for slot in self._route.slots if self._is_usable(slot)]
        priority, now = self._call.priority, self._services.now
        if found:
            found = preferred(self._route, found, priority, self._services.accounts, now())
        else:
            found = least_used(self._route.slots, self.skips, self.done, priority)
        stay = self._stay(found)
        return found if stay is None else [stay, *(slot for slot in found if slot is not stay)]

    async def place(self, deadline: float, clocks: Clocks) -> Place | Full | None:
        """The next slot with a lease; Full when the wait was too long, None when no slot is left."""
        loop = asyncio.get_running_loop()
        while True:
            slots = self.usable()
            if not slots:
                return None
            began = loop.time()
            taken = await self._lease(slots, deadline, clocks)
            waited_s = loop.time() - began
            self.waited_s += waited_s
            if isinstance(taken, Full):
                return taken
            slot, lease = taken
            place = self._admitted(slot, lease, has_waited=waited_s > _MAY_HAVE_CHANGED_S)
            if place is not None:
                self.again = None
                self.at_head = False
                return place

    def _admitted(self, slot: Slot, lease: Lease, *, has_waited: bool) -> Place | None:
        """The lease turned into a place, unless the slot closed while we waited for it."""
        surface = self.surface_of(slot)
        if not self._services.room.take(slot, self._call.priority, self._services.now()) and not self._call.insists:
            lease.release()
            self.again = None
            return None
        if slot is self.again:
            return Place(slot=slot, surface=surface, scopes=self.scopes_of(slot, surface), lease=lease)
        if has_waited and slot not in self.usable():
            self._left(slot, lease)
            return None
        is_free = self._services.states.is_quiet or self._call.insists
        scopes = () if is_free else self.scopes_of(slot, surface)
        permits = self._services.states.admit(scopes, self._services.now()) if scopes else ()
        if permits is None:
            self._left(slot, lease)
            state = self._services.states.first_open(scopes)
            self._skip(slot, by_state(state) if state is not None else plain_outcome(Is.BUSY))
            self.done.add(slot.name)
            self.again = None
            return None
        return Place(slot=slot, surface=surface, scopes=scopes, lease=lease, permits=permits)

    def _left(self, slot: Slot, lease: Lease) -> None:
        """The place is not taken after all."""
        self._services.room.give_back(slot)
        lease.release()

    def _is_usable(self, slot: Slot) -> bool:
        if slot.name in self.done or (slot.account, self.model_of(slot)) in self.asked:
            return False
        reason = self._reason_against(slot)
        if reason is None:
            self.skips.pop(slot.name, None)
            return True
        self._skip(slot, reason)
        return False

    def _reason_against(self, slot: Slot) -> Outcome | None:
        services = self._services
        now = services.now()
        if self._call.insists:
            return self._too_large_for(slot)
        if not services.states.is_quiet:
            state = services.states.blocking(self.scopes_of(slot, self.surface_of(slot)), now)
            if state is not None:
                return by_state(state)
        blocked = services.purse.stop(slot) or by_verdict(slot, services.accounts, now)
        blocked = blocked or services.room.reason(slot, self._call.priority, now)
        return blocked or self._too_large_for(slot)

    def _too_large_for(self, slot: Slot) -> Outcome | None:
        limit = slot.config.max_input_tokens
        if limit is not None and self._shaper.prompt_tokens > limit:
            need = self._shaper.prompt_tokens
            return Outcome(kind=Is.CONTEXT_OVERFLOW, code="PL-400-TOKENS", limit=limit, need=need)
        if self.least_window:
            traits = self._services.accounts.traits(slot.account, slot.plan.id, self.model_of(slot))
            window = traits.context if traits is not None else None
            if window is not None and window <= self.least_window:
                return Outcome(kind=Is.CONTEXT_OVERFLOW, code="PL-400-TOKENS", limit=window)
        found = self._shaper.refused_before(slot)
        if found is None:
            return None
        return Outcome(kind=found.kind, code="PL-400-BODY", limit=found.limit, need=found.need)

    def pass_over(self, slot: Slot, outcome: Outcome) -> None:
        """A slot that could not be sent to after all: skipped, and not looked at again."""
        self._skip(slot, outcome)
        self.done.add(slot.name)
        self.again = None

    def _skip(self, slot: Slot, outcome: Outcome) -> None:
        self.skips[slot.name] = Attempt(
            slot=slot.name,
            account=slot.account,
            model=self.model_of(slot),
            surface=None,
            outcome=outcome,
            started_at=self._services.now(),
            is_skipped=True,
        )

    def _stay(self, usable: list[Slot]) -> Slot | None:
        if self.session is None or self._setup.config.stickiness == "off" or len(usable) < 2:
            return None
        main = self._route.slots[0]
        name = self._services.stays.slot_of(
            self._route.name,
            self.session,
            self._services.now(),
            money_instead_of_quota=main.costs_quota and not usable[-1].costs_quota,
        )
        return next((slot for slot in usable if slot.name == name), None)

    async def _lease(self, slots: list[Slot], deadline: float, clocks: Clocks) -> tuple[Slot, Lease] | Full:
        owner, priority = self._call.owner, self._call.priority
        first = slots[0]
        admission = self._services.admission
        if not self.at_head:
            lease = await admission.try_acquire(first.group, owner, priority)
            if lease is not None:
                return first, lease
        on_full = self._route.config.on_full
        if on_full == "next":
            taken = await self._any_free(slots[1:])
            if taken is not None:
                return taken
        left = deadline - asyncio.get_running_loop().time()
        wait_s = max(left if priority is Priority.BATCH else min(clocks.queue_s, left), 0)
        ticket = admission.join(first.group, owner, priority, wait_s, at_head=self.at_head)
        if isinstance(ticket, Refused):
            return Full(first, ticket)
        try:
            patience = 0.0 if on_full == "next" else self._patience(slots, clocks)
            answer = await ticket.wait(None if on_full == "stay" or len(slots) == 1 else patience)
            while answer is None:
                taken = await self._any_free(slots[1:])
                if taken is not None:
                    return taken
                answer = await ticket.wait(_LOOK_AGAIN_S)
            return Full(first, answer) if isinstance(answer, Refused) else (first, answer)
        finally:
            ticket.leave()

    def _patience(self, slots: list[Slot], clocks: Clocks) -> float:
        leaves_quota = len(slots) > 1 and slots[0].costs_quota and not slots[1].costs_quota
        return max(clocks.patience_s, _QUOTA_PATIENCE_S) if leaves_quota else clocks.patience_s

    async def _any_free(self, slots: list[Slot]) -> tuple[Slot, Lease] | None:
        for slot in slots:
            lease = await self._services.admission.try_acquire(slot.group, self._call.owner, self._call.priority)
            if lease is not None:
                return slot, lease
        return None
