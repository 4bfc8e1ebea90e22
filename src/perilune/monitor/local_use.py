"""Reads what vendors' own programs logged on this machine: only what is new, only counts, each record once."""

import logging
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

from perilune.providers.contract.local_logs import LocalLogs
from perilune.quota.logged import LoggedUse
from perilune.store import local_use
from perilune.store.engine import Store

_AT_ONCE = 500
_LONGEST_LINE = 8 * 1024 * 1024
_log = logging.getLogger(__name__)


def take_in(store: Store, logs: Iterable[LocalLogs], now: datetime, keep: timedelta) -> int:
    """Keep what was logged since the last time and return how many records were read. Files are never written."""
    read = 0
    for one in logs:
        with store.read() as connection:
            positions = local_use.positions(connection, one.origin)
        for file in one.files():
            try:
                read += _take_in_file(store, one, file, positions, now, now - keep)
            except OSError as error:
                _log.info("a session log was not read: %s", error.strerror)
    return read


def _take_in_file(
    store: Store, log: LocalLogs, file: Path, positions: dict[str, int], now: datetime, oldest: datetime
) -> int:
    name = sha256(str(file).encode()).hexdigest()[:32]
    size, known = file.stat().st_size, positions.get(name, 0)
    if size == known or not file.is_file():
        return 0
    read = 0
    for found, position in _batches(file, known if known < size else 0, log.read):
        young = [one for one in found if oldest <= one.at <= now + timedelta(days=1)]
        with store.begin() as connection:
            local_use.keep(connection, log.origin, name, position, young, now)
        read += len(young)
    return read


def _batches(
    file: Path, start: int, read: Callable[[bytes], LoggedUse | None]
) -> Iterator[tuple[list[LoggedUse], int]]:
    """Records with the position behind them. A line that is still being written is left for the next time."""
    found: list[LoggedUse] = []
    with file.open("rb") as opened:
        opened.seek(start)
        position = start
        while line := opened.readline(_LONGEST_LINE):
            if not line.endswith(b"\n") and len(line) < _LONGEST_LINE:
                break
            position += len(line)
            use = read(line)
            if use is not None:
                found.append(use)
            if len(found) >= _AT_ONCE:
                yield found, position
                found = []
    yield found, position
