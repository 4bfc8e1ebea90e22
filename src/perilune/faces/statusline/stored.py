"""What the store holds for status lines, read without a database: one small file beside it."""

from __future__ import annotations

import json
import os
from types import SimpleNamespace

from perilune.config.folders import CONFIG_FILE, LINE_FILE, STORE_FILE, Folders
from perilune.faces.statusline.view import Broken

TYPE_CHECKING = False
if TYPE_CHECKING:
    from perilune.quota.line import Line

_SCHEMA = "perilune.line.v1"
_SQLITE = b"SQLite format 3\0"


def load(folders: Folders) -> Line | None:
    """The line as it was last written; None when there is none.

    Raises: Broken when the file, or the store beside it, is not what it should be.
    """
    _check_store(os.path.join(folders.data, STORE_FILE))  # noqa: PTH118 - pathlib costs 9 ms
    try:
        with open(os.path.join(folders.data, LINE_FILE), encoding="utf-8") as file:  # noqa: PTH118, PTH123
            line: Line = json.loads(file.read(), object_hook=_table)
        if line.schema != _SCHEMA:
            raise Broken
        _ = line.accounts, line.routes, line.display.percent, line.display.clock, line.fault
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        raise Broken from error
    return line


def is_outdated(folders: Folders) -> bool:
    """Whether the line is to be made again: it is missing beside a store, or the configuration is newer."""
    line = _changed_at(folders.data, LINE_FILE)
    if line is None:
        return _changed_at(folders.data, STORE_FILE) is not None
    return (_changed_at(folders.config, CONFIG_FILE) or 0) > line


def has_changed(folders: Folders, since: float | None) -> tuple[bool, float | None]:
    """Whether the line was written again since, and when."""
    at = _changed_at(folders.data, LINE_FILE)
    return at != since, at


def _table(pairs: dict[str, object]) -> SimpleNamespace:
    return SimpleNamespace(**pairs)


def _check_store(path: str) -> None:
    """A store that is no SQLite file is broken, whatever was written beside it before; an empty one is new."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - pathlib costs 9 ms
            start = file.read(len(_SQLITE))
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise Broken from error
    if start and start != _SQLITE:
        raise Broken


def _changed_at(folder: str, name: str) -> float | None:
    try:
        return os.stat(os.path.join(folder, name)).st_mtime  # noqa: PTH116, PTH118 - pathlib costs 9 ms
    except OSError:
        return None
