"""Measurements: runs bench/NAME.py (its `main()`) or bench/NAME/__main__.py one after the other and prints Markdown.

Each prints one table. They run in processes of their own, so that none warms the next one's caches or imports.
"""

import argparse
import importlib.metadata
import os
import platform
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NAMED_PACKAGES = ("perilune", "httptools", "uvloop", "starlette", "uvicorn", "sqlalchemy", "msgspec")


def benches(folder: Path) -> dict[str, list[str]]:
    """Every measurement of a folder with the arguments that make Python run it. Names with an underscore are parts."""
    files = {
        path.stem: ["-c", f"from {folder.name}.{path.stem} import main; main()"]
        for path in folder.glob("[!_]*.py")
        if path.stem != "conftest"
    }
    packages = {path.parent.name: ["-m", f"{folder.name}.{path.parent.name}"] for path in folder.glob("*/__main__.py")}
    return dict(sorted((files | packages).items()))


def header(now: datetime) -> Iterator[str]:
    """Where and with what the figures were taken."""
    yield f"Taken {now:%Y-%m-%d} on {platform.system()} {platform.machine()}, {os.cpu_count()} cores,"
    yield f"Python {platform.python_version()}, {', '.join(_versions())}."


def _versions() -> Iterator[str]:
    for package in NAMED_PACKAGES:
        try:
            yield f"{package} {importlib.metadata.version(package)}"
        except importlib.metadata.PackageNotFoundError:
            continue


def run(name: str, arguments: Sequence[str], environment: Mapping[str, str]) -> bool:
    """Run one measurement under its heading. False when it failed; what it said about that is on stderr."""
    print(f"\n## {name}\n\n`./scripts/bench {name}`\n", flush=True)
    done = subprocess.run([sys.executable, *arguments], cwd=ROOT, env=environment, check=False)
    if done.returncode:
        print(f"Failed with exit status {done.returncode}.", flush=True)
    return done.returncode == 0


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Run the measurements and print Markdown.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="which to run; all of them when none is named")
    parser.add_argument("--list", action="store_true", help="print the names and stop")
    options = parser.parse_args(arguments)

    known = benches(ROOT / "bench")
    if options.list:
        print("\n".join(known))
        return 0
    if unknown := [name for name in options.names if name not in known]:
        parser.error(f"no measurement is called {', '.join(unknown)}; there are: {', '.join(known) or 'none'}")
    print("\n".join(header(datetime.now(UTC))), flush=True)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join((str(ROOT / "src"), str(ROOT)))}
    results = [run(name, known[name], environment) for name in options.names or known]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
