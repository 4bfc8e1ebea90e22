"""The gateway: requests, attempts, failovers, caps, times, tokens, cost."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from perilune.faces.metrics.family import Facts, Family, Sample
from perilune.gateway.admission import GroupState
from perilune.gateway.meter import Sums


def _of_sums(pick: Callable[[Sums], Iterable[Sample]]) -> Callable[[Facts], Iterator[Sample]]:
    def samples(facts: Facts) -> Iterator[Sample]:
        if facts.gateway is not None:
            yield from pick(facts.gateway.sums)

    return samples


def _of_groups(figure: Callable[[GroupState], float | None]) -> Callable[[Facts], Iterator[Sample]]:
    def samples(facts: Facts) -> Iterator[Sample]:
        for account, state in facts.gateway.groups.items() if facts.gateway else ():
            value = figure(state)
            if value is not None:
                yield (account,), value

    return samples


def _cost(facts: Facts) -> Iterator[Sample]:
    for labels, amount in facts.gateway.sums.cost.items() if facts.gateway else ():
        yield labels, float(amount)


def _rejected(facts: Facts) -> Iterator[Sample]:
    """Turned away at the door, and those that were taken and found no slot."""
    if facts.gateway is not None:
        counts = facts.gateway.sums.rejected + Counter(facts.gateway.turned_away)
        yield from (((code,), count) for code, count in counts.items())


def _recalled(facts: Facts) -> Iterator[Sample]:
    for outcome, count in facts.gateway.recalls.items() if facts.gateway else ():
        yield (outcome,), count


def _gaps(facts: Facts) -> Iterator[Sample]:
    gaps = facts.gateway.chunk_gaps if facts.gateway else None
    if gaps is not None and any(gaps.counts):
        yield (), gaps


def _overhead(sums: Sums) -> Iterator[Sample]:
    if any(sums.overhead.counts):
        yield (), sums.overhead


def _adjusted(facts: Facts) -> Iterator[Sample]:
    for rule, count in facts.gateway.adjusted.items() if facts.gateway else ():
        yield (rule,), count


def _slots(facts: Facts) -> Iterator[Sample]:
    seen = {(slot.route, slot.account, slot.state) for slot in facts.gateway.slots} if facts.gateway else set()
    yield from ((labels, 1) for labels in sorted(seen))


def _dropped(facts: Facts) -> Iterator[Sample]:
    if facts.gateway is not None:
        yield (), facts.gateway.dropped


_ACCOUNT = ("account",)
FAMILIES = (
    Family(
        name="gateway_requests_total",
        kind="counter",
        help="Requests by how they ended.",
        labels=("route", "surface", "outcome"),
        samples=_of_sums(lambda sums: sums.requests.items()),
    ),
    Family(
        name="gateway_attempts_total",
        kind="counter",
        help="Tries that were sent to a vendor, by how they ended.",
        labels=("account", "outcome", "code"),
        samples=_of_sums(lambda sums: sums.attempts.items()),
    ),
    Family(
        name="gateway_failovers_total",
        kind="counter",
        help="Requests that went on to another slot, by what made them leave the first.",
        labels=("route", "code"),
        samples=_of_sums(lambda sums: sums.failovers.items()),
    ),
    Family(
        name="gateway_in_flight",
        help="Requests on their way, of all processes that share an account's cap.",
        labels=_ACCOUNT,
        samples=_of_groups(lambda state: state.in_flight_all),
    ),
    Family(
        name="gateway_concurrency_limit",
        help="How many requests an account may have on their way.",
        labels=_ACCOUNT,
        samples=_of_groups(lambda state: state.cap),
    ),
    Family(
        name="gateway_queued",
        help="Requests that wait for a place on an account.",
        labels=_ACCOUNT,
        samples=_of_groups(lambda state: state.queued),
    ),
    Family(
        name="gateway_oldest_lease_seconds",
        help="How long the oldest request on its way has been so.",
        labels=_ACCOUNT,
        samples=_of_groups(lambda state: state.oldest_lease_age_s),
    ),
    Family(
        name="gateway_first_token_seconds",
        kind="histogram",
        help="From a request to its first content.",
        labels=("account", "surface"),
        samples=_of_sums(lambda sums: sums.first_token.items()),
    ),
    Family(
        name="gateway_request_seconds",
        kind="histogram",
        help="From a request to the end of its answer.",
        labels=("account", "surface"),
        samples=_of_sums(lambda sums: sums.request.items()),
    ),
    Family(
        name="gateway_overhead_seconds",
        kind="histogram",
        help="Our own part of a request: neither waiting for a vendor nor for a place.",
        samples=_of_sums(_overhead),
    ),
    Family(
        name="gateway_chunk_gap_seconds",
        kind="histogram",
        help="Between two pieces of a stream that go to a client.",
        samples=_gaps,
    ),
    Family(
        name="gateway_queue_wait_seconds",
        kind="histogram",
        help="How long requests waited for a place.",
        labels=("priority",),
        samples=_of_sums(lambda sums: (((priority,), spread) for priority, spread in sums.queue_wait.items())),
    ),
    Family(
        name="gateway_reasoning_reinjected_total",
        kind="counter",
        help="Turns that came back without their reasoning, by whether it was found to be put back.",
        labels=("outcome",),
        samples=_recalled,
    ),
    Family(
        name="gateway_tokens_total",
        kind="counter",
        help="Tokens as the vendors count them; cached is a part of input, thinking of output.",
        labels=("account", "kind"),
        samples=_of_sums(lambda sums: sums.tokens.items()),
    ),
    Family(
        name="gateway_cost_total",
        kind="counter",
        help="What requests cost, in the account's currency; plan quota is no money.",
        labels=("account", "currency"),
        samples=_cost,
    ),
    Family(
        name="gateway_stream_broken_total",
        kind="counter",
        help="Streams that broke after their first content.",
        labels=("account", "where"),
        samples=_of_sums(lambda sums: sums.broken.items()),
    ),
    Family(
        name="gateway_rejected_total",
        kind="counter",
        help="Requests that ended without being sent, by our code.",
        labels=("reason",),
        samples=_rejected,
    ),
    Family(
        name="gateway_adjusted_total",
        kind="counter",
        help="Requests that a rule of a vendor made us change.",
        labels=("rule",),
        samples=_adjusted,
    ),
    Family(
        name="gateway_slot_state",
        help="1 for the state that a slot of a route is in.",
        labels=("route", "account", "state"),
        samples=_slots,
    ),
    Family(
        name="gateway_ledger_dropped_total",
        kind="counter",
        help="Requests whose ledger row was lost.",
        samples=_dropped,
    ),
)
