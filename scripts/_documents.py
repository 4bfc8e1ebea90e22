"""The documents: links that lead somewhere, commands that exist, codes that exist."""

import re
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

# Pictures are made from the running program at a release; until then their place is reserved.
_RESERVED: tuple[str, ...] = ()
_FENCE = re.compile(r"^(`{3,})[^\n]*\n.*?^\1\s*$", re.MULTILINE | re.DOTALL)
_SHELL_FENCE = re.compile(r"^```(?:sh|console|80col)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+\s+(.+?)\s*$", re.MULTILINE)
_CODE = re.compile(r"\bPL-[A-Z0-9]+(?:-[A-Z0-9]+)*\b")
_COMMAND = re.compile(r"(?:^|(?<=[\s($\"'`]))perilune((?:[ \t]+[^\s|;&)\"'`#]+)+)", re.MULTILINE)
_GLOBAL = {
    "--lang",
    "--tz",
    "--no-color",
    "--ascii",
    "--no-input",
    "-q",
    "--quiet",
    "-v",
    "--verbose",
    "--help",
    "--version",
}
_SCRIPT = re.compile(r"\./(scripts/[a-z]+|\.ci/[a-z]+)")


def documents(root: Path) -> list[Path]:
    """Every Markdown file that people read: at the top, in docs/ and in changelog.d/."""
    return sorted([*root.glob("*.md"), *root.glob("docs/**/*.md"), *root.glob("changelog.d/*.md")])


def dead_links(path: Path, root: Path) -> Iterator[str]:
    """Relative links of a document whose file or heading does not exist."""
    text = _FENCE.sub("", path.read_text(encoding="utf-8"))
    for target in _LINK.findall(text):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (path.parent / name).resolve() if name else path
        if not file.exists():
            if file.relative_to(root).as_posix() not in _RESERVED:
                yield f"leads nowhere: {target}"
        elif anchor and file.suffix == ".md" and anchor not in anchors(file.read_text(encoding="utf-8")):
            yield f"no such heading: {target}"


def anchors(text: str) -> set[str]:
    """The anchors of a document's headings, as forges make them."""
    titles = (re.sub(r"[^\w\s-]", "", title.lower()) for title in _HEADING.findall(_FENCE.sub("", text)))
    return {re.sub(r"\s", "-", title.strip()) for title in titles}


def unknown_commands(text: str, options: Mapping[str, Collection[str]]) -> Iterator[str]:
    """Command lines in code whose command or option the program does not have."""
    for code in [*_SHELL_FENCE.findall(text), *_INLINE.findall(_FENCE.sub("", text))]:
        for line in _COMMAND.findall(code):
            yield from _faults_of_line(line.split(), options)


def _faults_of_line(words: Sequence[str], options: Mapping[str, Collection[str]]) -> Iterator[str]:
    path = "perilune"
    for word in words:
        if word == "--":
            return  # what follows belongs to another program
        if word.startswith("-"):
            name = word.partition("=")[0]
            if name != "-" and name not in options[path] and name not in _GLOBAL:
                yield f"no such option: {path} {name}"
        elif f"{path} {word}" in options:
            path = f"{path} {word}"
        elif "*" not in options[path]:
            if re.fullmatch(r"[a-z][a-z-]*", word):
                yield f"no such command: {path} {word}"
            return


def missing_scripts(text: str, root: Path) -> Iterator[str]:
    """Scripts that a document names and the checkout does not have."""
    for name in sorted(set(_SCRIPT.findall(text))):
        if not (root / name).is_file():
            yield f"no such script: ./{name}"


def unknown_codes(text: str, codes: Collection[str]) -> Iterator[str]:
    """Error codes that the program does not have. `PL-NET-…` and the like name a family and are left alone."""
    for match in _CODE.finditer(text):
        if match[0] not in codes and not text[match.end() :].startswith(("-…", "…", "-*")):
            yield f"no such code: {match[0]}"


def faults(path: Path, root: Path, options: Mapping[str, Collection[str]], codes: Collection[str]) -> Iterator[str]:
    """Everything wrong with one document, one line each."""
    text = path.read_text(encoding="utf-8")
    yield from dead_links(path, root)
    yield from unknown_codes(text, codes)
    yield from missing_scripts(text, root)
    if len(options) > 1:
        yield from unknown_commands(text, options)


def main() -> int:
    from perilune.core.codes import CODES
    from scripts._program import options

    known = options()
    found = [
        f"{path.relative_to(ROOT)}: {fault}" for path in documents(ROOT) for fault in faults(path, ROOT, known, CODES)
    ]
    print(
        "\n".join(found) if found else f"{len(documents(ROOT))} documents hold",
        file=sys.stderr if found else sys.stdout,
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
