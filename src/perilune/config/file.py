"""The configuration file on disk: locked while it is edited, replaced at once, readable by its owner alone."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile

from perilune.config.edit import Edit
from perilune.config.load import parse, read_text


def edit_file(file: Path, edit: Edit, check: Callable[[str], None] = lambda _: None) -> str:
    """Edit the configuration in one step and return its new text; a file that does not exist starts empty.

    Raises: PL-CONFIG-… when it could not be read before, or would not be valid after. Then it is not changed.
    """
    with _lock(file):
        before = read_text(file)
        if before is not None:
            parse(before, file.name)
        after = edit("schema = 1\n" if before is None else before)
        parse(after, file.name)
        check(after)
        if after != before:
            replace(file, after)
        return after


def replace(file: Path, text: str) -> None:
    """Put the text in the file's place, whole or not at all. A link is followed."""
    target = file.resolve()
    temporary = NamedTemporaryFile("wb", dir=target.parent, prefix=f".{target.name}.", delete=False)  # noqa: SIM115
    written = Path(temporary.name)
    try:
        with temporary:
            temporary.write(text.encode())
            temporary.flush()
            os.fsync(temporary.fileno())
        written.chmod(0o600)
        written.replace(target)
    except BaseException:
        written.unlink(missing_ok=True)
        raise


@contextmanager
def _lock(file: Path) -> Iterator[None]:
    """One editor at a time; the lock falls with its process."""
    for folder in reversed(file.parents):
        folder.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(file.with_name(f".{file.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _lock_descriptor(descriptor)
        yield
    finally:
        os.close(descriptor)


def _lock_descriptor(descriptor: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX)
