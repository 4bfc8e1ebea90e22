"""A stale line asks for a reading, at most once a minute for all status lines of a user together.

A running service is asked by a fresh stamp; without one, a detached `perilune status --refresh` is started.
"""

from __future__ import annotations

import os
import sys
import time

from perilune.config.folders import WISH_FILE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from perilune.config.folders import Folders
    from perilune.quota.line import Line

_REST_S = 60
_REFRESH = ("-P", "-m", "perilune", "status", "--refresh", "-q", "--no-input")


def is_stale(line: Line, now: int) -> bool:
    """Whether some account should have been read by now."""
    return any(
        account.fetched_at is None or now + account.skew_s - account.fetched_at > account.refresh_after_s
        for account in line.accounts
    )


def nudge(folders: Folders, line: Line | None, now: int) -> bool:
    """Ask for a reading unless that was done a minute ago. True when it was asked for."""
    try:
        if not _stamped(os.path.join(folders.data, WISH_FILE), now):  # noqa: PTH118 - pathlib costs 9 ms
            return False
        if not is_served(line, now):
            start_detached(_REFRESH)
    except OSError:
        return False
    return True


def start_detached(arguments: tuple[str, ...]) -> None:
    """Start our own Python with `arguments`, free of this process, its terminal and its pipes.

    `-P` in them keeps the current folder, which may be anybody's, out of the search for modules.
    """
    command = [sys.executable, *arguments]
    if sys.platform == "win32":
        import subprocess

        flags = subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP
        nothing = subprocess.DEVNULL
        subprocess.Popen(command, stdin=nothing, stdout=nothing, stderr=nothing, creationflags=flags)
        return
    nowhere = [(os.POSIX_SPAWN_OPEN, descriptor, os.devnull, os.O_RDWR, 0) for descriptor in (0, 1, 2)]
    os.posix_spawn(sys.executable, command, os.environ, file_actions=nowhere, setsid=True)


def _stamped(path: str, now: int) -> bool:
    """Put the moment on the stamp; False when another did within a minute. One process at a time."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if not _locked(descriptor):
            return False
        written = os.read(descriptor, 32).decode("ascii", "replace").strip()
        if written.isdecimal() and 0 <= now - int(written) < _REST_S:
            return False
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.truncate(descriptor, 0)
        os.write(descriptor, str(now).encode())
    finally:
        os.close(descriptor)
    return True


def _locked(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def is_served(line: Line | None, now: int) -> bool:
    """Whether a service keeps this line: its process is there, and the line is not older than it lets it become."""
    if line is None or line.service is None or sys.platform == "win32":
        return False
    patience = max((account.stale_after_s for account in line.accounts), default=0)
    if now - line.written_at > patience:
        return False
    try:
        os.kill(line.service, 0)
    except OSError:
        return False
    return True


def now_s() -> int:
    """This moment."""
    return int(time.time())
