"""Suggestions that were proven: applied to the file by git, not twice, and parsed again."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import structs

from perilune.patches.finding import Finding, Suggestion
from perilune.patches.names import quoted
from perilune.patches.suggestion import Demotion, Replacement, check
from perilune.review.acquire.git import Git, GitFailedError, GitMissingError, hardened
from perilune.review.prompt.escapes import original
from perilune.review.rank import score
from perilune.review.structure.names import introduces_unknown
from perilune.review.structure.reparse import parses_after

_CONTEXT = 3
_OUR_MARK = "<!-- perilune:"


def settle_suggestions(
    findings: Sequence[Finding],
    contents: Mapping[str, bytes],
    *,
    is_on: bool,
) -> list[Finding]:
    """Every proposal proven or demoted with its reason; of two that overlap the one with the higher score stays."""
    taken: list[tuple[str, int, int]] = []
    settled: dict[str, Finding] = {}
    for finding in sorted(findings, key=lambda entry: (-score(entry), entry.anchor.path, entry.anchor.start_line or 0)):
        settled[finding.id] = _settled(finding, contents.get(finding.anchor.path), taken, is_on=is_on)
    return [settled[finding.id] for finding in findings]


def _settled(finding: Finding, content: bytes | None, taken: list[tuple[str, int, int]], *, is_on: bool) -> Finding:
    if finding.proposal is None:
        return finding
    outcome = prove(finding, content) if is_on else Demotion.OFF_BY_SETTING
    if isinstance(outcome, Demotion):
        return structs.replace(finding, suggestion_note=outcome.value)
    span = (finding.anchor.path, outcome.start_line, outcome.end_line)
    if any(path == span[0] and start <= span[2] and span[1] <= end for path, start, end in taken):
        return structs.replace(finding, suggestion_note=Demotion.OVERLAP.value)
    taken.append(span)
    return structs.replace(finding, suggestion=outcome)


def prove(finding: Finding, content: bytes | None) -> Suggestion | Demotion:
    """A proposal held against every check; the suggestion, or the first reason against it."""
    proposal = finding.proposal
    if content is None or proposal is None:
        return Demotion.NO_CONTENT
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return Demotion.NO_CONTENT
    if "⟨secret:" in proposal.replacement or "⟨cut:" in proposal.replacement:
        return Demotion.TRUNCATED
    if _OUR_MARK in proposal.replacement:
        return Demotion.MARKER
    mapped = structs.replace(
        proposal,
        replacement=original(proposal.replacement),
        replace_quote=original(proposal.replace_quote or finding.anchor.quote),
    )
    fitted = check(mapped, finding.anchor, text.split("\n"), f"{finding.title} {finding.body}")
    return fitted if isinstance(fitted, Demotion) else _proven(finding, fitted, text)


def _proven(finding: Finding, fitted: Replacement, text: str) -> Suggestion | Demotion:
    lines = text.split("\n")
    is_crlf = lines[fitted.start - 1].endswith("\r")
    new = [line + "\r" * is_crlf for line in fitted.lines]
    after = [*lines[: fitted.start - 1], *new, *lines[fitted.end :]]
    parses = parses_after(finding.anchor.path, text, "\n".join(after))
    if parses is False:
        return Demotion.DOES_NOT_PARSE
    if introduces_unknown(finding.anchor.path, text, fitted.start, lines[fitted.start - 1 : fitted.end], new):
        return Demotion.NAMES
    patch = patch_of(finding.anchor.path, lines, fitted.start, fitted.end, new)
    if not applies_once(text, patch_of("file", lines, fitted.start, fitted.end, new)):
        return Demotion.DOES_NOT_APPLY
    return Suggestion(
        replacement="\n".join(fitted.lines),
        start_line=fitted.start,
        end_line=fitted.end,
        applies=True,
        parses=parses,
        lines_changed=max(fitted.end - fitted.start + 1, len(fitted.lines)),
        patch=patch,
    )


def patch_of(path: str, lines: Sequence[str], start: int, end: int, new: Sequence[str]) -> str:
    """One hunk that replaces lines `start` to `end`. `lines` is the file split at LF."""
    ends_open = bool(lines[-1])
    whole = list(lines) if ends_open else list(lines[:-1])
    first, last = max(start - 1 - _CONTEXT, 0), min(end + _CONTEXT, len(whole))
    before, old, after = whole[first : start - 1], whole[start - 1 : end], whole[end:last]
    rows = [" " + line for line in before] + _marked("-", old, ends_open and end == len(whole))
    rows += _marked("+", list(new), ends_open and end == len(whole))
    rows += _marked(" ", after, ends_open and last == len(whole))
    old_count, new_count = len(before) + len(old) + len(after), len(before) + len(new) + len(after)
    new_start = first + 1 if new_count else first
    header = f"@@ -{first + 1},{old_count} +{new_start},{new_count} @@"
    name = path.encode("utf-8", "surrogateescape")
    names = f"--- {quoted(b'a/' + name)}\n+++ {quoted(b'b/' + name)}"
    return "\n".join((names, header, *rows)) + "\n"


def _marked(mark: str, lines: Sequence[str], is_open: bool) -> list[str]:
    rows = [mark + line for line in lines]
    return [*rows, "\\ No newline at end of file"] if is_open and rows else rows


def applies_once(text: str, patch: str) -> bool:
    """Whether git applies a patch of `file` to the text, and refuses it the second time."""
    with tempfile.TemporaryDirectory(prefix="perilune-apply-") as directory:
        git = hardened(
            directory, GIT_CEILING_DIRECTORIES=str(Path(directory).parent), GIT_DIR=str(Path(directory) / "none")
        )
        (Path(directory) / "file").write_bytes(text.encode())
        return _applies(git, patch, "apply") and not _applies(git, patch, "apply", "--check")


def _applies(git: Git, patch: str, *arguments: str) -> bool:
    try:
        git.run(*arguments, "--whitespace=nowarn", "-", stdin=patch.encode())
    except (GitFailedError, GitMissingError):
        return False
    return True
