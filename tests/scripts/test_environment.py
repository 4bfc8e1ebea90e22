"""The shell scripts, with a home and a PATH of their own and without installing anything."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SH = shutil.which("sh")

pytestmark = pytest.mark.skipif(SH is None, reason="needs a POSIX shell")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout in a folder with spaces: the scripts, empty locks, and something that stands for `.venv`."""
    root = tmp_path / "a checkout with spaces"
    shutil.copytree(ROOT / "scripts", root / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    (root / "requirements").mkdir()
    for name in ("requirements/run.txt", "requirements/dev.txt", "pyproject.toml"):
        (root / name).write_text("", encoding="utf-8")
    bin_folder = root / ".venv" / "bin"
    bin_folder.mkdir(parents=True)
    program = bin_folder / "python"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
    perilune = bin_folder / "perilune"
    perilune.write_text('#!/bin/sh\nprintf "%s|" "$@"\n', encoding="utf-8")
    for path in (program, perilune):
        path.chmod(0o755)
    return root


def shell(command: str, root: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    text = f'root="{root}"; . "$root/scripts/_environment.sh"; {command}'
    surroundings = {"PATH": os.environ["PATH"], "HOME": str(root)} | environment
    return subprocess.run([str(SH), "-euc", text], env=surroundings, capture_output=True, text=True, check=False)


def make_current(root: Path, name: str) -> None:
    stamp = shell(f'bin="$root/.venv/bin"; stamp_of {name}', root).stdout
    (root / ".venv" / f"perilune-{name}").write_text(stamp, encoding="utf-8")


@pytest.mark.parametrize("lock", ["run", "dev"])
def test_a_current_environment_is_used_as_it_is_from_any_folder(checkout: Path, lock: str, tmp_path: Path) -> None:
    make_current(checkout, lock)
    command = [str(checkout / "scripts" / "up"), "--listen", "127.0.0.1:0", "two words"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "up|--listen|127.0.0.1:0|two words|"


@pytest.mark.parametrize("changed", ["requirements/run.txt", "pyproject.toml"])
def test_a_changed_lock_or_project_makes_the_environment_old(checkout: Path, changed: str) -> None:
    make_current(checkout, "run")
    assert shell('bin="$root/.venv/bin"; is_current run', checkout).returncode == 0
    (checkout / changed).write_text("# other\n", encoding="utf-8")
    assert shell('bin="$root/.venv/bin"; is_current run', checkout).returncode == 1


def test_a_python_that_is_named_comes_first(checkout: Path) -> None:
    assert shell("fitting_python", checkout, PYTHON=sys.executable).stdout.strip() == sys.executable


def test_without_a_fitting_python_it_says_what_is_missing(checkout: Path) -> None:
    done = shell("need_python", checkout, PATH=str(checkout / "scripts"))
    assert done.returncode == 1
    assert done.stderr.startswith("Perilune needs Python 3.11 or newer")
    assert "apt install python3" in done.stderr
