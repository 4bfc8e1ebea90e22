from datetime import date
from pathlib import Path

import pytest

from scripts import _changelog


def fragment(root: Path, name: str, text: str) -> None:
    (root / "changelog.d").mkdir(exist_ok=True)
    (root / "changelog.d" / name).write_text(text, encoding="utf-8")


def test_the_projects_own_fragments_can_be_used() -> None:
    assert _changelog.release_text(_changelog.read_fragments(_changelog.ROOT / "changelog.d"))


def test_fragments_are_gathered_by_kind(tmp_path: Path) -> None:
    fragment(tmp_path, "b-later.fixed.md", "Resets no longer round down.\n")
    fragment(tmp_path, "a-first.added.md", "A new plan.\nOver two lines.\n")
    fragment(tmp_path, "README.md", "# How to\n")
    assert _changelog.release_text(_changelog.read_fragments(tmp_path / "changelog.d")) == (
        "### Added\n\n- A new plan.\n  Over two lines.\n\n### Fixed\n\n- Resets no longer round down.\n"
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("x.md", "text"),
        ("x.improved.md", "text"),
        ("X.fixed.md", "text"),
        ("x.fixed.md", " "),
        ("x.fixed.md", "- a list"),
    ],
)
def test_a_fragment_that_cannot_be_used_is_named(tmp_path: Path, name: str, text: str) -> None:
    fragment(tmp_path, name, text)
    with pytest.raises(_changelog.FragmentError, match=name):
        _changelog.read_fragments(tmp_path / "changelog.d")


def test_a_release_moves_the_fragments_to_the_top_of_the_changelog(tmp_path: Path) -> None:
    (tmp_path / "CHANGELOG.md").write_text(
        "# Changes\n\n<!-- releases below -->\n\n## 0.1.0 (2026-01-01)\n", encoding="utf-8"
    )
    fragment(tmp_path, "x.added.md", "Something.\n")
    _changelog.release(tmp_path, "0.2.0", date(2026, 11, 20))
    assert (tmp_path / "CHANGELOG.md").read_text(encoding="utf-8") == (
        "# Changes\n\n<!-- releases below -->\n\n"
        "## 0.2.0 (2026-11-20)\n\n### Added\n\n- Something.\n\n## 0.1.0 (2026-01-01)\n"
    )
    assert not list((tmp_path / "changelog.d").glob("*"))
