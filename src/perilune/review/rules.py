"""Rules for reviews, read from the base alone: a rule in the head under review is content, never a rule."""

import re
from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import PurePosixPath

from msgspec import Struct

from perilune.patches.model import Diff
from perilune.review.acquire.git import Git, GitFailedError
from perilune.review.acquire.objects import Objects
from perilune.review.attributes import directories_of
from perilune.review.globs import any_match, compile_glob
from perilune.review.settings import REPOSITORY_FILE, PathRule

_MOST_BYTES = 16 * 1024
_IMPORT = re.compile(r"^@([\w./-]+)\s*$", re.MULTILINE)
_MOST_IMPORTS = 5
_MOST_IMPORTED = 100 * 1024
_CHUNK = 400
_CONFIGURATION = (REPOSITORY_FILE, "kodus-config.yml")


class RuleFile(Struct, frozen=True, kw_only=True):
    """One rule file of the base. `scope` is the directory it applies to, `""` for all."""

    path: str
    scope: str
    text: str
    sha256: str
    bytes: int
    missing_imports: tuple[str, ...] = ()

    def applies_to(self, path: str) -> bool:
        return not self.scope or path.startswith(self.scope + "/")


class RuleText(Struct, frozen=True):
    """The rules of one unit: the text, and which files of it were cut."""

    text: str
    truncated: tuple[str, ...] = ()


class RuleSet(Struct, frozen=True, kw_only=True):
    """All rules of a review."""

    files: tuple[RuleFile, ...] = ()
    paths: tuple[PathRule, ...] = ()
    changed_in_head: bool = False

    def text_for(self, names: Sequence[str]) -> RuleText:
        """The rules for some files: root first, nearer ones later, then the configured ones."""
        chosen = [file for file in self.files if any(file.applies_to(name) for name in names)]
        parts, cut = _fitted(chosen)
        for rule in self.paths:
            if rule.rules and any(compile_glob(rule.match).fullmatch(name) for name in names):
                parts.append(f"For {rule.match}:\n{rule.rules.strip()}")
        return RuleText("\n\n".join(parts), cut)


def read_rules(
    base: str | None,
    diff: Diff,
    names: Sequence[str],
    paths: tuple[PathRule, ...],
    git: Git | None,
    objects: Objects,
) -> RuleSet:
    """The rule files of the base for the files of a diff; none where there is no base."""
    changed = any(_is_rule_name(file.name, names) for file in diff.files)
    if base is None or git is None:
        return RuleSet(paths=paths, changed_in_head=changed)
    found = _find(base, diff, names, git)
    files = tuple(filter(None, (_read(base, path, objects) for path in found)))
    return RuleSet(files=files, paths=paths, changed_in_head=changed)


def read_base_files(base: str, directories: Iterable[str], git: Git) -> list[str]:
    """The entries of some directories of a tree, as full paths."""
    wanted = sorted(set(directories))
    output = git.run("ls-tree", "-z", "--full-tree", "--name-only", base) if "" in wanted else b""
    below = [directory + "/" for directory in wanted if directory]
    for start in range(0, len(below), _CHUNK):
        output += git.run("ls-tree", "-z", "--full-tree", "--name-only", base, "--", *below[start : start + _CHUNK])
    return [name for name in output.decode("utf-8", "surrogateescape").split("\0") if name]


def _find(base: str, diff: Diff, names: Sequence[str], git: Git) -> list[str]:
    directories = {directory for file in diff.files for directory in directories_of(file.name)}
    plain = [name.lower() for name in names if not any(mark in name for mark in "*/")]
    patterns = [name for name in names if any(mark in name for mark in "*/")]
    try:
        listed = read_base_files(base, directories, git)
        nested = _below(base, patterns, git)
    except GitFailedError:
        return []
    found = {path for path in listed if PurePosixPath(path).name.lower() in plain}
    found |= {path for path in nested if any_match(patterns, path)}
    order = {name: index for index, name in enumerate(plain)}
    return sorted(found, key=lambda path: (path.count("/"), path.rpartition("/")[0], order.get(_name(path), 99), path))


def _below(base: str, patterns: Sequence[str], git: Git) -> list[str]:
    roots = sorted({pattern.partition("*")[0].rpartition("/")[0] for pattern in patterns} - {""})
    if not roots:
        return []
    output = git.run("ls-tree", "-r", "-z", "--full-tree", "--name-only", base, "--", *roots)
    return [name for name in output.decode("utf-8", "surrogateescape").split("\0") if name]


def _name(path: str) -> str:
    return PurePosixPath(path).name.lower()


def _read(base: str, path: str, objects: Objects) -> RuleFile | None:
    content = objects.read(f"{base}:{path}")
    if content is None:
        return None
    text, missing = _with_imports(base, path, content.decode("utf-8-sig", errors="replace"), objects)
    scope = path.rpartition("/")[0]
    return RuleFile(
        path=path,
        scope="" if scope.startswith(".") else scope,
        text=text,
        sha256=sha256(content).hexdigest(),
        bytes=len(content),
        missing_imports=missing,
    )


def _with_imports(base: str, path: str, text: str, objects: Objects) -> tuple[str, tuple[str, ...]]:
    """A rule text with the files that it imports behind it, one level deep."""
    parts, missing, room = [text.rstrip()], [], _MOST_IMPORTED
    for name in _IMPORT.findall(text)[:_MOST_IMPORTS]:
        place = _inside(path, name)
        content = objects.read(f"{base}:{place}") if place else None
        if content is None or len(content) > room:
            missing.append(name)
            continue
        room -= len(content)
        parts.append(content.decode("utf-8-sig", errors="replace").rstrip())
    return "\n\n".join(parts), tuple(missing)


def _inside(path: str, name: str) -> str | None:
    """Where an import lies in the repository; None where it leaves it."""
    parts: list[str] = []
    for part in (PurePosixPath(path).parent / name).parts:
        if part == ".." and not parts:
            return None
        if part == "..":
            parts.pop()
        elif part != "/":
            parts.append(part)
    return "/".join(parts) if not name.startswith("/") else name.lstrip("/")


def _fitted(files: Sequence[RuleFile]) -> tuple[list[str], tuple[str, ...]]:
    """The texts of rule files within the limit; the farthest is cut first, at a heading."""
    texts = [file.text for file in files]
    cut: list[str] = []
    for index, file in enumerate(files):
        over = sum(len(text.encode()) for text in texts) - _MOST_BYTES
        if over <= 0:
            break
        texts[index] = _cut_at_heading(file.text, max(len(file.text.encode()) - over, 0))
        cut.append(file.path)
    return [text for text in texts if text], tuple(cut)


def _cut_at_heading(text: str, limit: int) -> str:
    kept = text.encode()[:limit].decode(errors="ignore")
    heading = max(kept.rfind("\n#"), 0)
    return (kept[:heading] if heading else kept.rpartition("\n")[0]).rstrip()


def _is_rule_name(path: str, names: Sequence[str]) -> bool:
    plain = {name.lower() for name in names}
    return path in _CONFIGURATION or _name(path) in plain or any_match([name for name in names if "/" in name], path)
