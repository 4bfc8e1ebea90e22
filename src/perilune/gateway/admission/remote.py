"""Places shared by hosts: a lease counts on this host first, then in Redis; without Redis by the host's own share.

Source: gateway reference 6.3.
"""

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from uuid import uuid4

from perilune.gateway.admission.port import Keeper, OnFailure, Places
from perilune.gateway.admission.redis_leases import EXPIRY_MS, Held, RedisLeases, errors, of_group

HEARTBEAT_S = 10.0
TIMEOUT_S = 0.2
_RETRY_S = 1.0
_LISTEN_S = 0.2
_SETTLING_S = 3.0  # until every host that lost the server has had a chance to find it again
_BEYOND_CAPS = 1_000_000

_log = logging.getLogger(__name__)


def awake_and_asleep_s() -> float:
    """Seconds on a steady clock that goes on while the machine sleeps, where the system has one."""
    kind = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if kind is None else time.clock_gettime(kind)


class RemotePlaces:
    """Places in Redis over the places of this host.

    Shape: `connect` opens a connection; `host` names those who share `local`. While the server cannot be asked,
    `trouble` says what is done instead: each host has its share of the cap, none, or all. `lost` is called with group
    and place when this process slept so long that its lease ran out.
    """

    is_instant = False
    kept_by: Keeper = "redis"

    def __init__(
        self,
        connect: Callable[[], RedisLeases],
        local: Places,
        host: str,
        on_failure: OnFailure = "divide",
        clock: Callable[[], float] = awake_and_asleep_s,
    ) -> None:
        self.hosts = 1
        self.lost: Callable[[str, int], None] | None = None
        self.woken: Callable[[str], None] | None = None
        self._connect = connect
        self._local = local
        self._host = host
        self._on_failure = on_failure
        self._clock = clock
        self._errors = errors()
        self._asking: RedisLeases | None = None
        self._beating: RedisLeases | None = None
        self._hearing: RedisLeases | None = None
        self._locals: dict[tuple[str, int], int] = {}
        self._held: dict[tuple[str, int], Held] = {}
        self._unsure: defaultdict[str, set[str]] = defaultdict(set)
        self._mark = str(uuid4())
        self._settles_until_s = clock()
        self._was_lost = False
        self._beat_s = clock()
        self._mutex = threading.Lock()
        self._look_now = threading.Event()
        self._is_closing = False
        self._was_lost = not self._find()
        self._heart = threading.Thread(target=self._run, name="perilune-redis", daemon=True)
        self._heart.start()
        self._ear = threading.Thread(target=self._listen, name="perilune-redis-wakings", daemon=True)
        self._ear.start()

    @property
    def trouble(self) -> OnFailure | None:
        """What is done instead while the server cannot be asked; None while all is well."""
        return None if self._asking is not None else self._on_failure

    @property
    def is_degraded(self) -> bool:
        return self.trouble is not None

    def may_hand_over(self) -> bool:
        return self._asking is not None and self._clock() >= self._settles_until_s

    def take(self, group: str, cap: int, reserved: int, *, may_use_reserved: bool) -> int | None:
        if self._clock() - self._beat_s > EXPIRY_MS / 1000:
            self.heartbeat()  # this machine slept: what it lost meanwhile ends before it asks for more
        allowed = self._allowed(cap)
        if allowed < 1:
            return None
        local = self._local.take(group, allowed, min(reserved, allowed // 2), may_use_reserved=may_use_reserved)
        if local is None:
            return None
        place = self._take(group, cap, reserved, may_use_reserved)
        if place is None:
            self._local.give_back(group, local)
            return None
        if place < 0:
            place = -1 - (local if local >= 0 else _BEYOND_CAPS - local)
        self._locals[group, place] = local
        return place

    def give_back(self, group: str, place: int) -> None:
        with self._mutex:
            local, held = self._locals.pop((group, place), None), self._held.pop((group, place), None)
        if local is not None:
            self._local.give_back(group, local)
        if held is None:
            return
        try:
            self._server().give_back(group, held, self._mark)
        except self._errors as error:
            self._lose(error)
            self._unsure[group].add(held.lease_id)

    def others_wait(self, group: str) -> int:
        try:
            return self._server().others_wait(group, self._mark)
        except self._errors as error:
            self._lose(error)
            return 0

    def occupied(self, group: str) -> int:
        """How many are live on all hosts; on this one alone while the others cannot be asked."""
        try:
            return self._server().occupied(group)
        except self._errors as error:
            self._lose(error)
            return self._local.occupied(group)

    def heartbeat(self) -> None:
        """Prolong this process's leases, and look for the server while it is lost."""
        now_s = self._clock()
        slept_s, self._beat_s = now_s - self._beat_s, now_s
        if self._asking is None and not self._find():
            return
        server = self._beating
        if server is None:
            return
        with self._mutex:
            held = dict(self._held)
            unsure = {group: set(ids) for group, ids in self._unsure.items()}
        try:
            self.hosts = server.greet(self._host)
            for group in {group for group, _ in held}:
                self._renew(server, group, held, has_slept=slept_s * 1000 > EXPIRY_MS)
            for group, ids in unsure.items():
                server.drop(group, ids)
                self._unsure[group] -= ids
        except self._errors as error:
            self._lose(error)
            self._find()

    def close(self) -> None:
        self._is_closing = True
        self._look_now.set()
        self._heart.join()
        for group, place in list(self._locals):
            self.give_back(group, place)
        if self._asking is not None:
            try:
                self._asking.part(self._host)
                self._asking.wake(self._mark)
            except self._errors as error:
                self._lose(error)
        self._ear.join()
        for server in (self._asking, self._beating):
            if server is not None:
                server.close()
        self._local.close()

    def _allowed(self, cap: int) -> int:
        """How many of the cap this host may have live."""
        if self._asking is not None and self._clock() >= self._settles_until_s:
            return cap
        if self._asking is None and self._on_failure != "divide":
            return cap if self._on_failure == "open" else 0
        return cap // max(self.hosts, 1)

    def _take(self, group: str, cap: int, reserved: int, may_use_reserved: bool) -> int | None:
        """The place in Redis, -1 where it cannot be asked and this host's own count is enough."""
        if self._asking is None:
            return -1
        lease_id = uuid4().hex
        try:
            place = self._asking.take(group, cap, reserved, lease_id, may_use_reserved=may_use_reserved)
        except self._errors as error:
            self._lose(error)
            self._unsure[group].add(lease_id)
            return None  # the next try, milliseconds later, goes by this host's share
        if place is None:
            return None
        with self._mutex:
            self._held[group, place] = Held(place, lease_id)
        return place

    def _renew(self, server: RedisLeases, group: str, held: Mapping[tuple[str, int], Held], *, has_slept: bool) -> None:
        gone = server.prolong(group, of_group(held, group))
        if not gone:
            return
        if not has_slept:  # the server forgot them, or they began without it: they are live and count
            server.put_back(group, gone)
            return
        for key in [key for key, one in held.items() if key[0] == group and one in gone]:
            with self._mutex:
                was_held = self._held.pop(key, None) is not None
            if was_held and self.lost is not None:
                self.lost(*key)

    def _server(self) -> RedisLeases:
        if self._asking is None:
            raise ConnectionError("the lease server cannot be asked")
        return self._asking

    def _find(self) -> bool:
        """Connect, and count there what runs already."""
        try:
            asking, beating = self._connect(), self._connect()
            self.hosts = beating.greet(self._host)
            self._enroll(beating)
            asking.occupied("")
        except self._errors:
            return False
        if self._was_lost:
            self._settles_until_s = self._clock() + _SETTLING_S
            _log.info("leases are shared over the lease server again")
        self._asking, self._beating = asking, beating
        self._was_lost = False
        return True

    def _enroll(self, server: RedisLeases) -> None:
        with self._mutex:
            for key in self._locals:
                if key not in self._held:
                    self._held[key] = Held(_BEYOND_CAPS - key[1], uuid4().hex)
            held = dict(self._held)
        for group in {group for group, _ in held}:
            server.put_back(group, of_group(held, group))

    def _lose(self, error: Exception) -> None:
        with self._mutex:
            server, self._asking = self._asking, None
            beating, self._beating = self._beating, None
            self._was_lost = True
        self._look_now.set()
        for one in (server, beating):
            if one is not None:
                one.close()
        if server is not None:
            _log.warning("the lease server cannot be asked (%s): %s", type(error).__name__, self._on_failure)

    def _run(self) -> None:
        while not self._is_closing:
            self._look_now.wait(_RETRY_S if self._asking is None else HEARTBEAT_S)
            self._look_now.clear()
            if not self._is_closing:
                self.heartbeat()
            if self._asking is None:
                self._look_now.clear()  # set by the failure itself: look again in a while, not at once

    def _listen(self) -> None:
        """Hear of places that other hosts gave back, on a connection of its own."""
        while not self._is_closing:
            hearing = self._hearing
            try:
                if self._asking is None:
                    raise ConnectionError("the lease server cannot be asked")
                hearing = self._hearing = hearing or self._connect()
                group = hearing.woken(self._mark, _LISTEN_S)
            except self._errors:
                if hearing is not None:
                    hearing.close()
                self._hearing = None
                time.sleep(_LISTEN_S)
                continue
            if group and self.woken is not None:
                self.woken(group)
        if self._hearing is not None:
            self._hearing.close()


def remote_places(url: str, local: Places, host: str, on_failure: OnFailure = "divide") -> RemotePlaces:
    """Places in the Redis or Valkey at an address. A server that is not there now is looked for every second."""
    return RemotePlaces(lambda: RedisLeases(url, TIMEOUT_S), local, host, on_failure)
