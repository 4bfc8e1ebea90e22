"""The house keeps its shape: floors, names, sizes, who may know which vendor."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "perilune"
MODULES = sorted(SOURCE.rglob("*.py"))

VENDORS = re.compile(r"kimi|moonshot|openrouter|deepseek|siliconflow|codexbar", re.IGNORECASE)
# Folders of providers and the vendors each may name. Kimi Code and Moonshot are two plans of one company.
PROVIDERS = {
    "kimi_code": {"kimi", "moonshot"},
    "moonshot": {"kimi", "moonshot"},
    "openrouter": {"openrouter"},
    "kimi_k2": {"kimi"},
}
# Places outside the providers' folders where code (not comments, not docstrings) may name a vendor, with the reason.
VENDORS_ALLOWED = {
    "catalog/": "dated data about plans, models and prices, and its look-up",
    "sandbox/": "plays the vendors",
    "config/peers.py": "where a program that people come from keeps its keys",
    "core/messages/": "texts that people read",
    "core/secret.py": "prefixes of keys, for showing them masked",
    "core/redact.py": "shapes of credentials, for removing them",
    "faces/statusline/": "names of the programs that show status lines",
    "faces/install/": "names and files of the programs that show status lines",
    "faces/clients.py": "names and variables of the tools that are pointed here",
    "compose/demo.py": "the accounts that the demo plays",
    "gateway/override.py": "wrappers that the settings of other programs put around an override",
    "review/prompt/secrets.py": "shapes of credentials, for keeping them out of prompts",
}
LONGEST = 400
SHAPELESS = {"utils", "util", "helpers", "helper", "common", "misc", "shared"}
# A message area is a set of texts; "common" holds those of every area.
SHAPELESS_ALLOWED = "core/messages/"


def inside(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


def test_the_floors_hold() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    command = [str(program), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", MODULES, ids=inside)
def test_a_vendor_is_named_only_where_it_lives(path: Path) -> None:
    room = inside(path)
    if room.startswith(tuple(VENDORS_ALLOWED)):
        return
    parts = Path(room).parts
    own = PROVIDERS.get(parts[1], set()) if parts[0] == "providers" and len(parts) > 2 else set()
    named = {match.lower() for word in _words_of_code(path) for match in VENDORS.findall(word)}
    assert named <= own


def _words_of_code(path: Path) -> Iterator[str]:
    """Names and texts of a module, without comments and docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        id(node.body[0].value) for node in ast.walk(tree) if isinstance(node, documented) and ast.get_docstring(node)
    }  # type: ignore[attr-defined]
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value
        for field in ("id", "attr", "name", "arg", "module"):
            if isinstance(value := getattr(node, field, None), str):
                yield value


@pytest.mark.parametrize("path", MODULES, ids=inside)
def test_no_file_becomes_the_centre_of_everything(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST


@pytest.mark.parametrize("path", MODULES, ids=inside)
def test_a_name_says_what_is_in_it(path: Path) -> None:
    if not inside(path).startswith(SHAPELESS_ALLOWED):
        assert not SHAPELESS & {path.stem, *path.relative_to(SOURCE).parent.parts}


@pytest.mark.parametrize("path", MODULES, ids=inside)
def test_catching_everything_has_its_reason_beside_it(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    for handler in (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ExceptHandler)):
        assert handler.type is not None, f"bare except in line {handler.lineno}"
        broad = re.search(r"\b(?:Base)?Exception\b", ast.unparse(handler.type))
        raises = any(isinstance(node, ast.Raise) and node.exc is None for node in ast.walk(handler))
        logs = any(isinstance(node, ast.Attribute) and node.attr == "exception" for node in ast.walk(handler))
        if broad and not raises and not logs:
            assert re.search(r"noqa: BLE001.*\w{3}", lines[handler.lineno - 1]), f"no reason in line {handler.lineno}"


@pytest.mark.parametrize("path", MODULES, ids=inside)
def test_nothing_is_left_for_later(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"\b(?:TO" + "DO|FIX" + r"ME|XXX)\b|raise NotImplemented" + "Error", text)


def test_the_project_names_no_path_of_a_single_machine() -> None:
    machine = re.compile(
        r"(?<![\w.~$}])/(?:work|farm|root|workspace|tmp/[a-z]|home/(?!user\b|me\b)\w+|Users/\w+)(?:/|\b)"
    )
    tops = (ROOT / name for name in ("src", "tests", "scripts", "bench", "docs", "changelog.d", ".ci"))
    files = [path for top in tops for path in top.rglob("*") if path.is_file() and path.suffix not in (".pyc", ".png")]
    files += [*ROOT.glob("*.md"), *ROOT.glob("*.toml"), *(ROOT / "requirements").glob("*.txt")]
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in files
        if path != Path(__file__) and (match := machine.search(path.read_text(encoding="utf-8", errors="replace")))
    ]
    assert found == []
