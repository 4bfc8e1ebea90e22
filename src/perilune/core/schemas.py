"""The JSON Schemas that rooms ship as `schema/NAME.vN.json` beside the code that writes such documents."""

from pathlib import Path

import perilune


def schema_files() -> dict[str, Path]:
    """Every shipped schema by its short name (`status`, the newest version) and by its full one (`status.v1`)."""
    found: dict[str, Path] = {}
    for root in map(Path, perilune.__path__):
        for file in sorted(root.glob("*/schema/*.json")):
            found[file.name.removesuffix(".json")] = file
            found[file.name.partition(".")[0]] = file
    return found
