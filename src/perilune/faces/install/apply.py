"""Showing, making and undoing a change."""

from collections.abc import Iterator
from difflib import SequenceMatcher
from pathlib import Path

from msgspec import Struct

from perilune.faces.install import files, record
from perilune.faces.install.hosts import Change


class Planned(Struct, frozen=True, kw_only=True):
    """A change against the file as it is. `before` is None where there is no file."""

    change: Change
    before: str | None
    after: str
    replaced: str | None = None

    @property
    def changes_something(self) -> bool:
        return self.after != (self.before or "") or self.before is None


class Undone(Struct, frozen=True, kw_only=True):
    """What undoing would leave; `after` None takes the file away. `has_changed`: others wrote to it since."""

    change: Change
    before: str
    after: str | None
    has_changed: bool


def plan(change: Change) -> Planned:
    """The change as it would be made. Raises: Unfit, OSError, UnicodeDecodeError."""
    before = files.read(change.file)
    after, replaced = change.edit.put(before or "")
    return Planned(change=change, before=before, after=after, replaced=replaced)


def make(planned: Planned, record_file: Path, backup: Path) -> None:
    """Write the change, with a copy of the file as it was."""
    change = planned.change
    known = record.find(record_file, change.name, change.file)
    if planned.before is not None:
        files.keep_backup(change.file, backup)
    files.replace(change.file, planned.after, change.mode)
    entry = record.Entry(
        name=change.name,
        file=str(change.file),
        before=planned.replaced if planned.replaced is not None else (known.before if known else None),
        is_new_file=known.is_new_file if known else planned.before is None,
        digest=record.digest(planned.after),
    )
    record.remember(record_file, entry)


def plan_undo(change: Change, record_file: Path) -> Undone | None:
    """What is left when ours is taken out; None when it is not there."""
    text = files.read(change.file)
    known = record.find(record_file, change.name, change.file)
    after = None if text is None else change.edit.take(text, known.before if known else None)
    if text is None or after is None:
        return None
    is_ours_alone = known is not None and known.is_new_file and not after.strip(" \r\n\t{}")
    has_changed = known is not None and record.digest(text) != known.digest
    return Undone(change=change, before=text, after=None if is_ours_alone else after, has_changed=has_changed)


def undo(undone: Undone, record_file: Path, backup: Path) -> None:
    """Take ours out, with a copy of the file as it was."""
    change = undone.change
    files.keep_backup(change.file, backup)
    if undone.after is None:
        change.file.unlink()
    else:
        files.replace(change.file, undone.after)
    record.forget(record_file, change.name, change.file)


def diff_lines(before: str, after: str) -> Iterator[str]:
    """What goes and what comes, without the empty lines between."""
    old, new = before.splitlines(), after.splitlines()
    for kind, start, end, new_start, new_end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            continue
        yield from (f"- {line}" for line in old[start:end] if line.strip())
        yield from (f"+ {line}" for line in new[new_start:new_end] if line.strip())
