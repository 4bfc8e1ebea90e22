"""Running a program of the user's for one message: no shell, little environment, ended when its time is over."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Mapping, Sequence

from msgspec import Struct

_PASSED = ("PATH", "HOME", "LANG", "SYSTEMROOT")
SCREENS = ("DBUS_SESSION_BUS_ADDRESS", "WAYLAND_DISPLAY", "DISPLAY")
SESSION = (*SCREENS, "XDG_RUNTIME_DIR", "XAUTHORITY")


class Ended(Struct, frozen=True):
    """How a program ended: its status, None when it was not there or took too long, and what it printed."""

    status: int | None
    words: str


def small_environment(
    environment: Mapping[str, str], more: Mapping[str, str], passed: Sequence[str] = ()
) -> dict[str, str]:
    """PATH, HOME, LANG and what is `passed`, and what is added: nothing else that this process was given."""
    return {name: environment[name] for name in (*_PASSED, *passed) if name in environment} | dict(more)


async def run(argv: Sequence[str], stdin: bytes, environment: Mapping[str, str], limit_s: float) -> Ended:
    """Run one program to its end. Whatever it started ends with it when its time is over."""
    try:
        process = await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=dict(environment),
            start_new_session=sys.platform != "win32",
        )
    except OSError as error:
        return Ended(None, error.strerror or type(error).__name__)
    try:
        async with asyncio.timeout(limit_s):
            printed, _ = await process.communicate(stdin)
    except TimeoutError:
        await _kill(process)
        return Ended(None, f"not done after {limit_s:g} s")
    except asyncio.CancelledError:
        await _kill(process)
        raise
    return Ended(process.returncode, printed.decode("utf-8", "replace").strip())


async def _kill(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
