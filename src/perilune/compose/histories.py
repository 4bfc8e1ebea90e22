"""Wires history: what commands, the API and the service's own housekeeping ask of it."""

import asyncio
import logging
import os
from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from perilune.config.schema import HistoryConfig
from perilune.core.errors import StoreError, UsageError
from perilune.faces.cli.zones import named_zone, reader_zone
from perilune.faces.since import since as moment_of
from perilune.monitor.history import Asked, history
from perilune.monitor.local_use import take_in
from perilune.providers.contract.local_logs import local_logs
from perilune.quota.history import By, HistoryDocument
from perilune.store import local_use
from perilune.store.engine import Store
from perilune.store.retention import Keep, Pieces, take_turn, tidy

if TYPE_CHECKING:
    from perilune.compose.monitoring import Monitoring
    from perilune.compose.workbench import Workbench

_LOOK_EVERY_S, _BEGIN_AFTER_S = 300.0, 30.0
_SOME = Pieces(most=1)
_log = logging.getLogger(__name__)


def history_of(
    monitoring: "Monitoring", bench: "Workbench", since: datetime, by: By, zone: tzinfo, *, with_cycles: bool
) -> HistoryDocument:
    """What the store recorded since a moment; logs of other programs are read first, where that is wanted."""
    now, settings = bench.now(), monitoring.config.history
    if not monitoring.has_store and not settings.local_logs:
        return HistoryDocument(
            generated_at=now, since=since, by=by, tz=str(zone), recorded_since=None, sources=[], currencies=[], rows=[]
        )
    read_logs(monitoring.store, bench, settings)
    asked = Asked(since=since, until=now, by=by, zone=zone, with_cycles=with_cycles, with_logs=settings.local_logs)
    return history(monitoring.store, asked)


def asked_history(monitoring: "Monitoring", bench: "Workbench", since: str, by: str, tz: str | None) -> HistoryDocument:
    """The same in the words of a query. Raises: PL-USAGE for what is no time that lies behind, dimension or zone."""
    zone = reader_zone(tz, bench.environment, monitoring.config.display.tz)
    if tz is not None and named_zone(tz) is None:
        raise UsageError.of("PL-USAGE", variant="zone", value=tz)
    start = moment_of(since, bench.now(), zone)
    if start is None:
        raise UsageError.of("PL-USAGE", variant="since", value=since)
    dimension = next((one for one in get_args(By) if one == by), None)
    if dimension is None:
        raise UsageError.of("PL-USAGE", variant="choice", option="by", value=by, choices=", ".join(get_args(By)))
    return history_of(monitoring, bench, start, dimension, zone, with_cycles=True)


def read_logs(store: Store, bench: "Workbench", settings: HistoryConfig) -> None:
    """Take in what vendors' own command lines logged, where the user has chosen that."""
    if settings.local_logs:
        logs = local_logs(bench.environment, Path(bench.environment.get("HOME") or Path.home()))
        take_in(store, logs, bench.now(), timedelta(days=settings.hourly_days))


def keep_tidy(store: Store, settings: HistoryConfig, now: datetime, pieces: Pieces = _SOME) -> None:
    """Drop what is no longer kept, when it is this process's turn: a command some of it, the service all.

    What the store refuses now is no reason to fail; it is tried again the next time.
    """
    try:
        if take_turn(store, f"{os.getpid()}/{now.timestamp()}", now):
            _tidy(store, settings, now, pieces)
    except StoreError as error:
        _log.warning("history was not tidied up: %s", error.problem.code)


def _tidy(store: Store, settings: HistoryConfig, now: datetime, pieces: Pieces) -> None:
    dropped = tidy(store, now, _kept(settings), pieces)
    if not settings.local_logs:
        with store.begin() as connection:
            local_use.forget_all(connection)
    if dropped:
        _log.info("history: %d rows were too old to keep", dropped)


class Housekeeping:
    """The service's own upkeep of history: thins it out once a day, reads logs every five minutes."""

    def __init__(self, store: Store, bench: "Workbench", settings: Callable[[], HistoryConfig]) -> None:
        self._store = store
        self._bench = bench
        self._settings = settings
        self._is_ending = False

    async def run(self) -> None:
        """Go on until cancelled; what is being tidied up then stops at its next step."""
        await asyncio.sleep(_BEGIN_AFTER_S)
        try:
            while True:
                await asyncio.to_thread(self.look)
                await asyncio.sleep(_LOOK_EVERY_S)
        finally:
            self._is_ending = True

    def look(self) -> None:
        """Do what is due now."""
        settings = self._settings()
        keep_tidy(self._store, settings, self._bench.now(), Pieces(goes_on=lambda: not self._is_ending))
        try:
            read_logs(self._store, self._bench, settings)
        except StoreError as error:
            _log.warning("session logs were not taken in: %s", error.problem.code)


def _kept(settings: HistoryConfig) -> Keep:
    return Keep(
        raw_days=settings.raw_days,
        hourly_days=max(settings.hourly_days, settings.raw_days),
        daily_days=settings.daily_days,
        events_days=settings.events_days,
        requests_days=settings.requests_days,
    )
