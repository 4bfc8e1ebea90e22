"""The recipes of docs/guide/clients.md, so that what is printed there is what is run."""

import re
from pathlib import Path
from typing import NamedTuple

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guide" / "clients.md"
ORIGIN = "http://127.0.0.1:8787"

_SECTION = re.compile(r"^## (.+?)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Recipe(NamedTuple):
    """How one tool is set up and tried. `language` is that of the trial: sh, python or js."""

    language: str
    setup: str
    trial: str


def recipes(text: str) -> dict[str, Recipe]:
    """The recipes by the heading they stand under: every block but the last is the setup."""
    found: dict[str, Recipe] = {}
    for title, body in _SECTION.findall(text):
        blocks: list[tuple[str, str]] = _BLOCK.findall(body)
        if blocks:
            *setup, (language, trial) = blocks
            found[title] = Recipe(language, "".join(block for _, block in setup), trial)
    return found


def recipe_of(title: str, origin: str) -> Recipe:
    """One recipe, pointed at this address. Raises: KeyError when the guide has none."""
    language, setup, trial = recipes(GUIDE.read_text(encoding="utf-8"))[title]
    return Recipe(language, setup.replace(ORIGIN, origin), trial.replace(ORIGIN, origin))
