"""Background: writes that nobody waits for, in order, in one thread; flushed when it closes."""

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from perilune.core.errors import StoreError

_log = logging.getLogger(__name__)


class Background:
    """One thread that writes what is handed to it. What the store refuses is logged by its code, once per call."""

    def __init__(self, name: str = "perilune-background") -> None:
        self._executor = ThreadPoolExecutor(1, name)

    def submit(self, work: Callable[[], object]) -> None:
        """Do `work` soon; returns at once."""
        self._executor.submit(work).add_done_callback(_told)

    def close(self) -> None:
        """Finish what was handed in."""
        self._executor.shutdown(wait=True)


def _told(done: "Future[object]") -> None:
    error = done.exception()
    if isinstance(error, StoreError):
        _log.warning("something was not kept: %s", error.problem.code)
    elif error is not None:
        _log.error("something was not kept", exc_info=error)
