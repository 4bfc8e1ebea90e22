"""Our reading of a diff against git's own counts and paths."""

import subprocess
from pathlib import Path

from perilune.patches.model import Diff, FileKind, Status

_OPTIONS = ("--no-ext-diff", "--no-textconv", "-M", "-l5000", "--ignore-submodules=none")


def differences(repository: Path, base: str, head: str, diff: Diff) -> list[str]:
    """Where path, status or counts of a file are not git's; empty when all are equal."""
    counts = _numstat(repository, base, head)
    states = _statuses(repository, base, head)
    found = []
    for file in diff.files:
        wanted = counts.pop(file.path, None)
        is_binary = file.kind is FileKind.BINARY
        ours = None if is_binary else (file.added, file.removed)
        if wanted is None:
            found.append(f"{file.name}: git has no such file")
        elif file.failure is not None:
            found.append(f"{file.name}: not read: {file.failure.reason}")
        elif file.status is not Status.TYPE_CHANGED and ours != wanted[1]:
            found.append(f"{file.name}: {ours} lines, git counts {wanted[1]}")
        elif (file.old_path or file.path) != wanted[0] or file.status != states[file.path]:
            found.append(f"{file.name}: from {file.old_name} {file.status}, git says {wanted[0]!r} {states[file.path]}")
    return found + [f"{path.decode(errors='replace')}: missing" for path in counts]


def _numstat(repository: Path, base: str, head: str) -> dict[bytes, tuple[bytes, tuple[int, int] | None]]:
    """By new path: the old path, and added and removed lines, None for binary files."""
    fields = _git(repository, "diff", *_OPTIONS, "--numstat", "-z", base, head).split(b"\0")
    found: dict[bytes, tuple[bytes, tuple[int, int] | None]] = {}
    at = 0
    while at < len(fields) - 1:
        added, removed, path = fields[at].split(b"\t", 2)
        count = None if added == b"-" else (int(added), int(removed))
        if path:
            found[path] = (path, count)
            at += 1
        else:
            found[fields[at + 2]] = (fields[at + 1], count)
            at += 3
    return found


def _statuses(repository: Path, base: str, head: str) -> dict[bytes, str]:
    fields = _git(repository, "diff", *_OPTIONS, "--name-status", "-z", base, head).split(b"\0")
    found: dict[bytes, str] = {}
    at = 0
    while at < len(fields) - 1:
        letter = fields[at][:1].decode()
        is_pair = letter in "RC"
        found[fields[at + 1 + is_pair]] = letter
        at += 3 if is_pair else 2
    return found


def _git(repository: Path, *arguments: str) -> bytes:
    return subprocess.run(["git", "-C", str(repository), *arguments], capture_output=True, check=True).stdout
