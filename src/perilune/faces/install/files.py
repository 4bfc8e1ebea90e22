"""Other programs' files: read as they are, replaced whole, with their mode, behind a link too; a copy kept before."""

import os
import shutil
from datetime import datetime
from pathlib import Path
from tempfile import NamedTemporaryFile


def read(file: Path) -> str | None:
    """The text with its own line ends; None when there is no file. Raises: OSError, UnicodeDecodeError."""
    try:
        return file.read_bytes().decode()
    except FileNotFoundError:
        return None


def backup_path(file: Path, local_now: datetime) -> Path:
    """`tui.toml.perilune-20261120-200000`."""
    return file.with_name(f"{file.name}.perilune-{local_now:%Y%m%d-%H%M%S}")


def keep_backup(file: Path, backup: Path) -> None:
    """Copy a file with its mode beside itself."""
    shutil.copy2(file, backup)


def replace(file: Path, text: str, mode: int | None = None) -> None:
    """Put a text in the file's place. A link is followed; an existing file keeps its mode."""
    target = file.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    old = target.stat().st_mode & 0o777 if target.exists() else None
    temporary = NamedTemporaryFile("wb", dir=target.parent, prefix=f".{target.name}.", delete=False)  # noqa: SIM115
    written = Path(temporary.name)
    try:
        with temporary:
            temporary.write(text.encode())
            temporary.flush()
            os.fsync(temporary.fileno())
        written.chmod(old if old is not None else mode if mode is not None else 0o644)
        written.replace(target)
    except BaseException:
        written.unlink(missing_ok=True)
        raise
