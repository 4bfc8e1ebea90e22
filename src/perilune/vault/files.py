"""Private files: 0600 in a 0700 folder, written whole or not at all, refused when others can read them."""

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile


def make_private_folder(folder: Path) -> None:
    """The folder, readable by its owner alone; folders above it that do not exist yet become so too."""
    for parent in reversed([folder, *folder.parents]):
        parent.mkdir(mode=0o700, exist_ok=True)
    if os.name == "posix" and stat.S_IMODE(folder.stat().st_mode) & 0o077:
        folder.chmod(0o700)


def is_open_to_others(file: Path) -> bool:
    """Whether group or others may read a file. Only POSIX modes say so."""
    return os.name == "posix" and bool(stat.S_IMODE(file.stat().st_mode) & 0o077)


def write_private(file: Path, content: bytes) -> None:
    """Put the content in the file's place, 0600, whole or not at all."""
    make_private_folder(file.parent)
    temporary = NamedTemporaryFile("wb", dir=file.parent, prefix=f".{file.name}.", delete=False)  # noqa: SIM115
    written = Path(temporary.name)
    try:
        with temporary:
            temporary.write(content)
            temporary.flush()
            os.fsync(temporary.fileno())
        written.replace(file)
    except BaseException:
        written.unlink(missing_ok=True)
        raise


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """One writer of a folder at a time; the lock falls with its process."""
    make_private_folder(folder)
    descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
