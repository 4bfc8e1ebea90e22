"""Sends one row of the outbox: committed before the call, adopted by its marker where a process ended in between."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

from msgspec import structs

from perilune.core.errors import ReviewError
from perilune.forges.contract.port import Forge, Posted, PullAddress, Refs, Rejected
from perilune.review.publish.outbox import RECONCILE_AFTER, SEND_WITHIN, Outbox, OutboxRow, SendState

Write = Callable[[], Awaitable[Posted | Rejected]]


class SupersededError(Exception):
    """The row was taken out of the queue: nothing is sent any more."""


class Sender:
    """Writes of one pull request."""

    def __init__(
        self,
        forge: Forge,
        address: PullAddress,
        outbox: Outbox,
        clock: Callable[[], datetime],
        pause: Callable[[float], Awaitable[None]],
        hold: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._forge = forge
        self._address = address
        self._outbox = outbox
        self._clock = clock
        self._pause = pause
        self._hold = hold

    async def send(self, row: OutboxRow, write: Write) -> Posted | Rejected:
        """The outcome of a row: that of an earlier process where it was sent before, else of the call made now.

        A row stands for what is said once under its name: its body may be another by now, such as a status of the hour.
        Raises: ReviewError, SupersededError.
        """
        stored = await asyncio.to_thread(self._outbox.row, *row.key)
        if stored is not None:
            match stored.state:
                case SendState.DONE:
                    return Posted(refs=stored.refs)
                case SendState.FAILED:
                    return Rejected(stored.words)
                case SendState.SUPERSEDED:
                    raise SupersededError
                case SendState.SENDING:
                    return await self._reconciled(structs.replace(row, sent_at=stored.sent_at), write)
                case SendState.PENDING:
                    pass  # nothing has left: what is said now counts
        await self._keep(row)
        return await self._sent(row, write)

    async def _sent(self, row: OutboxRow, write: Write) -> Posted | Rejected:
        sending = await self._committed(row)
        try:
            outcome = await write()
        except ReviewError as error:
            if error.problem.variant != "down":
                await self._keep(structs.replace(row, state=SendState.PENDING))
                raise
            return await self._reconciled(sending, write)
        return await self._settled(sending, outcome)

    async def _committed(self, row: OutboxRow) -> OutboxRow:
        """The row in `sending`, committed just now: a worker that was paused in between does not send."""
        while True:
            if self._hold is not None:
                await self._hold()
            sending = structs.replace(row, state=SendState.SENDING, sent_at=self._clock())
            await self._keep(sending)
            if sending.sent_at is not None and self._clock() - sending.sent_at <= SEND_WITHIN:
                return sending

    async def _reconciled(self, row: OutboxRow, write: Write) -> Posted | Rejected:
        """A write whose answer nobody saw: looked for before it is made again, once."""
        since = row.sent_at or self._clock()
        left = (since + RECONCILE_AFTER - self._clock()).total_seconds()
        if left > 0:
            await self._pause(left)
        found = await self._forge.find_marked(self._address, row.marker)
        if found is not None:
            return await self._settled(row, Posted(refs=found))
        await self._forge.tidy(self._address)
        sending = await self._committed(row)
        return await self._settled(sending, await write())

    async def _settled(self, row: OutboxRow, outcome: Posted | Rejected) -> Posted | Rejected:
        match outcome:
            case Posted():
                await self._keep(structs.replace(row, state=SendState.DONE, refs=outcome.refs))
            case Rejected():
                await self._keep(structs.replace(row, state=SendState.FAILED, words=outcome.words))
        return outcome

    async def _keep(self, row: OutboxRow) -> None:
        await asyncio.to_thread(self._outbox.keep, row)


def refs_of(outcome: Posted | Rejected) -> Refs:
    """What the forge calls it, nothing where it was refused."""
    return outcome.refs if isinstance(outcome, Posted) else Refs()
