"""Open pull requests, listed: once when the service starts and after an outage, and steadily where no webhook comes."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from perilune.compose.forging import Installation, Opened, installations, open_installation
from perilune.compose.previewing import user_settings
from perilune.compose.submitting import submit_trigger
from perilune.core.addresses import host_of
from perilune.core.errors import PeriluneError
from perilune.forges.contract.hooks import HookEvent
from perilune.forges.contract.port import PullRequest
from perilune.review.settings import settings_of
from perilune.review.trigger import Trigger, Where, decide
from perilune.store.findings import PullRecords
from perilune.store.jobs import Jobs

if TYPE_CHECKING:
    from perilune.compose.workbench import Workbench
    from perilune.net.control import ControlClient
    from perilune.store.engine import Store

_AGAIN_S = 60.0
_log = logging.getLogger(__name__)


class PullListing:
    """The lists of one home. `submitted` is told of new jobs."""

    def __init__(self, bench: "Workbench", store: "Store", submitted: Callable[[], None] = lambda: None) -> None:
        self._bench = bench
        self._jobs = Jobs(store)
        self._records = PullRecords(store)
        self._submitted = submitted
        self._missed = asyncio.Event()
        self._opened: dict[str, Opened] = {}

    def missed(self) -> None:
        """A delivery could not be kept: what is open is listed once more."""
        self._missed.set()

    async def run(self) -> None:
        """List at once, then whenever something may have been missed, and steadily where that is set."""
        async with self._bench.control_client() as control:
            while True:
                self._missed.clear()
                is_whole = await self.look(control)
                await self._wait(is_whole=is_whole)

    async def _wait(self, *, is_whole: bool) -> None:
        poll = self._bench.configuration().config.review.poll
        every_s = float(poll.every_s) if poll.enabled else None
        limit_s = every_s if is_whole else min(every_s or _AGAIN_S, _AGAIN_S)
        try:
            await asyncio.wait_for(self._missed.wait(), limit_s)
            await asyncio.sleep(1)  # one list for a burst of what was missed
        except TimeoutError:
            return

    async def look(self, control: "ControlClient") -> bool:
        """List every repository once; whether all could be."""
        is_whole = True
        for one in installations(self._bench.configuration().config):
            if not one.may_publish:
                continue
            for repository in await asyncio.to_thread(self._repositories, one):
                is_whole = await self._listed(one, repository, control) and is_whole
        return is_whole

    def _repositories(self, one: Installation) -> Iterable[str]:
        """Those that are named, and those that have told of themselves before."""
        start = f"{one.site.spec.id}/{host_of(one.site.base_url)}/"
        known = (name.removeprefix(start) for name in self._jobs.repositories() if name.startswith(start))
        named = one.config.repositories if one.config is not None else ()
        return dict.fromkeys((*named, *known))

    async def _listed(self, one: Installation, repository: str, control: "ControlClient") -> bool:
        try:
            opened = self._opened.setdefault(one.site.base_url, open_installation(self._bench, one, control))
            pulls = await opened.forge.open_pulls(repository)
            for pull in pulls:
                await asyncio.to_thread(self._taken, one, pull)
        except PeriluneError as error:
            _log.warning("open pull requests of %s cannot be listed: %s", repository, error.problem.code)
            return False
        return True

    def _taken(self, one: Installation, pull: PullRequest) -> None:
        """Queue the review of a head that is not known yet."""
        kind, host = one.site.spec.id, host_of(one.site.base_url)
        where = Where(forge=kind, host=host, repository=pull.address.repository, number=pull.address.number)
        is_new = self._records.pull(where.subject) is None
        event = HookEvent(
            kind="run", action="opened" if is_new else "synchronize", repository=where.repository, number=where.number,
            head=pull.head_sha, base_ref=pull.base_ref, title=pull.title, state=pull.state, is_draft=pull.is_draft,
            is_fork=pull.is_fork, labels=pull.labels, author=pull.author,
        )  # fmt: skip
        settings, _ = settings_of(None, user_settings(self._bench.configuration().config))
        trigger = decide(event, kind, host, settings)
        if isinstance(trigger, Trigger) and submit_trigger(self._jobs, trigger, self._bench.now()).is_new:
            self._submitted()
