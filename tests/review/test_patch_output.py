"""Suggestions as one patch that git takes."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from tests.patches.shapes import Repo

from perilune.patches.finding import Anchor, Category, Finding, Level, Method, Severity, Suggestion
from perilune.review.outputs.patch import patch_output
from perilune.review.result import InputFacts, ReviewResult, RunStatus

LINES = "".join(f"line {number}\n" for number in range(1, 31))


def proposed(path: str, start: int, end: int, text: str, severity: Severity = Severity.HIGH) -> Finding:
    anchor = Anchor(path=path, start_line=start, end_line=end, level=Level.RANGE, method=Method.EXACT)
    change = Suggestion(
        replacement=text, start_line=start, end_line=end, applies=True, parses=None, lines_changed=1, patch=""
    )
    return Finding(
        id=f"{path}-{start}-{severity.value}", unit_id="u1", severity=severity, category=Category.BUG,
        title="A title", body="A body", anchor=anchor, suggestion=change, confidence=Decimal(1),
    )  # fmt: skip


def reviewed(findings: Sequence[Finding], files: dict[str, str]) -> ReviewResult:
    return ReviewResult(
        run_id="r", generated_at=datetime(2026, 11, 20, tzinfo=UTC), status=RunStatus.COMPLETE,
        source=InputFacts(kind="commit"), findings=tuple(findings),
        head_lines={name: tuple(text.split("\n")) for name, text in files.items()},
    )  # fmt: skip


def applied(repo: Repo, patch: str, files: dict[str, str]) -> dict[str, str]:
    """The files after git has taken the patch into index and working tree."""
    for name, text in files.items():
        repo.write(name, text)
    repo.commit()
    repo.git("apply", "--index", "-", stdin=patch.encode())
    return {name: (repo.root / name).read_bytes().decode() for name in files}


@pytest.mark.parametrize(
    "spans",
    [
        [(5, 5, "five")],
        [(1, 1, "one\nand a half"), (30, 30, "thirty")],
        [(3, 4, ""), (8, 8, "eight"), (20, 22, "twenty\ntwenty-one")],
        [(5, 5, "five"), (6, 6, "six")],
        [(1, 30, "all")],
    ],
)
@pytest.mark.parametrize("ending", ["\n", ""])
def test_git_takes_the_patch_at_the_reviewed_head(repo: Repo, spans: list[tuple[int, int, str]], ending: str) -> None:
    text = LINES.removesuffix("\n") + ending
    files = {"a file.txt": text, "b.txt": LINES}
    findings = [proposed("a file.txt", *span) for span in spans] + [proposed("b.txt", 2, 2, "two")]
    made = patch_output(reviewed(findings, files))
    after = applied(repo, made.text, files)
    wanted = text.split("\n")
    for start, end, replacement in sorted(spans, reverse=True):
        wanted[start - 1 : end] = replacement.split("\n") if replacement else []
    assert after["a file.txt"] == "\n".join(wanted)
    assert "two\n" in after["b.txt"]
    assert made.left_out == ()


def test_line_endings_stay_as_they_are(repo: Repo) -> None:
    files = {"crlf.txt": LINES.replace("\n", "\r\n")}
    made = patch_output(reviewed([proposed("crlf.txt", 5, 5, "five")], files))
    after = applied(repo, made.text, files)
    assert after["crlf.txt"] == files["crlf.txt"].replace("line 5\r\n", "five\r\n")


def test_of_two_on_the_same_lines_the_worse_one_stays(repo: Repo) -> None:
    files = {"a.txt": LINES}
    mild = proposed("a.txt", 4, 6, "mild", Severity.LOW)
    bad = proposed("a.txt", 5, 5, "bad", Severity.CRITICAL)
    made = patch_output(reviewed([mild, bad], files))
    assert made.left_out == (mild,)
    assert "bad\n" in applied(repo, made.text, files)["a.txt"]


def test_only_picks_findings_by_the_beginning_of_their_id() -> None:
    files = {"a.txt": LINES, "b.txt": LINES}
    made = patch_output(reviewed([proposed("a.txt", 5, 5, "x"), proposed("b.txt", 5, 5, "y")], files), ["b.txt-5"])
    assert "+++ b/b.txt" in made.text
    assert "a.txt" not in made.text


def test_no_suggestion_is_no_patch() -> None:
    assert patch_output(reviewed([], {})).text == ""
