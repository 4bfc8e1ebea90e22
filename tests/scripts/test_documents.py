from pathlib import Path

import pytest

from scripts import _documents


def document(root: Path, text: str, name: str = "README.md") -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "text",
    [
        "[there](docs/there.md)",
        "[heading](docs/there.md#two-words-here)",
        "[own](#top)\n\n# Top",
        "[outside](https://example.com/x)",
        "```md\n[example](nowhere.md)\n```",
    ],
)
def test_links_that_lead_somewhere(tmp_path: Path, text: str) -> None:
    document(tmp_path, "# Two words, here\n", "docs/there.md")
    assert list(_documents.dead_links(document(tmp_path, text), tmp_path)) == []


@pytest.mark.parametrize("text", ["[x](nowhere.md)", "[x](docs/there.md#gone)", "![x](docs/gone.png)"])
def test_links_that_lead_nowhere(tmp_path: Path, text: str) -> None:
    document(tmp_path, "# Here\n", "docs/there.md")
    assert len(list(_documents.dead_links(document(tmp_path, text), tmp_path))) == 1


def test_commands_are_looked_up_in_code_alone() -> None:
    text = "the perilune program; `perilune status`, `perilune stauts`\n\n```sh\nperilune add\n$ perilune ad\n```\n"
    options = {"perilune": set(), "perilune status": {"*"}, "perilune add": {"*"}}
    faults = list(_documents.unknown_commands(text, options))
    assert faults == ["no such command: perilune ad", "no such command: perilune stauts"]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("perilune accounts list --json --no-color", None),
        ("perilune accounts test work --inference", None),
        ('eval "$(perilune accounts list)"', None),
        ("perilune add --stdin < key.txt", None),
        ("perilune --help", None),
        ("perilune COMMAND --help", None),
        ("perilune accounts lsit", "no such command: perilune accounts lsit"),
        ("perilune accounts list --jsno", "no such option: perilune accounts list --jsno"),
        ("perilune add --plan=moonshot --area cn", "no such option: perilune add --area"),
    ],
)
def test_a_command_line_is_followed_to_its_options(line: str, fault: str | None) -> None:
    options = {
        "perilune": {"--version"},
        "perilune accounts": {"--json"},
        "perilune accounts list": {"*", "--json"},
        "perilune accounts test": {"*", "--inference"},
        "perilune add": {"*", "--stdin", "--plan"},
    }
    found = list(_documents.unknown_commands(f"```sh\n{line}\n```\n", options))
    assert found == ([fault] if fault else [])


def test_codes_exist_and_families_are_left_alone() -> None:
    text = "PL-401-KEY, PL-NET-…, PL-NOPE"
    assert list(_documents.unknown_codes(text, {"PL-401-KEY"})) == ["no such code: PL-NOPE"]


def test_scripts_that_are_named_exist(tmp_path: Path) -> None:
    document(tmp_path, "", "scripts/up")
    assert list(_documents.missing_scripts("./scripts/up and ./scripts/down", tmp_path)) == [
        "no such script: ./scripts/down"
    ]


def test_the_projects_documents_hold() -> None:
    assert _documents.main() == 0
