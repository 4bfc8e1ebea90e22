"""A first attempt in flight: written at once, watched without a task, handed over when it is not a plain success."""

from datetime import datetime
from time import perf_counter
from typing import TYPE_CHECKING

from perilune.dialects.form import Dialect
from perilune.dialects.tail import tail_of_answer
from perilune.gateway.admission import Lease
from perilune.gateway.dispatch import HELD_BYTES
from perilune.gateway.flow import RelayFlow
from perilune.gateway.lane.passing import JSON_HEAD, is_stream_type, passed_on
from perilune.gateway.lane.plan import Plan, SlotPlan, Way
from perilune.gateway.record import PlainRecord
from perilune.gateway.tally import request_id
from perilune.net.server import Head, ServerConnection
from perilune.net.upstream import Clock, Connection, UpstreamError

if TYPE_CHECKING:
    from perilune.gateway.lane.facts import Facts
    from perilune.gateway.lane.lane import Lane

_HEAD = b"%b%bx-perilune-request-id: %b\r\n%bx-perilune-overhead-ms: %.2f\r\n%bcontent-length: %d\r\n%b\r\n"
_DIALECTS = {dialect.value: dialect for dialect in Dialect}


class FirstAttempt:
    """One request on the fast lane. It answers a client's connection and watches a vendor's.

    What it is about is public for `handover`, which makes the general path's objects of it. Units: `began` on the
    loop's clock, `entered_at` and `sent_at` on a finer one.
    """

    __slots__ = (
        "_flow",
        "_held",
        "began",
        "body",
        "chosen",
        "client",
        "entered_at",
        "facts",
        "has_other",
        "head",
        "id",
        "is_answered",
        "is_sent",
        "lane",
        "lease",
        "plan",
        "received_at",
        "sent_at",
        "taken",
        "vendor",
        "way",
    )

    def __init__(
        self,
        lane: "Lane",
        client: ServerConnection,
        head: Head,
        facts: "Facts",
        plan: Plan,
        chosen: SlotPlan,
        way: Way,
        lease: Lease,
        vendor: Connection,
        body: bytes,
        received_at: datetime,
        began: float,
        entered_at: float,
    ) -> None:
        self.lane = lane
        self.client = client
        self.head = head
        self.facts = facts
        self.plan = plan
        self.chosen = chosen
        self.way = way
        self.lease = lease
        self.vendor = vendor
        self.body = body
        self.received_at = received_at
        self.began = began
        self.entered_at = self.sent_at = entered_at
        self.id = request_id(received_at)
        self.has_other = False
        self.is_sent = True
        self.is_answered = False
        self.taken: list[bytes] = []
        self._held = b""
        self._flow: RelayFlow | None = None

    def send(self, data: bytes, seconds: float, clock: Clock) -> None:
        """Write the request and watch for its answer."""
        counters = self.lane.services.counters
        counters.requests += 1
        counters.in_flight += 1
        counters.attempts += 1
        self.client.answered_by(self)
        self.sent_at = perf_counter()
        vendor = self.vendor
        try:
            vendor.start(data, b"")
        except UpstreamError:
            self.is_sent = False
            self.lane.hand_over(self)
            return
        vendor.expect_within(seconds, clock)
        vendor.watch(self)

    def progress(self) -> None:
        """The vendor's connection has something, or has ended."""
        vendor = self.vendor
        try:
            if vendor.has_head and vendor.status == 200 and vendor.failure is None:
                self._hold() if self.plan.is_stream else self._gather()
            elif vendor.has_head or vendor.failure is not None:
                self.lane.hand_over(self)
        except Exception as error:  # noqa: BLE001 one broken request takes no other with it
            self.lane.fail(self, error)

    def gone(self) -> None:
        """The client has left: the vendor's connection closes and the lease is free in the same step."""
        self.lane.abandon(self)

    def pause(self) -> None:
        """Nothing has been written yet that a client could be slow with."""

    def resume(self) -> None:
        """As `pause`."""

    def _gather(self) -> None:
        """A whole answer is used when all of it is here, and only if it is plainly one."""
        vendor = self.vendor
        raw = vendor.raw_headers
        if is_stream_type(raw):
            self.lane.hand_over(self)
            return
        chunk = vendor.take()
        if not vendor.is_complete:
            if chunk:
                self.taken.append(chunk)
                vendor.expect_within(*self.lane.idle_limit(self))
            return
        body = b"".join((*self.taken, chunk)) if self.taken else chunk
        model, usage = tail_of_answer(_DIALECTS[self.chosen.surface], body)
        if (not model and usage is None) or b'"error"' in body:
            self.taken = [body]
            self.lane.hand_over(self)
            return
        lane, way, client = self.lane, self.way, self.client
        answered = perf_counter()
        passed = passed_on(raw)
        lane.client.give_back(way.target, vendor, way.pool)
        try:
            written = perf_counter()
            ours = written - answered + self.sent_at - self.entered_at
            head = _HEAD % (
                JSON_HEAD,
                passed,
                self.id.encode(),
                way.tail,
                ours * 1000,
                way.end,
                len(body),
                client.closing_line(),
            )
            client.write(head + body)
            self.is_answered = True
            record = PlainRecord(
                constant=way.constant,
                id=self.id,
                received_at=self.received_at,
                total_s=written - self.entered_at,
                attempt_s=answered - self.sent_at,
                served=model or None,
                usage=usage,
                bytes_in=len(self.body),
                bytes_out=len(body),
            )
            lane.settled(self, record)
        finally:
            self.lease.release()
            client.finish()

    def _hold(self) -> None:
        """Up to the first content nothing goes out, so that an error in its place can still be something else."""
        vendor = self.vendor
        if not is_stream_type(vendor.raw_headers):
            self.lane.hand_over(self)
            return
        chunk = vendor.take()
        flow = self._flow = self._flow or RelayFlow(self.way.prepared)
        self._held += flow.feed(chunk)
        self.taken.append(chunk)
        is_over = vendor.is_complete and not flow.has_content
        if flow.failure is not None or flow.is_garbled or is_over or len(self._held) > HELD_BYTES:
            self.lane.hand_over(self)
        elif flow.has_content:
            self.lane.commit(self, flow, self._held)
        else:
            vendor.expect_within(*self.lane.first_limit(self))
