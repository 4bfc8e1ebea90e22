"""Asking a person on the terminal. What is asked goes to standard error, so that answers stay clean."""

import getpass
import os
import sys

from perilune.core.secret import Secret
from perilune.faces.cli.session import Session

_PASTE_PAUSE_S = 0.05
_LONGEST = 65_536


def ask(session: Session, question: str, default: str) -> str:
    """The line a person types, or the default for an empty one."""
    _say(session, question)
    line = session.stdin.readline()
    if not line:
        raise KeyboardInterrupt
    return line.strip() or default


def confirm(session: Session, question: str) -> bool:
    """Whether a person says yes; no is the default."""
    return ask(session, f"{question} [y/N] ", "n").lower() in ("y", "yes", "是")


def ask_hidden(session: Session, question: str) -> str:
    """What a person pastes, without showing it but for the last four characters."""
    if sys.platform == "win32":
        _say(session, question)
        text = getpass.getpass("")
    else:
        text = _read_without_echo(session, question)
    tail = Secret(text.strip()).masked()[-4:] if len(text.strip()) >= 12 else ""
    session.err.line("•" * 12 + tail)
    return text


def _say(session: Session, question: str) -> None:
    session.stderr.write(session.err.shown(question))
    session.stderr.flush()


def _read_without_echo(session: Session, question: str) -> str:
    """One line, and the lines behind it that came with the same paste. The echo is off before anything is asked."""
    import select
    import termios

    descriptor = session.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    hidden = [*before[:3], before[3] & ~termios.ECHO, *before[4:]]
    try:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, hidden)
        _say(session, question)
        text = os.read(descriptor, _LONGEST)
        while text and select.select([descriptor], [], [], _PASTE_PAUSE_S)[0]:
            more = os.read(descriptor, _LONGEST)
            if not more:
                break
            text += more
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
    if not text:
        raise KeyboardInterrupt
    return text.decode("utf-8", "replace").removesuffix("\n")  # the key that ends a line is no part of what was pasted
