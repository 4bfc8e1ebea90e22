"""The changelog: one fragment per change in changelog.d/, gathered into CHANGELOG.md at a release.

A fragment is `SLUG.KIND.md`: the slug names the change (letters, digits, hyphens), the kind is one of `KINDS`. The text
is one to three sentences for users, without a heading or a list mark.
"""

import argparse
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
KINDS = {
    "added": "Added",
    "changed": "Changed",
    "fixed": "Fixed",
    "removed": "Removed",
    "security": "Security",
    "deprecated": "Deprecated",
}
_NAME = re.compile(r"[a-z0-9][a-z0-9-]*\.(?P<kind>[a-z]+)\.md")
_MARK = "<!-- releases below -->\n"


class FragmentError(ValueError):
    """A fragment that cannot be used, with its name and the reason."""


def read_fragments(folder: Path) -> dict[Path, str]:
    """Every fragment with its kind, in the order of their names."""
    return {path: _kind_of(path) for path in sorted(folder.glob("*")) if path.name not in ("README.md", ".gitkeep")}


def _kind_of(path: Path) -> str:
    match = _NAME.fullmatch(path.name)
    if match is None or match["kind"] not in KINDS:
        raise FragmentError(f"{path.name}: a fragment is called SLUG.KIND.md, KIND one of {', '.join(KINDS)}")
    text = path.read_text(encoding="utf-8").strip()
    if not text or text.startswith(("#", "-", "*")):
        raise FragmentError(f"{path.name}: a fragment holds one to three sentences, no heading and no list mark")
    return match["kind"]


def release_text(fragments: Mapping[Path, str]) -> str:
    """The body of a release: one heading per kind, one entry per fragment."""
    return "\n".join(_lines_of(fragments)).strip() + "\n"


def _lines_of(fragments: Mapping[Path, str]) -> Iterator[str]:
    for kind, title in KINDS.items():
        paths = [path for path, its_kind in fragments.items() if its_kind == kind]
        if paths:
            yield f"### {title}\n"
            for path in paths:
                yield "- " + "\n  ".join(path.read_text(encoding="utf-8").strip().splitlines())
            yield ""


def release(root: Path, version: str, day: date) -> None:
    """Move what the fragments say into CHANGELOG.md under a new heading and delete them."""
    fragments = read_fragments(root / "changelog.d")
    changelog = root / "CHANGELOG.md"
    before, mark, after = changelog.read_text(encoding="utf-8").partition(_MARK)
    if not mark:
        raise FragmentError(f"CHANGELOG.md has lost the line {_MARK.strip()}")
    entry = f"\n## {version} ({day.isoformat()})\n\n{release_text(fragments)}"
    changelog.write_text(before + mark + entry + after, encoding="utf-8")
    for path in fragments:
        path.unlink()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="scripts/changelog", description="What the next release says.")
    parser.add_argument("--release", nargs=2, metavar=("VERSION", "DATE"), help="move it into CHANGELOG.md")
    options = parser.parse_args(arguments)
    try:
        if options.release:
            version, day = options.release
            release(ROOT, version, date.fromisoformat(day))
        else:
            print(release_text(read_fragments(ROOT / "changelog.d")), end="")
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
