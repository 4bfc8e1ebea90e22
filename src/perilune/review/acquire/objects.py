"""Objects by id over one `git cat-file --batch`, so that no path of the repository is ever opened."""

import subprocess
from typing import Protocol

from perilune.review.acquire.git import Git


class Objects(Protocol):
    """Reads objects by id, or by `commit:path`."""

    def read(self, name: str) -> bytes | None: ...

    def close(self) -> None: ...


class NoObjects:
    """Where there is only a patch."""

    def read(self, name: str) -> bytes | None:
        return None

    def close(self) -> None:
        """Nothing is open."""


class GitObjects:
    """Objects of a repository, each read once."""

    def __init__(self, git: Git) -> None:
        self._git = git
        self._process: subprocess.Popen[bytes] | None = None
        self._known: dict[str, bytes | None] = {}

    def read(self, name: str) -> bytes | None:
        """The content of a blob, None where there is no such object or it is none."""
        if "\n" in name or not name:
            return None
        if name not in self._known:
            self._known[name] = self._ask(name)
        return self._known[name]

    def _ask(self, name: str) -> bytes | None:
        process = self._started()
        if process.stdin is None or process.stdout is None:
            return None
        try:
            process.stdin.write(name.encode("utf-8", "surrogateescape") + b"\n")
            process.stdin.flush()
            header = process.stdout.readline().rstrip(b"\n").rsplit(b" ", 2)
            if len(header) != 3 or not header[2].isdigit():
                return None
            content = process.stdout.read(int(header[2]))
            process.stdout.read(1)
        except OSError:
            return None
        return content if header[1] == b"blob" else None

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            self._process = self._git.opened("cat-file", "--batch")
        return self._process

    def close(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        process.wait(timeout=10)
