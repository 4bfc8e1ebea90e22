"""The service's share in reviews: the desk for webhooks, the worker, the lists of open pull requests."""

import asyncio
from collections.abc import Callable, Coroutine

from perilune.compose.engine import Engine
from perilune.compose.hook_desk import WebhookDesk
from perilune.compose.pull_listing import PullListing
from perilune.compose.review_worker import review_worker


class ReviewingShare:
    """Runs from when it is made. `keep` looks after its tasks."""

    def __init__(self, engine: Engine, keep: Callable[[Coroutine[object, object, None]], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._worker = review_worker(engine)
        self._listing = PullListing(engine.bench, engine.store, self._work_is_there)
        self.desk = WebhookDesk(engine.bench, engine.store, self._work_is_there, self._missed)
        keep(self._worker.run())
        keep(self._listing.run())

    def _work_is_there(self) -> None:
        self._loop.call_soon_threadsafe(self._worker.wake)

    def _missed(self) -> None:
        self._loop.call_soon_threadsafe(self._listing.missed)
