"""Acceptance cases: the index in tests/cases.toml against the marks of the tests.

A test bears a case with `@pytest.mark.case("gateway FO-03")`. The marks are read from the source, so that a skipped
test or a missing dependency does not change the answer. A mark that names no case is an error.
"""

import argparse
import ast
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
INDEX = ROOT / "tests" / "cases.toml"
REFERENCES = ("accounts", "gateway", "review", "experience")

_ROW = re.compile(r"\|\s*([A-Z]{0,2}-?\d+(?:\.\d+)?)\s*\|")  # 1.10, FO-03, R7.2, N16
_ACCEPTANCE = re.compile(r"##\s+\d+\.\s+Acceptance cases")


@dataclass(frozen=True)
class Mark:
    """One case named by one test, with the place it stands at."""

    case: str
    place: str


def load_index(path: Path = INDEX) -> dict[str, str]:
    """Every case as `reference id`, with its short title, in the order of the file."""
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    return {f"{reference} {name}": title for reference in REFERENCES for name, title in tables[reference].items()}


def marks_in(source: str, name: str) -> Iterator[Mark]:
    """The cases that a test file names, wherever the mark stands: on a test, a class, a parameter, the module."""
    for node in ast.walk(ast.parse(source, name)):
        if isinstance(node, ast.Call) and _is_case_mark(node.func):
            for argument in node.args:
                is_text = isinstance(argument, ast.Constant) and isinstance(argument.value, str)
                yield Mark(str(argument.value) if is_text else ast.unparse(argument), f"{name}:{argument.lineno}")  # type: ignore[attr-defined]


def _is_case_mark(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Attribute) and node.attr == "case" and ast.unparse(node.value) in ("pytest.mark", "mark")
    )


def marks_of(folder: Path) -> list[Mark]:
    """The marks of every test file below `folder`."""
    files = sorted(folder.rglob("*.py"))
    return [mark for path in files for mark in marks_in(path.read_text(encoding="utf-8"), _relative(path))]


def _relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.as_posix()


def cases_of_reference(text: str) -> list[str]:
    """The ids in the first column of the tables below `Acceptance cases`."""
    lines = iter(text.splitlines())
    for line in lines:
        if _ACCEPTANCE.match(line):
            break
    found: list[str] = []
    for line in lines:
        if line.startswith("## "):
            break
        if match := _ROW.match(line):
            found.append(match[1])
    return found


def difference(index: Mapping[str, str], folder: Path) -> list[str]:
    """How the index differs from the references in `folder`, one line each."""
    lines: list[str] = []
    for reference in REFERENCES:
        stated = [f"{reference} {name}" for name in cases_of_reference((folder / f"{reference}.md").read_text("utf-8"))]
        indexed = [case for case in index if case.startswith(f"{reference} ")]
        lines += [f"not in the index: {case}" for case in stated if case not in index]
        lines += [f"not in the reference: {case}" for case in indexed if case not in stated]
        lines += [
            f"twice in the reference: {case}" for case in sorted({case for case in stated if stated.count(case) > 1})
        ]
    return lines


def report(index: Mapping[str, str], shown: set[str], *, titles: bool) -> Iterator[str]:
    """Per reference how many cases are shown, and the ids of the others."""
    for reference in REFERENCES:
        cases = [case for case in index if case.startswith(f"{reference} ")]
        missing = [case for case in cases if case not in shown]
        yield f"{reference}: {len(cases) - len(missing)}/{len(cases)} shown"
        if titles:
            yield from (f"  {case.partition(' ')[2]:<7} {index[case]}" for case in missing)
        elif missing:
            yield f"  missing: {' '.join(case.partition(' ')[2] for case in missing)}"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="scripts/cases", description="Which acceptance cases no test bears yet.")
    parser.add_argument(
        "--against", type=Path, metavar="DIR", help="also check the index against the references in DIR"
    )
    parser.add_argument("--titles", action="store_true", help="print the title beside each missing id")
    parser.add_argument("--quiet", action="store_true", help="print errors alone")
    options = parser.parse_args(arguments)

    index = load_index()
    marks = marks_of(ROOT / "tests")
    errors = [f"{mark.place}: no case is called {mark.case!r}" for mark in marks if mark.case not in index]
    if options.against is not None:
        errors += difference(index, options.against)
    if not options.quiet:
        print("\n".join(report(index, {mark.case for mark in marks}, titles=options.titles)))
    for error in errors:
        print(error, file=sys.stderr)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
