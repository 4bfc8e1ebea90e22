"""What a host writes to our standard input: JSON, read for at most 20 ms, else dropped."""

from __future__ import annotations

import _thread
import json
import os
import sys

_PATIENCE_S = 0.02
_MOST = 1024 * 1024
_CHUNK = 65_536


class HostInput:
    """Reads standard input beside the rest of the work. `started` at once, `taken` when it is needed."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._read = b""
        self._has_ended = False
        self._done = _thread.allocate_lock()
        self._done.acquire()
        _thread.start_new_thread(self._run, ())

    @classmethod
    def started(cls) -> HostInput | None:
        """The input of this process; None when there is none, or a person sits at it."""
        try:
            descriptor = sys.stdin.fileno() if sys.stdin is not None else -1
            return None if descriptor < 0 or os.isatty(descriptor) else cls(descriptor)
        except (OSError, ValueError):
            return None

    def taken(self) -> dict[str, object]:
        """The object that was written; empty when it is late, too large, or not JSON."""
        self._done.acquire(timeout=_PATIENCE_S)
        if not self._has_ended:
            return {}
        try:
            found = json.loads(self._read)
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    def _run(self) -> None:
        # A thread, because standard input is not always something that can be waited for; it dies with the process.
        try:
            while len(self._read) <= _MOST:
                chunk = os.read(self._descriptor, _CHUNK)
                if not chunk:
                    self._has_ended = True
                    break
                self._read += chunk
        except OSError:
            pass
        finally:
            self._done.release()
