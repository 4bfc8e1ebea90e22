"""One file whose bytes are locked: open file description locks (Linux), freed by the kernel when the process dies.

They belong to the open file, not to the process: another descriptor of the same file that is closed takes none away,
and a byte locked through this descriptor never conflicts with itself.
"""

import errno
import fcntl
import os
import struct
from functools import lru_cache
from pathlib import Path

_FLOCK = struct.Struct("hhqqi4x")  # struct flock where off_t has 64 bits


@lru_cache(maxsize=4096)
def _packed(kind: int, start: int, length: int) -> bytes:
    return _FLOCK.pack(kind, os.SEEK_SET, start, length, 0)


class LockFile:
    """The bytes of one file. Nothing is ever read from or written to it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def try_lock(self, byte: int) -> bool:
        """Lock one byte; False when another open file holds it."""
        try:
            fcntl.fcntl(self._fd, fcntl.F_OFD_SETLK, _packed(fcntl.F_WRLCK, byte, 1))
        except OSError as error:
            if error.errno in (errno.EAGAIN, errno.EACCES):
                return False
            raise
        return True

    def unlock(self, byte: int) -> None:
        """Free one byte, locked or not."""
        fcntl.fcntl(self._fd, fcntl.F_OFD_SETLK, _packed(fcntl.F_UNLCK, byte, 1))

    def foreign(self, start: int, end: int) -> tuple[int, int] | None:
        """Start and end of one lock that others hold in [start, end), not always the first; None when there is none."""
        asked = _packed(fcntl.F_WRLCK, start, end - start)
        kind, _, first, length, _ = _FLOCK.unpack(fcntl.fcntl(self._fd, fcntl.F_OFD_GETLK, asked))
        return None if kind == fcntl.F_UNLCK else (first, first + length)

    def count_foreign(self, start: int, end: int) -> int:
        """How many bytes of [start, end) others hold."""
        found = self.foreign(start, end) if start < end else None
        if found is None:
            return 0
        first, last = max(found[0], start), min(found[1], end)
        return last - first + self.count_foreign(start, first) + self.count_foreign(last, end)

    def close(self) -> None:
        """Close the file, which frees every byte locked through it."""
        os.close(self._fd)
