"""The checked suggestions as one patch that `git apply --index` takes at the reviewed head."""

from collections.abc import Collection, Sequence

from msgspec import Struct

from perilune.patches.finding import Finding, Severity, Suggestion
from perilune.patches.names import quoted
from perilune.review.result import ReviewResult

_CONTEXT = 3


class PatchOutput(Struct, frozen=True):
    """The patch, and the findings left out because they touch the same lines as a worse one."""

    text: str
    left_out: tuple[Finding, ...] = ()


def patch_output(result: ReviewResult, only: Collection[str] = ()) -> PatchOutput:
    """One patch of all suggestions, or of the findings named by the beginning of their id or fingerprint."""
    wanted = [finding for finding in result.findings if finding.suggestion is not None and _is_named(finding, only)]
    order = {severity: rank for rank, severity in enumerate(Severity)}
    taken: dict[str, list[tuple[Finding, Suggestion]]] = {}
    left_out: list[Finding] = []
    for finding in sorted(wanted, key=lambda one: order[one.severity]):
        suggestion = finding.suggestion
        rows = taken.setdefault(finding.anchor.path, [])
        if suggestion is None:
            continue
        if any(_touch(suggestion, other) for _, other in rows):
            left_out.append(finding)
        else:
            rows.append((finding, suggestion))
    parts = [_file(path, rows, result.head_lines.get(path, ())) for path, rows in taken.items() if rows]
    return PatchOutput("".join(parts), tuple(left_out))


def _is_named(finding: Finding, only: Collection[str]) -> bool:
    return not only or any(finding.id.startswith(name) or finding.fingerprint.startswith(name) for name in only)


def _touch(one: Suggestion, other: Suggestion) -> bool:
    return one.start_line <= other.end_line and other.start_line <= one.end_line


def _file(path: str, rows: Sequence[tuple[Finding, Suggestion]], lines: Sequence[str]) -> str:
    """All suggestions of one file: hunks that come near each other are one, as a patch wants it."""
    name = path.encode("utf-8", "surrogateescape")
    names = f"--- {quoted(b'a/' + name)}\n+++ {quoted(b'b/' + name)}\n"
    whole = list(lines[:-1]) if lines and not lines[-1] else list(lines)
    is_open = bool(lines) and bool(lines[-1])
    ordered = sorted((suggestion for _, suggestion in rows), key=lambda one: one.start_line)
    groups: list[list[Suggestion]] = []
    for suggestion in ordered:
        if groups and suggestion.start_line - groups[-1][-1].end_line <= 2 * _CONTEXT:
            groups[-1].append(suggestion)
        else:
            groups.append([suggestion])
    shift, text = 0, names
    for group in groups:
        hunk, grown = _hunk(group, whole, shift, is_open=is_open)
        text += hunk
        shift += grown
    return text


def _hunk(group: Sequence[Suggestion], whole: Sequence[str], shift: int, *, is_open: bool) -> tuple[str, int]:
    """One hunk, and by how many lines the file grows in it."""
    first = max(group[0].start_line - 1 - _CONTEXT, 0)
    last = min(group[-1].end_line + _CONTEXT, len(whole))
    rows: list[str] = []
    at = first
    for suggestion in group:
        rows += [" " + line for line in whole[at : suggestion.start_line - 1]]
        old = whole[suggestion.start_line - 1 : suggestion.end_line]
        ending = "\r" if old and old[0].endswith("\r") else ""
        rows += _marked("-", old, is_open and suggestion.end_line == len(whole))
        new = [line + ending for line in suggestion.replacement.split("\n")] if suggestion.replacement else []
        rows += _marked("+", new, is_open and suggestion.end_line == len(whole))
        at = suggestion.end_line
    rows += _marked(" ", whole[at:last], is_open and last == len(whole))
    old_count = last - first
    new_count = sum(1 for row in rows if row[:1] in " +")
    start = first + 1 + shift if new_count else first + shift
    header = f"@@ -{first + 1},{old_count} +{start},{new_count} @@\n"
    return header + "\n".join(rows) + "\n", new_count - old_count


def _marked(mark: str, lines: Sequence[str], is_last: bool) -> list[str]:
    rows = [mark + line for line in lines]
    return [*rows, "\\ No newline at end of file"] if is_last and rows else rows
