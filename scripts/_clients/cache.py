"""What the tools need, installed once into a folder of its own: virtual environments and Node packages, by lock."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

LOCKS = Path(__file__).resolve().parents[2] / "requirements" / "clients"
LEAST_NODE = (22, 19)
_STAMP = "perilune-lock"
_INSTALL_S = 900


class MissingError(Exception):
    """A tool cannot run on this machine; the message says what it lacks."""


def cache_folder() -> Path:
    """Where the tools are installed: PERILUNE_CLIENTS, else below the user's cache."""
    if chosen := os.environ.get("PERILUNE_CLIENTS"):
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "perilune" / "clients"


def python_environment(name: str, least: tuple[int, int] = (3, 11)) -> Path:
    """The programs' folder of a virtual environment that holds `requirements/clients/NAME.txt`."""
    lock, folder = LOCKS / f"{name}.txt", cache_folder() / name
    if _is_current(folder, [lock]):
        return folder / "bin"
    python = _python(least)
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    if shutil.which("uv"):
        _run(["uv", "venv", "--quiet", "--python", python, str(folder)])
        _run(
            ["uv", "pip", "install", "-q", "--python", str(folder / "bin/python"), "--require-hashes", "-r", str(lock)]
        )
    else:
        _run([python, "-m", "venv", str(folder)])
        _run([str(folder / "bin/pip"), "install", "--quiet", "--require-hashes", "-r", str(lock)])
    _stamp(folder, [lock])
    return folder / "bin"


def node_packages(name: str) -> Path:
    """A folder whose `node_modules` holds `requirements/clients/NAME`. Nothing of a package runs while it installs."""
    locks, folder = [LOCKS / name / file for file in ("package.json", "package-lock.json")], cache_folder() / name
    if _is_current(folder, locks):
        return folder
    if shutil.which("npm") is None:
        raise MissingError("npm")
    folder.mkdir(parents=True, exist_ok=True)
    for lock in locks:
        shutil.copy(lock, folder)
    _run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], folder)
    _stamp(folder, locks)
    return folder


def node() -> Path:
    """A Node that is new enough for every tool: the one on PATH, else the pinned one."""
    own = shutil.which("node")
    if own is not None and _node_version(own) >= LEAST_NODE:
        return Path(own)
    found = sorted((node_packages("node") / "node_modules").glob("node-*/bin/node"))
    if not found:
        raise MissingError(f"Node {'.'.join(map(str, LEAST_NODE))}")
    found[0].chmod(0o755)
    return found[0]


def _node_version(program: str) -> tuple[int, ...]:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    return tuple(int(part) for part in re.findall(r"\d+", said)[:2])


def _python(least: tuple[int, int]) -> str:
    if sys.version_info[:2] >= least:
        return sys.executable
    known = [f"python3.{minor}" for minor in range(20, least[1] - 1, -1)]
    for candidate in (*known, *_kept_by_pyenv(least)):
        code = f"import sys; sys.exit(sys.version_info < {least})"
        program = shutil.which(candidate)
        if program and subprocess.run([program, "-c", code], capture_output=True, check=False).returncode == 0:
            return program
    raise MissingError(f"Python {least[0]}.{least[1]}")


def _kept_by_pyenv(least: tuple[int, int]) -> Iterable[str]:
    """Interpreters whose names on PATH are only shims of a version manager."""
    versions = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    return [str(path) for path in sorted(versions.glob(f"{least[0]}.*/bin/python"), reverse=True)]


def _run(command: list[str], folder: Path | None = None) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_INSTALL_S, check=False)
    if done.returncode:
        raise MissingError(f"{' '.join(command[:3])} failed: {done.stderr.strip()[-400:]}")


def _digest(locks: list[Path]) -> str:
    return hashlib.sha256(b"\0".join(lock.read_bytes() for lock in locks)).hexdigest()


def _is_current(folder: Path, locks: list[Path]) -> bool:
    stamp = folder / _STAMP
    return stamp.is_file() and stamp.read_text() == _digest(locks)


def _stamp(folder: Path, locks: list[Path]) -> None:
    (folder / _STAMP).write_text(_digest(locks))
