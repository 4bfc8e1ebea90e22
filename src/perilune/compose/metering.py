"""Wires metrics: what a running service, or a command without one, can say."""

import asyncio
import http.client
from typing import TYPE_CHECKING

from msgspec.structs import replace

from perilune.compose.engine import Engine
from perilune.core.errors import ConfigError, CredentialError
from perilune.core.messages import Voice
from perilune.faces.api.ports import RoutesDocument
from perilune.faces.metrics.exposition import exposition
from perilune.faces.metrics.family import Facts, GatewayFacts, SlotNow
from perilune.monitor.counted import ReadCounts
from perilune.net.listening import ListenAddress, parse_listen
from perilune.quota.document import StatusDocument
from perilune.store.delivery_totals import delivery_totals
from perilune.store.engine import Store
from perilune.store.review_totals import ReviewTotals, review_totals

if TYPE_CHECKING:
    from perilune.compose.workbench import Workbench

_LOOK_S = 2.0
_LARGEST = 16_000_000


async def service_exposition(
    engine: Engine, status: StatusDocument, routes: RoutesDocument, reads: ReadCounts | None
) -> bytes:
    """The exposition of a service. The loop gives its plain numbers; the text is made in a thread."""
    groups = {account.name: engine.admission.state(engine.group_of(account.name)) for account in status.accounts}
    slots = [SlotNow(route.name, slot.account, slot.state) for route in routes.routes for slot in route.slots]
    services, dropped = engine.gateway.core.services, engine.written.dropped
    adjusted, turned_away = dict(services.counters.adjusted), dict(services.counters.turned_away)
    gaps = replace(services.counters.chunk_gaps, counts=list(services.counters.chunk_gaps.counts))
    recalls = {} if services.thoughts is None else dict(services.thoughts.recalls)

    def told() -> bytes:
        gateway = GatewayFacts(
            sums=engine.meter.sums(), groups=groups, slots=slots, adjusted=adjusted, dropped=dropped, recalls=recalls,
            turned_away=turned_away, chunk_gaps=gaps,
        )  # fmt: skip
        kept = _kept(engine.store)
        return exposition(replace(kept, accounts=status.accounts, gateway=gateway, reads=reads))

    return await asyncio.to_thread(told)


def metrics_now(bench: "Workbench") -> bytes:
    """Of the running service where one answers, else of what the store holds: no gateway, no counts of reads."""
    config = bench.configuration().config
    try:
        told = _from_service(parse_listen(config.gateway.listen), bench.environment.get("PERILUNE_TOKEN"))
    except ConfigError:
        told = None
    if told is not None:
        return told
    monitoring = bench.monitoring_now()
    try:
        accounts = monitoring.status((), Voice(now=bench.now())).accounts
    except CredentialError:
        accounts = []  # without an account there is still a program to tell of
    try:
        kept = _kept(monitoring.store) if monitoring.has_store else Facts(accounts=(), reviews=ReviewTotals())
    finally:
        monitoring.close()
    return exposition(replace(kept, accounts=accounts))


def _from_service(address: ListenAddress, token: str | None) -> bytes | None:
    connection = http.client.HTTPConnection(address.host, address.port, timeout=_LOOK_S)
    try:
        connection.request("GET", "/metrics", headers={"authorization": f"Bearer {token}"} if token else {})
        answer = connection.getresponse()
        body = answer.read(_LARGEST)
    except (OSError, http.client.HTTPException):
        return None  # nothing of ours answers there
    finally:
        connection.close()
    is_ours = answer.status == 200 and b"perilune_build_info" in body
    return body if is_ours else None


def _kept(store: Store) -> Facts:
    """What the store holds beside accounts."""
    with store.read() as connection:
        return Facts(accounts=(), reviews=review_totals(connection), notifications=delivery_totals(connection))
