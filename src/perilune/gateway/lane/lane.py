"""Taking a request on the fast lane, or leaving it to the general path as if nobody had looked."""

import asyncio
from collections.abc import Callable
from datetime import datetime

from perilune.gateway.call import Call
from perilune.gateway.core import Core
from perilune.gateway.door import Door
from perilune.gateway.lane.facts import Facts, NotForUs, facts_of
from perilune.gateway.lane.first import FirstAttempt
from perilune.gateway.lane.plan import Plan, SlotPlan, Way, plan_of
from perilune.gateway.lane.template import Parts, are_plain, parts_of
from perilune.gateway.server import Surface
from perilune.gateway.usability import by_verdict
from perilune.net.server import Head, ServerConnection
from perilune.net.upstream import ThinClient

_MOST_PLANS = 64
_UNKNOWN = object()


class Lane:
    """The fast lane of one gateway. Belongs to one event loop."""

    def __init__(self, core: Core, surface: Surface, door: Callable[[], Door], client: ThinClient) -> None:
        self.core = core
        self.surface = surface
        self.client = client
        self.services = core.services
        self.loop = asyncio.get_running_loop()
        self._door = door

    def wants(self, head: Head, length: int) -> bool:
        """Whether a body is to be read before anybody is asked: who may ask at all is known by then."""
        return length <= self.core.setup.config.body_max and isinstance(self._facts(head), Facts)

    def take(self, connection: ServerConnection, head: Head, body: bytes) -> bool:
        """Answer a request; False where the general path has to."""
        facts = self._facts(head)
        if not isinstance(facts, Facts) or self.core.is_stopping:
            return False
        parts = parts_of(body)
        if parts is None or not are_plain(facts.front, parts.turns):
            return False
        plan: object = facts.plans.get((parts.before, parts.after), _UNKNOWN)
        if plan is _UNKNOWN:
            plan = self._planned(facts, head, body, parts)
        if not isinstance(plan, Plan):
            return False
        return self._begin(connection, head, facts, plan, body, parts)

    def _facts(self, head: Head) -> Facts | NotForUs:
        known, now_s = head.memo, self.loop.time()
        door, setup = self._door(), self.core.setup
        if isinstance(known, (Facts, NotForUs)) and known.door is door and known.setup is setup:
            if now_s < known.until:
                return known
            fresh = facts_of(head, door, setup, now_s)
            if isinstance(fresh, Facts) and isinstance(known, Facts) and fresh.owner == known.owner:
                fresh.plans = known.plans
        else:
            fresh = facts_of(head, door, setup, now_s)
        head.memo = fresh
        return fresh

    def _planned(self, facts: Facts, head: Head, body: bytes, parts: Parts) -> Plan | None:
        if not self.services.states.is_quiet:
            return None  # an open scope may change what would be planned
        if len(facts.plans) >= _MOST_PLANS:
            facts.plans.clear()
        plan = plan_of(self.services, facts.setup, self._call(facts, head, body), parts)
        facts.plans[parts.before, parts.after] = plan
        return plan

    def _begin(
        self, connection: ServerConnection, head: Head, facts: Facts, plan: Plan, body: bytes, parts: Parts
    ) -> bool:
        services = self.services
        now = services.now()
        chosen, has_other = self._chosen(plan, now, len(body))
        if chosen is None or chosen.way is None or not self._is_plain(chosen, chosen.way, plan, now, len(body)):
            return False
        vendor = self.client.idle(chosen.way.target)
        if vendor is None:
            return False
        lease = services.admission.take_now(chosen.slot.group, facts.owner, facts.priority)
        if lease is None:
            self.client.give_back(chosen.way.target, vendor)
            return False
        call = self._call(facts, head, body)
        first = FirstAttempt(self, connection, call, plan, chosen, chosen.way, lease, vendor, now)
        first.send(facts.clocks, parts, has_other=has_other)
        return True

    def _chosen(self, plan: Plan, now: datetime, size: int) -> tuple[SlotPlan | None, bool]:
        """The first slot that can be used now, and whether another one could be; None where that is not plain."""
        chosen: SlotPlan | None = None
        for slot in plan.slots:
            use = self._use_of(slot, now, size)
            if use is None:
                return None, False
            if use and chosen is not None:
                return chosen, True
            chosen = slot if use else chosen
        return chosen, False

    def _use_of(self, planned: SlotPlan, now: datetime, size: int) -> bool | None:
        """Whether a slot can be used now; None where the general path has to look closer."""
        services, slot = self.services, planned.slot
        if not services.states.is_quiet and services.states.first_open(planned.watched) is not None:
            return False if services.states.blocking(planned.scopes, now) is not None else None
        if by_verdict(slot, services.accounts, now) is not None:
            return False
        if planned.depends_on_size or slot.sender.refuse_before(size) is not None:
            return None
        return True

    def _is_plain(self, chosen: SlotPlan, way: Way, plan: Plan, now: datetime, size: int) -> bool:
        """Whether a request to this slot is what the plan was made for."""
        services, slot = self.services, chosen.slot
        if size > way.longest or services.rates.gate(slot.group) is not None:
            return False
        if services.accounts.traits(slot.account, slot.plan.id, way.model) is not way.traits:
            return False
        if services.live_traits.knows(slot.account, way.model, chosen.surface):
            return False
        return plan.session is None or len(plan.slots) == 1 or not services.stays.has(plan.route.name, plan.session)

    def _call(self, facts: Facts, head: Head, body: bytes) -> Call:
        return Call(
            front=facts.front,
            body=body,
            headers=head.headers,
            owner=facts.owner,
            key_id=facts.key_id,
            priority=facts.priority,
        )
