"""Whether a changed file still parses: by the language's own parser where we have it, else by its grammar."""

import ast
import json
import tomllib
import warnings
from collections.abc import Callable

from perilune.review.structure.grammar import fault_count

_PARSERS: dict[str, Callable[[str], object]] = {
    "py": ast.parse,
    "pyi": ast.parse,
    "json": json.loads,
    "toml": tomllib.loads,
}


def parses_after(path: str, before: str, after: str) -> bool | None:
    """Whether the file has no new syntax error; None where no parser knows it."""
    parser = _PARSERS.get(path.rpartition(".")[2].lower())
    if parser is not None and _is_readable(parser, before):
        return _is_readable(parser, after)
    faults, left = fault_count(path, after), fault_count(path, before)
    if faults is None or left is None:
        return None if parser is None else True  # it was not readable before either
    return faults <= left


def _is_readable(parser: Callable[[str], object], text: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parser(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return False
    return True
