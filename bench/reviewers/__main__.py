"""Perilune beside Open Code Review: the same scripted model, the same changes, in one run."""

import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.replay.answers import goldens
from bench.replay.packages import own_history
from bench.reviewers.model import ANSWER_S, Remark, Script, remarks, served
from bench.reviewers.subjects import Comment, Run, open_code_review, peer_program, perilune
from perilune.patches.model import File, FileKind, Status
from perilune.review.acquire.inputs import InputKind, ReviewInput, acquire

ROOT = Path(__file__).resolve().parents[2]
COMMITS = int(os.environ.get("BENCH_COMMITS", "6"))
FILES = 60
MOST_GOLDENS = 16
_NAME = re.compile(r"G\d+")
_CODE = (".py", ".js", ".ts", ".go", ".rs", ".java", ".c")
COLUMNS = ("requests", "tokens", "misplaced", "duplicated", "missed", "seconds", "peak MB")


def one_line_files(folder: Path) -> Path:
    """A repository whose last commit changes one line in each of its files."""
    repository = folder / "one-line"
    repository.mkdir()
    _git(repository, "init", "--quiet")
    for number in range(FILES):
        (repository / f"part{number}.py").write_text(f"def part{number}(value):\n    return value\n", encoding="utf-8")
    _commit(repository, "Begin")
    for number in range(FILES):
        text = f"def part{number}(value):\n    return value + offset_{number}(value)\n"
        (repository / f"part{number}.py").write_text(text, encoding="utf-8")
    _commit(repository, "Add")
    return repository


def own_commits(folder: Path) -> Iterator[tuple[str, Path]]:
    """Clones of this project at commits that change a few source files each."""
    chosen = 0
    for commit in reversed(own_history(ROOT, 200)):
        changed = _git(ROOT, "diff", "--name-only", f"{commit}^1", commit).split() if _has_parent(commit) else []
        if chosen < COMMITS and sum(name.endswith(_CODE) for name in changed) >= 3 and len(changed) <= 40:
            chosen += 1
            repository = folder / commit[:12]
            _git(folder, "clone", "--quiet", "--shared", str(ROOT), str(repository))
            _git(repository, "checkout", "--quiet", "--detach", commit)
            yield commit[:12], repository


def _has_parent(commit: str) -> bool:
    return len(_git(ROOT, "rev-list", "--parents", "-1", commit).split()) > 1


def _git(directory: Path, *arguments: str) -> str:
    who = ("-c", "user.name=Bench", "-c", "user.email=bench@example.org")
    return subprocess.run(
        ["git", "-C", str(directory), *who, *arguments], capture_output=True, text=True, check=True
    ).stdout


def _commit(repository: Path, words: str) -> None:
    _git(repository, "add", "--all")
    _git(repository, "commit", "--quiet", "--message", words)


def known_places(repository: Path) -> list[Remark]:
    """What the model will say of the last commit: added lines of code that stand alone in the change."""
    acquired = acquire(ReviewInput(kind=InputKind.COMMIT, directory=str(repository), name="HEAD"))
    try:
        files = [file for file in acquired.diff.files if _is_code(file)]
    finally:
        acquired.close()
    places = goldens(files, 400, repository.name)
    alone = [golden for golden in places if golden.is_alone and golden.side.value == "new"]
    return remarks(alone[:MOST_GOLDENS])


def _is_code(file: File) -> bool:
    is_text = file.kind is FileKind.TEXT and file.status in (Status.ADDED, Status.MODIFIED)
    return is_text and file.name.endswith(_CODE) and bool(file.hunks)


def judged(comments: Sequence[Comment], said: Sequence[Remark]) -> Counter[str]:
    """Where comments landed: misplaced, said again, or missed though they were said truly."""
    by_name = {remark.golden.name: remark for remark in said}
    count: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for comment in comments:
        match = _NAME.search(comment.text)
        if match is None:
            continue
        remark = by_name[match[0]]
        if remark.manner != "invented" and _is_its_place(comment, remark):
            right[match[0]] += 1
        else:
            count["misplaced"] += 1
    count["duplicated"] = sum(number - 1 for number in right.values())
    count["missed"] = sum(
        remark.manner in ("true", "duplicated") and not right[name] for name, remark in by_name.items()
    )
    return count


def _is_its_place(comment: Comment, remark: Remark) -> bool:
    golden = remark.golden
    if comment.path != golden.path or comment.side not in (None, golden.side.value):
        return False
    return golden.start <= comment.start <= comment.end <= golden.end


def compare(name: str, repository: Path, subjects: dict[str, Run], folder: Path) -> dict[str, Counter[str]]:
    """One change reviewed by everybody."""
    said = known_places(repository)
    found = {}
    for subject, run in subjects.items():
        with served(Script(said)) as (base_url, ledger):
            place = folder / f"{name}-{subject}"
            place.mkdir()
            outcome = run(repository, base_url, place)
        count = judged(outcome.comments, said)
        count |= Counter({"requests": ledger.requests, "tokens": ledger.tokens})
        count |= Counter({"seconds": outcome.seconds, "peak MB": outcome.peak_mb})  # type: ignore[dict-item]
        found[subject] = count
        figures = [ledger.requests, ledger.tokens, *(count[column] for column in COLUMNS[2:5])]
        times = [f"{outcome.seconds:.1f}", f"{outcome.peak_mb:.0f}"]
        row = " | ".join([*map(str, figures), *times])
        print(f"| {name}, {len(said)} known | {subject} | {row} |", flush=True)
    return found


def main() -> int:
    """Print the table; 1 where ours is worse in a counted column."""
    subjects: dict[str, Run] = {"Perilune": perilune}
    if peer_program() is not None:
        subjects["Open Code Review"] = open_code_review
    else:
        print("Open Code Review is not installed (npm @alibaba-group/open-code-review; or BENCH_OCR=PROGRAM).\n")
    print(f"Every answer of the model takes {ANSWER_S:g} s. Tokens are bytes of both ways by four, for both alike.\n")
    print("| Change | Reviewer | " + " | ".join(COLUMNS) + " |\n" + "|---" * (len(COLUMNS) + 2) + "|")
    worse = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        changes = [(f"{FILES} files, one line each", one_line_files(folder)), *own_commits(folder)]
        for title, repository in changes:
            found = compare(title, repository, subjects, folder)
            peer = found.get("Open Code Review", found["Perilune"])
            worse += sum(found["Perilune"][column] > peer[column] for column in COLUMNS)
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
