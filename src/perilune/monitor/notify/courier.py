"""The courier: takes due notices to their channels, each claimed first, tried three times, never lost.

What quiet hours or a mute hold back is told together at their end, as far as it still holds. What a channel did not
take in three tries stays, is told as an event, and goes once more when the channel works again.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Protocol

from msgspec import Struct

from perilune.core.errors import StoreError
from perilune.core.messages import Voice
from perilune.monitor.notify.channels import Outlet
from perilune.monitor.notify.messages import Name, digest_of
from perilune.monitor.notify.port import Receipt
from perilune.quota.alerts.kinds import passes_quiet
from perilune.quota.alerts.model import Alert
from perilune.store import deliveries, events
from perilune.store.deliveries import TRIES, Delivery
from perilune.store.engine import Store
from perilune.store.rows import encoded

_CLAIM_LASTS = timedelta(seconds=45)  # longer than any channel may take for one message
_SEND_LIMIT_S = 30.0
_PAUSES = (timedelta(seconds=10), timedelta(seconds=60))
_MINUTE = timedelta(minutes=1)
_MOST_A_MINUTE = 20
_OLD = timedelta(minutes=10)
_MISSED = timedelta(hours=24)
_LONGEST_NAP_S, _SHORTEST_NAP_S = 30.0, 1.0
_log = logging.getLogger(__name__)


class Reader(Protocol):
    """Whom messages are for."""

    def voice(self) -> Voice:
        """How this reader hears things now."""
        ...

    @property
    def zone(self) -> tzinfo:
        """The zone of quiet hours."""
        ...

    @property
    def name(self) -> Name:
        """How accounts are called in messages."""
        ...

    def holds(self, alerts: Sequence[Alert]) -> list[bool]:
        """Which delayed alerts still hold. Reads the store; runs in a thread."""
        ...


class _Post(Struct, frozen=True):
    """One message on its way: one delivery, or several that are told as one."""

    deliveries: tuple[Delivery, ...]

    @property
    def ids(self) -> list[str]:
        return [one.notice for one in self.deliveries]


class Courier:
    """Delivers until it is cancelled. `wake` makes it look at once."""

    def __init__(
        self,
        store: Store,
        reader: Reader,
        outlets: Callable[[], Sequence[Outlet]],
        *,
        clock: Callable[[], datetime],
        owner: str,
        pauses: Sequence[timedelta] = _PAUSES,
        told: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._reader = reader
        self._outlets = outlets
        self._clock = clock
        self._owner = owner
        self._pauses = pauses
        self._told = told
        self._off: set[str] = set()
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Look soon. Call it in the courier's own loop."""
        self._woken.set()

    async def run(self) -> None:
        """Deliver for good."""
        while True:
            self._woken.clear()
            nap_s = _LONGEST_NAP_S
            try:
                await self.deliver()
                nap_s = await asyncio.to_thread(self._nap_s)
            except StoreError as error:
                _log.warning("notices wait: %s", error.problem.code)
            except Exception:  # noqa: BLE001 - the loop boundary: a fault of ours must not end all notifications
                _log.warning("delivering met a fault of ours", exc_info=True)
            try:
                async with asyncio.timeout(nap_s):
                    await self._woken.wait()
            except TimeoutError:
                continue

    async def deliver(self) -> None:
        """Take to every channel what is due for it now. One slow channel does not hold up another."""
        await asyncio.gather(*(self._deliver_to(outlet) for outlet in self._outlets()))

    async def _deliver_to(self, outlet: Outlet) -> None:
        for post in await asyncio.to_thread(self._posts, outlet):
            if not await self._send(outlet, post):
                return

    def _posts(self, outlet: Outlet) -> list[_Post]:
        """What is due, without what is held back and what is over: held notices as one, the others each."""
        now = self._clock()
        with self._store.read() as connection:
            due = deliveries.due(connection, outlet.name, now)
            muted_until = deliveries.muted_until(connection, now) if due else None
        if not due:
            return []
        ready = self._held_back(outlet, due, muted_until, now)
        delayed = [one for one in ready if one.is_held or now - one.alert.at > _OLD]
        holds = dict(zip([one.notice for one in delayed], self._reader.holds([o.alert for o in delayed]), strict=True))
        over = [one.notice for one in delayed if not holds[one.notice]] + _outdone(delayed)
        if over:
            with self._store.begin() as connection:
                deliveries.drop(connection, outlet.name, over, now)
        left = [one for one in ready if one.notice not in over]
        held = tuple(one for one in left if one.is_held)
        posts = [_Post((one,)) for one in left if not one.is_held]
        return ([_Post(held)] if held else []) + posts

    def _held_back(
        self, outlet: Outlet, due: Sequence[Delivery], muted_until: datetime | None, now: datetime
    ) -> list[Delivery]:
        quiet_until = outlet.quiet.until(now, self._reader.zone) if outlet.quiet else None
        ready: list[Delivery] = []
        held: list[Delivery] = []
        for one in due:
            is_quiet = quiet_until is not None and not passes_quiet(one.alert.kind)
            (held if muted_until is not None or is_quiet else ready).append(one)
        until = max((at for at in (muted_until, quiet_until) if at is not None), default=now)
        if held:
            with self._store.begin() as connection:
                loud = [one.notice for one in held if passes_quiet(one.alert.kind)]
                quiet = [one.notice for one in held if not passes_quiet(one.alert.kind)]
                deliveries.postpone(connection, outlet.name, loud, muted_until or until, is_held=True)
                deliveries.postpone(connection, outlet.name, quiet, until, is_held=True)
        return ready

    async def _send(self, outlet: Outlet, post: _Post) -> bool:
        """Claim, send, note what came of it. False when this channel is to be left alone for now."""
        post = await asyncio.to_thread(self._claimed, outlet, post)
        if not post.deliveries:
            return True
        if outlet.name in self._off:
            receipt = Receipt(is_taken=False, words="headless", is_off=True)
        else:
            receipt = await self._tried(outlet, post)
        await asyncio.to_thread(self._noted, outlet, post, receipt)
        return receipt.is_taken

    async def _tried(self, outlet: Outlet, post: _Post) -> Receipt:
        voice, found = self._reader.voice(), [(one.notice, one.alert) for one in post.deliveries]
        message = digest_of(found, voice, self._reader.name, outlet.click)
        try:
            async with asyncio.timeout(_SEND_LIMIT_S):
                return await outlet.channel.send(message)
        except TimeoutError:
            return Receipt(is_taken=False, words="PL-NET-TIMEOUT")

    def _claimed(self, outlet: Outlet, post: _Post) -> _Post:
        """The deliveries of a post that are ours to send; none when the channel has had enough for this minute."""
        now = self._clock()
        with self._store.begin() as connection:
            if deliveries.count_sent(connection, outlet.name, now - _MINUTE) >= _MOST_A_MINUTE:
                deliveries.postpone(connection, outlet.name, post.ids, now + _MINUTE, is_held=False)
                return _Post(())
            ours = deliveries.claim(connection, outlet.name, post.ids, self._owner, now, _CLAIM_LASTS)
        return _Post(tuple(one for one in post.deliveries if one.notice in ours))

    def _noted(self, outlet: Outlet, post: _Post, receipt: Receipt) -> None:
        now = self._clock()
        with self._store.begin() as connection:
            if receipt.is_taken:
                deliveries.sent(connection, outlet.name, post.ids, now)
                deliveries.revive(connection, outlet.name, now - _MISSED, now)
                return
            for one in post.deliveries:
                again_at = None if receipt.is_off else self._again_at(one, now)
                deliveries.failed(connection, outlet.name, [one.notice], now, receipt.words, again_at)
            is_given_up = receipt.is_off or all(one.tries + 1 >= TRIES for one in post.deliveries)
            if is_given_up and outlet.name not in self._off:
                self._off |= {outlet.name} if receipt.is_off else set()
                facts = {"channel": outlet.name, "words": receipt.words}
                events.append(connection, events.Event(at=now, kind="notify_failed", document=encoded(facts)))
        if is_given_up:
            _log.warning("channel %s does not take messages: %s", outlet.name, receipt.words)
            self._told()

    def _again_at(self, delivery: Delivery, now: datetime) -> datetime | None:
        tries = delivery.tries + 1
        return None if tries >= TRIES else now + self._pauses[min(tries, len(self._pauses)) - 1]

    def _nap_s(self) -> float:
        now = self._clock()
        with self._store.read() as connection:
            at = deliveries.next_due(connection, [outlet.name for outlet in self._outlets()], now)
        if at is None:
            return _LONGEST_NAP_S
        return min(max((at - now).total_seconds(), _SHORTEST_NAP_S), _LONGEST_NAP_S)


def _outdone(delayed: Sequence[Delivery]) -> list[str]:
    """Lower levels of a window that a higher one among these has outdone."""
    levels = [one for one in delayed if one.alert.kind.startswith("window_")]
    highest: dict[tuple[str | None, str | None], int] = {}
    for one in levels:
        subject = one.alert.account, one.alert.window
        highest[subject] = max(highest.get(subject, 0), _level(one))
    return [one.notice for one in levels if _level(one) < highest[one.alert.account, one.alert.window]]


def _level(delivery: Delivery) -> int:
    return int(delivery.alert.kind.removeprefix("window_"))
