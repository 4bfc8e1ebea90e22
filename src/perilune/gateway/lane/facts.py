"""What a request's head says, found out once for all requests of equal heads."""

from msgspec import Struct

from perilune.core.errors import Problem
from perilune.dialects.form import Dialect
from perilune.gateway import paths
from perilune.gateway.admission import Priority
from perilune.gateway.clocks import Clocks
from perilune.gateway.door import Door, lowered
from perilune.gateway.intake import LARGEST_HEADERS, LARGEST_URL, MOST_HEADERS
from perilune.gateway.lane.plan import Plan
from perilune.gateway.setup import Setup
from perilune.net.server import Head

_FRONTS = {path: dialect for path, dialect in paths.FRONTS.items() if dialect in (Dialect.CHAT, Dialect.MESSAGES)}
KEPT_S = 0.25


class Known(Struct, kw_only=True):
    """What is known of a head: alone, that the lane does not take its requests.

    Shape: true for one door and one version of the configuration, and up to `until` on the loop's clock, because a key
    may be revoked or expire.
    """

    door: Door
    setup: Setup
    until: float


class Facts(Known, kw_only=True):
    """Who asks for what, and how the bodies look that came with this head.

    Shape: `plans` by the constant parts of a body, None for one that is not for the lane.
    """

    front: Dialect
    owner: str
    key_id: str | None
    priority: Priority
    clocks: Clocks
    plans: dict[tuple[bytes, bytes], Plan | None]

    def is_of(self, other: "Facts") -> bool:
        """True for the same key and owner, for whom plans were made."""
        return (self.key_id, self.owner) == (other.key_id, other.owner)


def facts_of(head: Head, door: Door, setup: Setup, now_s: float) -> Known:
    """The facts of a head; every reason against it is for the general path to tell."""
    neither = Known(door=door, setup=setup, until=now_s + KEPT_S)
    endpoint, _ = paths.known(head.path)
    front = None if endpoint is None else _FRONTS.get(endpoint)
    headers = head.headers
    if front is None or head.method != "POST" or head.is_old or head.is_chunked or _is_too_large(head):
        return neither
    if headers.get("content-encoding", "identity") not in ("", "identity"):
        return neither
    if door.refuse_origin(headers) is not None:
        return neither
    caller = door.caller(headers)
    if isinstance(caller, Problem) or setup.config.max_concurrent_requests is not None:
        return neither
    if not (caller.models is None and caller.routes is None and caller.limits is None):
        return neither
    return Facts(
        front=front,
        owner=caller.owner,
        key_id=caller.key_id,
        priority=lowered(caller.priority, headers.get("x-perilune-priority")),
        clocks=setup.clocks.for_client(headers),
        door=door,
        setup=setup,
        until=now_s + KEPT_S,
        plans={},
    )


def _is_too_large(head: Head) -> bool:
    size = sum(len(name) + len(value) for name, value in head.pairs)
    if len(head.pairs) >= MOST_HEADERS or size > LARGEST_HEADERS - 100:
        return True
    return len(head.raw_path) + len(head.query) > LARGEST_URL
