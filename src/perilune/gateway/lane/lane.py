"""Taking a request on the fast lane, or leaving it to the general path as if nobody had looked."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from time import perf_counter

from perilune.gateway.admission import Priority
from perilune.gateway.call import Call
from perilune.gateway.core import Core
from perilune.gateway.delivery import remember_success
from perilune.gateway.door import Door
from perilune.gateway.flow import RelayFlow
from perilune.gateway.lane import handover
from perilune.gateway.lane.facts import Facts, Known, facts_of
from perilune.gateway.lane.first import FirstAttempt
from perilune.gateway.lane.plan import Plan, SlotPlan, Way, plan_of
from perilune.gateway.lane.template import Parts, are_plain, parts_of
from perilune.gateway.limits import first_limit, next_limit
from perilune.gateway.record import PlainRecord
from perilune.gateway.server import Surface
from perilune.gateway.usability import by_verdict
from perilune.net.server import Head, ServerConnection
from perilune.net.upstream import Clock, Connection, ThinClient

_MOST_PLANS = 16
_UNKNOWN = object()


class Lane:
    """The fast lane of one gateway. Belongs to one event loop. `taken` counts the requests that went on it."""

    def __init__(self, core: Core, surface: Surface, door: Callable[[], Door], client: ThinClient) -> None:
        self.core = core
        self.surface = surface
        self.client = client
        self.services = core.services
        self.time = asyncio.get_running_loop().time
        self.taken = 0
        self._door = door

    def wants(self, head: Head, length: int) -> bool:
        """Whether a body is to be read before anybody is asked: who may ask at all is known by then."""
        return length <= self.core.setup.config.body_max and isinstance(self._facts(head), Facts)

    def take(self, connection: ServerConnection, head: Head, body: bytes) -> bool:
        """Answer a request; False where the general path has to."""
        entered_at = perf_counter()
        facts = self._facts(head)
        if not isinstance(facts, Facts) or self.core.is_stopping:
            return False
        parts = parts_of(body)
        if parts is None or not are_plain(facts.front, parts[1]):
            return False
        plan = facts.plans.get((parts[0], parts[2]), _UNKNOWN)
        if plan is _UNKNOWN:
            plan = self._planned(facts, head, body, parts)
        if not isinstance(plan, Plan):
            return False
        now = self.services.now()
        chosen = self._chosen(plan, facts.priority, now, len(body))
        if chosen is None or chosen.way is None or not self._is_plain(chosen, chosen.way, plan, facts, len(body)):
            return False
        way = chosen.way
        pool = way.pool if way.pool is not None else self._pool_of(way)
        vendor = self.client.idle(way.target, pool)
        if vendor is None:
            return False
        lease = self.services.admission.take_now(chosen.slot.group, facts.owner, facts.priority)
        if lease is None:
            self.client.give_back(way.target, vendor)
            return False
        if not self.services.room.take(chosen.slot, facts.priority, now):
            lease.release()
            self.client.give_back(way.target, vendor)
            return False
        has_other = len(plan.slots) > 1
        began = self.time()
        first = FirstAttempt(
            self, connection, head, facts, plan, chosen, way, lease, vendor, body, now, began, entered_at
        )
        first.has_other = has_other
        self.taken += 1
        before, turns, after = way.before, parts[1], way.after
        length = b"%bcontent-length: %d\r\n\r\n" % (way.head, len(before) + len(turns) + len(after))
        seconds, clock = way.with_others if has_other else way.alone
        first.send(b"".join((length, before, turns, after)), seconds, clock)
        return True

    # -- what a first attempt leaves to others ------------------------------------------------------------------------

    def settled(self, first: FirstAttempt, record: PlainRecord) -> None:
        """A plain success: what it tells of the slot is remembered, and it is in the ledger."""
        services, chosen, plan = self.services, first.chosen, first.plan
        counters = services.counters
        counters.in_flight -= 1
        counters.outcomes["ok"] = counters.outcomes.get("ok", 0) + 1
        for name in first.way.prepared.adjusted:
            counters.adjusted[name] = counters.adjusted.get(name, 0) + 1
        remember_success(services, plan.route, chosen.slot, chosen.scopes, plan.session, services.now())
        services.ledger.record_plain(record)

    def first_limit(self, first: FirstAttempt) -> tuple[float, Clock]:
        """How long until the first byte or content may take from now."""
        return first_limit(handover.limits_of(first), first.began, is_stream=first.plan.is_stream)

    def idle_limit(self, first: FirstAttempt) -> tuple[float, Clock]:
        """How long until the next byte of a whole answer may take from now."""
        return next_limit(handover.limits_of(first))

    def hand_over(self, first: FirstAttempt) -> None:
        """Somebody else's turn."""
        handover.hand_over(self.core, self.surface, first)

    def commit(self, first: FirstAttempt, flow: RelayFlow, held: bytes) -> None:
        """A stream begins."""
        handover.commit(self.core, self.surface, self.client, first, flow, held, self.time())

    def abandon(self, first: FirstAttempt) -> None:
        """Nobody waits any more."""
        handover.abandon(self.core, first)

    def fail(self, first: FirstAttempt, error: Exception) -> None:
        """A fault of ours."""
        handover.fail(self.core, self.surface, first, error)

    # -- may it be taken ----------------------------------------------------------------------------------------------

    def _pool_of(self, way: Way) -> list[Connection]:
        pool = way.pool = self.client.pool(way.target)
        return pool

    def _facts(self, head: Head) -> Known:
        known, now_s = head.memo, self.time()
        door, setup = self._door(), self.core.setup
        is_same = isinstance(known, Known) and known.door is door and known.setup is setup
        if isinstance(known, Known) and is_same and now_s < known.until:
            return known
        fresh = facts_of(head, door, setup, now_s)
        if is_same and isinstance(fresh, Facts) and isinstance(known, Facts) and fresh.is_of(known):
            fresh.plans = known.plans
        head.memo = fresh
        return fresh

    def _planned(self, facts: Facts, head: Head, body: bytes, parts: Parts) -> Plan | None:
        if not self.services.states.is_quiet:
            return None  # an open scope may change what would be planned
        if len(facts.plans) >= _MOST_PLANS:
            facts.plans.clear()
        call = Call(front=facts.front, body=body, headers=head.headers, owner=facts.owner, key_id=facts.key_id)
        plan = plan_of(self.services, facts.setup, call, facts.clocks, parts)
        facts.plans[parts[0], parts[2]] = plan
        return plan

    def _chosen(self, plan: Plan, priority: Priority, now: datetime, size: int) -> SlotPlan | None:
        """The route's first slot where all of them can be used; what is passed over, the general path tells."""
        for planned in plan.slots:
            if not self._is_usable(planned, priority, now, size):
                return None
        return plan.slots[0]

    def _is_usable(self, planned: SlotPlan, priority: Priority, now: datetime, size: int) -> bool:
        services, slot = self.services, planned.slot
        if not services.states.is_quiet and services.states.first_open(planned.watched) is not None:
            return False
        if services.purse.stop(slot) is not None or by_verdict(slot, services.accounts, now) is not None:
            return False
        if services.room.reason(slot, priority, now) is not None:
            return False
        return not planned.depends_on_size and slot.sender.refuse_before(size) is None

    def _is_plain(self, chosen: SlotPlan, way: Way, plan: Plan, facts: Facts, size: int) -> bool:
        """Whether a request to this slot is what the plan was made for."""
        services, slot = self.services, chosen.slot
        if size > way.longest or services.rates.gate(slot.group) is not None:
            return False
        if services.purse.concerns(facts.owner, None, slot):
            return False
        if plan.route.config.prefer != "order" and facts.priority is not Priority.INTERACTIVE:
            return False
        if services.accounts.traits(slot.account, slot.plan.id, way.model) is not way.traits:
            return False
        if services.live_traits.knows(slot.account, way.model, chosen.surface):
            return False
        return plan.session is None or len(plan.slots) == 1 or not services.stays.has(plan.route.name, plan.session)
