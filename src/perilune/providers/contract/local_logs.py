"""Logs that vendors' own programs keep on this machine: which files, and what one line of them says was used."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

from msgspec import Struct

from perilune.providers.contract.registry import providers
from perilune.quota.logged import LoggedUse

_MODULE = "session_logs"


class LocalLogs(Struct, frozen=True):
    """The logs of one origin. `read` gives nothing for a line that tells of no use."""

    origin: str
    files: Callable[[], list[Path]]
    read: Callable[[bytes], LoggedUse | None]


def local_logs(environment: Mapping[str, str], home: Path) -> Iterator[LocalLogs]:
    """The logs that providers know of."""
    for provider in providers().values():
        module = provider.module(_MODULE)
        if module is not None:
            yield LocalLogs(module.ORIGIN, partial(module.log_files, environment, home), module.logged_use)
