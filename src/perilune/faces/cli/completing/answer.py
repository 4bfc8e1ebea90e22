"""Answers a shell that completes: candidates one a line, with what they are behind a tab."""

import sys
from collections.abc import Mapping, Sequence
from typing import TextIO

from perilune.core.messages import pick_language
from perilune.faces.cli.completing import VARIABLE
from perilune.faces.cli.completing.candidates import candidates


def answer(words: Sequence[str], environment: Mapping[str, str], out: TextIO | None = None) -> int:
    """Print what could stand in place of the last word; a variable of `new` adds an empty one behind the others."""
    line = [*words, ""] if environment.get(VARIABLE) == "new" or not words else [*words]
    stream = out or sys.stdout
    try:
        for value, told in candidates(line, environment, pick_language(environment)):
            stream.write(f"{value}\t{told}\n" if told else f"{value}\n")
    except Exception:  # noqa: BLE001 - a shell that completes shows no error: it offers nothing
        return 1
    return 0
