"""The locks: every package pinned with hashes, no index address, `dev` holding all of `run` at the same versions."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ("run", "dev")

_PIN = re.compile(r"(?P<name>[a-z0-9][a-z0-9._-]*)(?:\[[^]]*\])?==(?P<version>[^\s;\\]+)")
_ADDRESS = re.compile(r"(?:https?|file|git\+\w+)://|^\s*(?:-i|--(?:extra-)?index-url|--find-links|-f)\b", re.MULTILINE)


def pins(text: str) -> dict[str, str]:
    """Name and version of every package of a lock."""
    return {match["name"]: match["version"] for entry in _entries(text) if (match := _PIN.match(entry))}


def faults(name: str, text: str) -> Iterator[str]:
    """What is wrong with one lock, one line each."""
    if address := _ADDRESS.search(text):
        yield f"{name}: holds an address: {address[0].strip()}"
    for entry in _entries(text):
        if not _PIN.match(entry):
            yield f"{name}: not pinned with ==: {entry.split()[0]}"
        elif "--hash=sha256:" not in entry:
            yield f"{name}: no hash: {entry.split()[0]}"


def _entries(text: str) -> list[str]:
    lines = (line for line in text.splitlines() if not line.lstrip().startswith("#"))
    joined = "\n".join(lines).replace("\\\n", " ")
    return [line.strip() for line in joined.splitlines() if line.strip()]


def missing_from_dev(run: dict[str, str], dev: dict[str, str]) -> Iterator[str]:
    """Packages that the program runs with and the tests do not, or not at the same version."""
    for name, version in run.items():
        if dev.get(name) != version:
            yield f"dev: {name} is {dev.get(name, 'absent')}, in run it is {version}"


def main() -> int:
    texts = {name: (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8") for name in LOCKS}
    found = [fault for name, text in texts.items() for fault in faults(name, text)]
    found += missing_from_dev(pins(texts["run"]), pins(texts["dev"]))
    for fault in found:
        print(fault, file=sys.stderr)
    if not found:
        print(", ".join(f"{name}: {len(pins(text))} packages, all with hashes" for name, text in texts.items()))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
