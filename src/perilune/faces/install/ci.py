"""A workflow for GitHub, a job for GitLab: install, review the pull or merge request, publish, hand in the report."""

from pathlib import Path
from typing import Literal, assert_never

from perilune.faces.install.edits.block import Block, Whole
from perilune.faces.install.hosts import Change

Where = Literal["github", "gitlab"]
PLACES: tuple[Where, ...] = ("github", "gitlab")


def ci(where: Where, root: Path) -> Change:
    """The file of a forge's own runner, in a repository."""
    match where:
        case "github":
            file = root / ".github" / "workflows" / "perilune.yml"
            return Change(name="ci-github", file=file, edit=Whole(text_of(where)), note="install.note.ci_github")
        case "gitlab":
            edit = Block(text_of(where))
            return Change(name="ci-gitlab", file=root / ".gitlab-ci.yml", edit=edit, note="install.note.ci_gitlab")
        case _:
            assert_never(where)


def text_of(where: Where) -> str:
    """The file as it is written, and as the guide shows it."""
    return (Path(__file__).with_name("ci_files") / f"{where}.yml").read_text(encoding="utf-8")
