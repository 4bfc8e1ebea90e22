"""Which process this is, told apart from a later one with the same number."""

import hashlib
import os
import platform
from pathlib import Path

from perilune.store.leases import Holder

_STILL_ACTIVE = 259
_MAY_ASK = 0x1000


def this_process() -> Holder:
    """The holder that rows of this process name."""
    return Holder(os.getpid(), started(os.getpid()) or 0, _host())


def is_alive(pid: int, process_started: int) -> bool:
    """Whether a process of this host still runs; in doubt it does."""
    system = platform.system()
    if system == "Windows":
        return _runs_on_windows(pid)
    if system == "Linux":
        now = started(pid)
        return now is not None and process_started in (0, now)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def started(pid: int) -> int | None:
    """Clock ticks after boot at which a process began; None when it does not run or the system does not tell.

    Source: /proc/PID/stat, field 22, counted behind the name in brackets.
    """
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in ("Z", "X") else int(fields[19])


def _host() -> str:
    parts = [platform.node()]
    for source in ("/proc/sys/kernel/random/boot_id", "/proc/self/ns/pid"):
        try:
            path = Path(source)
            parts.append(str(path.readlink()) if path.is_symlink() else path.read_text(encoding="ascii"))
        except OSError:
            parts.append("")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def _runs_on_windows(pid: int) -> bool:
    import ctypes

    kernel = vars(ctypes)["windll"].kernel32  # there on Windows only
    handle = kernel.OpenProcess(_MAY_ASK, False, pid)
    if not handle:
        return False
    code = ctypes.c_ulong()
    asked = kernel.GetExitCodeProcess(handle, ctypes.byref(code))
    kernel.CloseHandle(handle)
    return not asked or code.value == _STILL_ACTIVE
