"""`perilune install ci`: files that the forges' own schemas accept, the same as in the guide."""

import io
import json
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML
from tests.patches.shapes import Repo

from perilune.faces.install.ci import PLACES, text_of

ROOT = Path(__file__).resolve().parents[3]
SCHEMAS = {"github": "github-workflows", "gitlab": "gitlab-ci"}
FILES = {"github": ".github/workflows/perilune.yml", "gitlab": ".gitlab-ci.yml"}


@pytest.mark.parametrize("where", PLACES)
def test_the_forge_accepts_the_file(where: Any) -> None:
    folder = files("check_jsonschema") / "builtin_schemas" / "vendor"
    schema = json.loads((folder / f"{SCHEMAS[where]}.json").read_text())
    document = YAML(typ="safe", pure=True).load(io.StringIO(text_of(where)))
    validator = jsonschema.validators.validator_for(schema)(schema)
    assert [error.message for error in validator.iter_errors(document)] == []


@pytest.mark.parametrize("where", PLACES)
def test_it_is_shown_written_and_taken_out(
    where: Any, installs: Callable[..., Any], repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    (repo.root / "deep").mkdir()
    monkeypatch.chdir(repo.root / "deep")
    file = repo.root / FILES[where]
    assert installs("ci", where, "--dry-run").status == 0
    assert not file.exists()
    assert installs("ci", where, "--yes").status == 0
    assert file.read_text() == text_of(where)
    assert installs("ci", where, "--undo").status == 0
    assert not file.exists() or file.read_text() == ""


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo(tmp_path / "repo")


@pytest.mark.parametrize("guide", ["docs/guide/review.md", "docs/zh-CN/guide/review.md"])
def test_the_guide_shows_the_same_files(guide: str) -> None:
    text = (ROOT / guide).read_text(encoding="utf-8")
    assert all(f"```yaml\n{text_of(where)}```" in text for where in PLACES)
