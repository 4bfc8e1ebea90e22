"""What was put where, so that exactly that can be taken out again."""

import os
from hashlib import sha256
from pathlib import Path

import msgspec
from msgspec import Struct

from perilune.core.decoding import decoded


class Entry(Struct, frozen=True, kw_only=True):
    """One edit that was made. `before` is what stood in our place; `digest` is of the file as we left it."""

    name: str
    file: str
    before: str | None
    is_new_file: bool
    digest: str


class _Record(Struct, frozen=True, kw_only=True):
    schema: str = "perilune.installs.v1"
    entries: tuple[Entry, ...] = ()


def digest(text: str) -> str:
    """The digest of a file's text."""
    return sha256(text.encode()).hexdigest()


def find(record: Path, name: str, file: Path) -> Entry | None:
    """What is known of an edit."""
    return next((entry for entry in _load(record).entries if (entry.name, entry.file) == (name, str(file))), None)


def remember(record: Path, entry: Entry) -> None:
    """Keep an entry in place of an older one of the same edit."""
    _save(record, (*_others(record, entry.name, entry.file), entry))


def forget(record: Path, name: str, file: Path) -> None:
    """Drop what is known of an edit."""
    if record.exists():
        _save(record, _others(record, name, str(file)))


def _others(record: Path, name: str, file: str) -> tuple[Entry, ...]:
    return tuple(entry for entry in _load(record).entries if (entry.name, entry.file) != (name, file))


def _load(record: Path) -> _Record:
    try:
        return decoded(record.read_bytes(), _Record)
    except (FileNotFoundError, msgspec.DecodeError, msgspec.ValidationError):
        return _Record()


def _save(record: Path, entries: tuple[Entry, ...]) -> None:
    record.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = record.with_name(f".{record.name}.{os.getpid()}")
    temporary.write_bytes(msgspec.json.format(msgspec.json.encode(_Record(entries=entries)), indent=2))
    temporary.replace(record)
