"""Commands in comments, read as text alone: who may give them is asked elsewhere."""

import re
import unicodedata
from collections.abc import Iterator
from enum import StrEnum

from msgspec import Struct

from perilune.forges.contract.port import Permission

_MOST_FOCUS = 500
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_ASSOCIATIONS = frozenset({"OWNER", "MEMBER", "COLLABORATOR"})


class Verb(StrEnum):
    """What can be asked for."""

    REVIEW = "review"
    EXPLAIN = "explain"
    DISMISS = "dismiss"
    RESOLVE = "resolve"
    REOPEN = "reopen"
    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"
    STATUS = "status"
    CONFIG = "config"
    HELP = "help"
    UNKNOWN = "unknown"


REPLIES = frozenset({Verb.EXPLAIN, Verb.DISMISS, Verb.RESOLVE, Verb.REOPEN})
"""Verbs that mean the thread they are said in."""


class Command(Struct, frozen=True, kw_only=True):
    """One command. `text` is the focus of a review or the reason of a dismissal: one line, cut, nothing hidden."""

    verb: Verb
    is_forced: bool = False
    text: str = ""


def parse_command(body: str, bot_name: str = "perilune") -> Command | None:
    """The command of a comment: its first line that is neither quoted nor code begins with the name; else None."""
    line = next(_plain_lines(body), "")
    names = "|".join(re.escape(name) for name in dict.fromkeys(("perilune", bot_name)) if name)
    found = re.match(rf"@(?:{names})(?:[ \t]+(.*))?$", line.strip(), re.IGNORECASE | re.DOTALL)
    if found is None:
        return None
    words = (found[1] or "").strip()
    verb, _, rest = words.partition(" ")
    return _command(verb.lower(), rest.strip())


def _plain_lines(body: str) -> Iterator[str]:
    """Lines that are not blank, quoted, fenced or indented as code."""
    fence = ""
    for line in body.replace("\r\n", "\n").split("\n"):
        mark = _FENCE.match(line)
        if fence:
            fence = "" if mark is not None and line.strip().startswith(fence) else fence
        elif mark is not None:
            fence = mark[1]
        elif line.strip() and not line.lstrip().startswith(">"):
            yield "" if line.startswith(("    ", "\t")) else line


def _command(word: str, rest: str) -> Command:
    if word == "":
        return Command(verb=Verb.HELP)
    verb = Verb(word) if word in set(Verb) - {Verb.UNKNOWN} else Verb.UNKNOWN
    if verb is not Verb.REVIEW:
        return Command(verb=verb, text=_focus(rest) if verb is Verb.DISMISS else "")
    first, _, after = rest.partition(" ")
    is_forced = first == "--force"
    return Command(verb=verb, is_forced=is_forced, text=_focus(after if is_forced else rest))


def _focus(text: str) -> str:
    """One line of text without control, format and other unseen characters."""
    seen = "".join(" " if unicodedata.category(char)[0] in "CZ" else char for char in text)
    return " ".join(seen.split())[:_MOST_FOCUS]


def may_command(forge: str, association: str, permission: Permission) -> bool:
    """Whether an author may give commands: write permission, and on GitHub also what the comment calls them."""
    may_write = permission in ("write", "admin")
    return may_write and (forge != "github" or association in _ASSOCIATIONS)
