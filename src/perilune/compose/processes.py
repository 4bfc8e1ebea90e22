"""Processes by the names that jobs know them by: host and number."""

import os
import platform
import sys


def this_process() -> str:
    """The name of this process."""
    return f"{platform.node()} {os.getpid()}"


def has_ended(name: str) -> bool:
    """Whether a process of this machine is gone for certain. Of other machines, and on Windows, nobody can say."""
    host, _, number = name.rpartition(" ")
    if host != platform.node() or not number.isdigit() or sys.platform == "win32":
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False
