"""The file that status lines read: replaced at once, readable by its owner alone."""

import os
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

import msgspec

from perilune.quota.line import Line


def save_line(file: Path, line: Line) -> None:
    """Put `line` in the file's place, whole or not at all. It can be made again, so it is not forced to the disk."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = NamedTemporaryFile("wb", dir=file.parent, prefix=f".{file.name}.", delete=False)  # noqa: SIM115
    try:
        with temporary:
            temporary.write(msgspec.json.encode(line))
        os.replace(temporary.name, file)  # noqa: PTH105 - the name is text here
    except BaseException:
        with suppress(OSError):
            Path(temporary.name).unlink()
        raise
