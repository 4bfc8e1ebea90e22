"""Runs one command line: the loop boundary where every error becomes words and an exit status."""

import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from perilune.core.errors import PeriluneError, Problem
from perilune.core.redact import redact
from perilune.faces.cli.app import perilune
from perilune.faces.cli.session import Session
from perilune.faces.cli.usage import usage_problem

_INTERRUPTED = 130


def run(arguments: Sequence[str], workbench: Any, session: Session | None = None) -> int:
    """Run the command of `arguments` and return its exit status."""
    session = session or Session.of_process(workbench)
    try:
        status = _invoke(arguments, session)
        _mark_sandbox(session)
        session.stdout.flush()
    except BrokenPipeError:
        return _close_quietly()
    except (KeyboardInterrupt, click.Abort) as stopped:
        has_ended_line = isinstance(stopped.__cause__, KeyboardInterrupt) and session.stderr is sys.stderr
        if not has_ended_line:  # click ends it on the process's own stream
            session.stderr.write("\n")
        return _INTERRUPTED
    return status


def _invoke(arguments: Sequence[str], session: Session) -> int:
    try:
        result = perilune.main(list(arguments), prog_name="perilune", standalone_mode=False, obj=session)
    except PeriluneError as error:
        _trace(session, times=2)
        if error.problem.code == "PL-ACCOUNT-NONE" and not session.flags.quiet:
            _tell_found(session)
        return session.fail(error.problem)
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except click.UsageError as error:
        return session.fail(usage_problem(error))
    except (BrokenPipeError, click.Abort):
        raise
    except Exception as error:  # noqa: BLE001 - the loop boundary: whatever is left is a fault of ours, and is said so
        _trace(session, times=2)
        return session.fail(_bug(error))
    return result if isinstance(result, int) else 0


def _tell_found(session: Session) -> None:
    """Without an account: what is on this machine and could become one."""
    from perilune.faces.cli.start import tell_found

    tell_found(session)


def _bug(error: Exception) -> Problem:
    """A fault of ours, named by its type and place; its own words could hold what must not be shown."""
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    where = next((frame for frame in reversed(frames) if "perilune" in frame.filename), frames[-1])
    place = f"{os.path.basename(where.filename)}:{where.lineno}"  # noqa: PTH119 - only the name is wanted
    return Problem(code="PL-BUG", facts={"message": f"{type(error).__name__}, {place}"})


def _trace(session: Session, *, times: int) -> None:
    if session.flags.verbose >= times:
        import traceback

        session.err.write(redact(traceback.format_exc()))


def _mark_sandbox(session: Session) -> None:
    """Text output ends with the band while the vendors are played, so that played numbers are not taken for real."""
    upstream = session.environment.get("PERILUNE_UPSTREAM")
    if upstream and session.out.has_written and not session.has_machine_text:
        session.answer(session.voice.say("common.sandbox", upstream=upstream.rstrip("/")))


def _close_quietly() -> int:
    """The reader of our output has gone; nothing failed, and nothing more can be said."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0
