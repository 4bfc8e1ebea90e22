"""Successive releases of packages, fetched when the measurement runs, as the commits of git repositories."""

import json
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

from msgspec import Struct


class Package(Struct, frozen=True):
    """A package and the registry it comes from."""

    registry: str
    name: str


PACKAGES = (
    *(Package("pypi", name) for name in (
        "click", "flask", "jinja2", "requests", "rich", "starlette", "pygments", "hypothesis", "werkzeug",
    )),
    *(Package("npm", name) for name in (
        "express", "eslint", "preact", "svelte", "bootstrap", "zod", "rxjs", "better-sqlite3", "node-addon-api",
        "tree-sitter-python", "react-native-screens", "@wordpress/block-library", "expo-modules-core",
    )),
)  # fmt: skip
_RELEASE = re.compile(r"\d+\.\d+(\.\d+)?")
_LARGEST = 4 * 1024 * 1024


def history(package: Package, count: int, folder: Path) -> tuple[Path, list[str]]:
    """A repository with one commit for each of the newest releases, oldest first.

    Raises: RuntimeError where the registry does not give them.
    """
    repository = folder / re.sub(r"\W+", "-", package.name) / "repository"
    repository.mkdir(parents=True)
    _git(repository, "init", "--quiet")
    commits = []
    for version in _versions(package)[-count:]:
        archive = _fetch(package, version, repository.parent)
        _replace(repository, archive)
        archive.unlink()
        _git(repository, "add", "--all", "--force")
        _git(repository, "commit", "--quiet", "--allow-empty", "--message", f"{package.name} {version}")
        commits.append(_git(repository, "rev-parse", "HEAD").strip())
    return repository, commits


def own_history(root: Path, count: int) -> list[str]:
    """The newest commits of this project on its first line, oldest first."""
    listed = _git(root, "rev-list", "--first-parent", f"--max-count={count}", "HEAD")
    return listed.split()[::-1]


def _versions(package: Package) -> list[str]:
    if package.registry == "npm":
        said = _run("npm", "view", package.name, "versions", "--json")
        found = json.loads(said)
    else:
        said = _run(sys.executable, "-m", "pip", "index", "versions", package.name)
        line = next(line for line in said.splitlines() if line.startswith("Available versions:"))
        found = [version.strip() for version in line.partition(":")[2].split(",")][::-1]
    return [version for version in found if _RELEASE.fullmatch(version)]


def _fetch(package: Package, version: str, folder: Path) -> Path:
    if package.registry == "npm":
        said = _run("npm", "pack", f"{package.name}@{version}", "--silent", f"--pack-destination={folder}")
        return folder / said.split()[-1]
    before = set(folder.iterdir())
    _run(
        sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:",
        "--dest", str(folder), f"{package.name}=={version}",
    )  # fmt: skip
    return next(iter(set(folder.iterdir()) - before))


def _replace(repository: Path, archive: Path) -> None:
    """The content of an archive in place of what is there; files too large for a review to read are left out."""
    for entry in repository.iterdir():
        if entry.name != ".git":
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(repository)
    else:
        with tarfile.open(archive) as packed_tar:
            packed_tar.extractall(repository, filter="data")
    for path in repository.rglob("*"):
        if ".git" not in path.parts and path.is_file() and path.stat().st_size > _LARGEST:
            path.unlink()


def _git(repository: Path, *arguments: str) -> str:
    who = ("-c", "user.name=Bench", "-c", "user.email=bench@example.org", "-c", "core.autocrlf=false")
    return _run("git", "-C", str(repository), *who, *arguments)


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    if done.returncode:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}: {done.stderr.strip()[-300:]}")
    return done.stdout
