"""Private copies of stores: a running browser is not disturbed, and nothing stays behind."""

import shutil
import sqlite3
import stat
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from perilune.browsers.stored import StoreError

_TIMES = 3
_COMPANIONS = ("", "-wal", "-journal")


@contextmanager
def private_folder() -> Iterator[Path]:
    """A folder of the user alone that is removed afterwards, also on failure."""
    folder = Path(tempfile.mkdtemp(prefix="perilune-"))  # 0700 by itself
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def opened_copy(database: Path) -> Iterator[sqlite3.Connection]:
    """A copy of a SQLite file with what is still in its log, opened. Raises: StoreError."""
    with private_folder() as folder:
        copy_steady([Path(f"{database}{companion}") for companion in _COMPANIONS], folder)
        connection: sqlite3.Connection | None = None
        try:
            connection = sqlite3.connect(folder / database.name)
            yield connection
        except sqlite3.Error:
            raise StoreError("PL-COOKIE-UNREADABLE", "store") from None
        finally:
            if connection is not None:
                connection.close()


def is_there(file: Path) -> bool:
    """Whether a file is there. Raises: StoreError where the system does not let it be looked at."""
    try:
        return stat.S_ISREG(file.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        raise _refused() from None


def copy_steady(files: Sequence[Path], folder: Path) -> None:
    """Copy files that may be written meanwhile, again while one of them changed. Raises: StoreError."""
    for _ in range(_TIMES):
        before = _sizes(files)
        try:
            for file in before:
                shutil.copyfile(file, folder / file.name)
        except FileNotFoundError:
            continue  # the browser has just folded it into another
        except OSError:
            raise _refused() from None
        if _sizes(files) == before:
            return
    if not any((folder / file.name).exists() for file in files):
        raise StoreError("PL-COOKIE-UNREADABLE", "store")


def _sizes(files: Sequence[Path]) -> dict[Path, tuple[int, int]]:
    sizes = {}
    for file in files:
        try:
            seen = file.stat()
        except FileNotFoundError:
            continue
        except OSError:
            raise _refused() from None
        sizes[file] = (seen.st_size, seen.st_mtime_ns)
    return sizes


def _refused() -> StoreError:
    """On Windows a running browser holds its file; elsewhere it is the system that refuses."""
    return StoreError("PL-COOKIE-LOCKED", "held") if sys.platform == "win32" else StoreError("PL-COOKIE-PERMISSION")
