"""`.gitattributes` of the base: which paths it calls generated or vendored."""

import re
from collections.abc import Mapping
from pathlib import PurePosixPath

from perilune.patches.names import unquote
from perilune.review.globs import compile_glob

_WANTED = {"linguist-generated": "generated", "linguist-vendored": "vendored"}
_LINE = re.compile(r'("(?:[^"\\]|\\.)*"|\S+)\s+(.*)')
_FALSE = ("false", "0")

_Rule = tuple[re.Pattern[str], dict[str, bool]]


class Attributes:
    """The attributes files of a tree, by directory (`""` for the top)."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self._rules = {directory: _rules(text) for directory, text in files.items()}

    def of(self, path: str) -> dict[str, bool]:
        """`generated` and `vendored` as far as they are said; nearer files and later lines win."""
        found: dict[str, bool] = {}
        for directory in directories_of(path):
            name = path[len(directory) + 1 :] if directory else path
            for pattern, values in self._rules.get(directory, []):
                if pattern.fullmatch(name):
                    found.update(values)
        return found


def directories_of(path: str) -> list[str]:
    """The directories a path lies in, from the top (`""`) down."""
    parents = [str(parent) for parent in reversed(PurePosixPath(path).parents)]
    return ["" if parent == "." else parent for parent in parents]


def _rules(text: str) -> list[_Rule]:
    rules: list[_Rule] = []
    for line in text.split("\n"):
        match = _LINE.match(line.strip())
        if match is None or line.lstrip().startswith(("#", "[attr]")):
            continue
        values = dict(filter(None, map(_value, match[2].split())))
        if values:
            name = unquote(match[1].encode()).decode(errors="replace")
            rules.append((compile_glob(name, is_attribute=True), values))
    return rules


def _value(word: str) -> tuple[str, bool] | None:
    name, _, value = word.partition("=")
    bare = name.lstrip("-!")
    if bare not in _WANTED:
        return None
    return _WANTED[bare], bare == name and value.lower() not in _FALSE
