"""One small repository with one pull request on each played forge, for trying reviews by hand."""

from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from perilune.sandbox.forge.app import ForgeApp
from perilune.sandbox.forge.state import DIALECTS, Dialect, Forge

_BASE = """\
def mean(values: list[float]) -> float:
    if not values:
        return 0.0
    return sum(values) / len(values)


def names(rows: list[dict[str, str]]) -> list[str]:
    return [row["name"] for row in rows]
"""
_HEAD = _BASE.replace("    if not values:\n        return 0.0\n", "").replace('row["name"]', 'row.get("name").strip()')
_PATHS = {"github": "pull/1", "gitlab": "-/merge_requests/1", "gitea": "pulls/1"}


class SamplePull(Struct, frozen=True):
    """Where a sample pull request is, below the sandbox's address, and the token that may comment on it."""

    forge: Dialect
    path: str
    token: str


def sample_forges(folder: Path) -> ForgeApp:
    """Three forges with their sample, kept below `folder`. Calls git."""
    forges = {dialect: Forge(dialect, folder) for dialect in DIALECTS}
    for forge in forges.values():
        author, bot = forge.user("ada"), forge.user("perilune-bot")
        repository = forge.repository("team/shop", {"ada": "write", "perilune-bot": "write"})
        base = repository.bare.commit("refs/heads/main", {"shop/figures.py": _BASE}, "Begin")
        repository.bare.commit("refs/heads/simpler", {"shop/figures.py": _HEAD}, "Make it simpler", parent=base)
        repository.open_pull(author, head="simpler", title="Make it simpler", body="Less code.")
        bot.token = f"forge-{forge.dialect}-EXAMPLE"
    return ForgeApp(forges)


def sample_pulls(app: ForgeApp) -> Iterator[SamplePull]:
    """The sample of each forge."""
    for dialect, forge in app.forges.items():
        path = f"/{dialect}/team/shop/{_PATHS[dialect]}"
        yield SamplePull(dialect, path, forge.users["perilune-bot"].token)
