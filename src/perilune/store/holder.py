"""Which process holds a SQLite file's write lock, where the system tells."""

from pathlib import Path

_LOCKS = Path("/proc/locks")
_WAL_WRITE_BYTE = 120


def lock_holder(path: Path) -> int | None:
    """The pid that writes to the store now; None where it is not known.

    Source: /proc/locks, the write lock on byte 120 of the `-shm` file, as SQLite's WAL format fixes it.
    """
    try:
        inode = Path(f"{path}-shm").stat().st_ino
        lines = _LOCKS.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next((pid for line in lines if (pid := _writer(line, inode)) is not None), None)


def _writer(line: str, inode: int) -> int | None:
    fields = line.split()
    if len(fields) < 8 or fields[3] != "WRITE" or fields[5].rpartition(":")[2] != str(inode):
        return None
    first, last = fields[6], fields[7]
    covers = int(first) <= _WAL_WRITE_BYTE and (last == "EOF" or int(last) >= _WAL_WRITE_BYTE)
    return int(fields[4]) if covers and int(fields[4]) > 0 else None
