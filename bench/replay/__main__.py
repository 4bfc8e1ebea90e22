"""Replays releases and our own history: counts against git's, and where comments of good and bad models land."""

import asyncio
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from msgspec import Struct

from bench.replay import corpus, posting
from bench.replay.answers import KINDS, Golden, Model, goldens
from bench.replay.equality import differences
from bench.replay.packages import PACKAGES, Package, history, own_history
from perilune.patches.finding import Finding
from perilune.patches.model import File, FileKind
from perilune.review.acquire.inputs import InputKind, ReviewInput, acquire
from perilune.review.coverage import CoverageState
from perilune.review.ports import ModelAnswer, NoQuota
from perilune.review.pulls.carry import Carry
from perilune.review.result import ReviewResult
from perilune.review.run import Reviewer, ReviewOptions, ReviewServices

ROOT = Path(__file__).resolve().parents[2]
RELEASES = int(os.environ.get("BENCH_RELEASES", "4"))
OWN = int(os.environ.get("BENCH_OWN_COMMITS", "120"))
MOST_FILES = 12
MOST_GOLDENS = 10
SETTINGS = {"severity": "nit", "max_inline": 1000, "budget": {"max_requests": 1000, "max_tokens": 10**9}}
LANGUAGES = {
    "py": "Python", "pyi": "Python", "js": "JavaScript", "mjs": "JavaScript", "cjs": "JavaScript", "ts": "TypeScript",
    "tsx": "TypeScript", "c": "C", "h": "C or C++", "cc": "C++", "cpp": "C++", "java": "Java", "kt": "Kotlin",
    "swift": "Swift", "m": "Objective-C", "mm": "Objective-C", "rs": "Rust", "go": "Go", "php": "PHP", "scss": "SCSS",
    "css": "CSS", "md": "Markdown", "json": "JSON",
}  # fmt: skip


class Answers:
    """Answers kept for one review."""

    def __init__(self) -> None:
        self._kept: dict[str, ModelAnswer] = {}

    async def get(self, key: str) -> ModelAnswer | None:
        """A kept answer."""
        return self._kept.get(key)

    async def put(self, key: str, answer: ModelAnswer) -> None:
        """Keep an answer."""
        self._kept[key] = answer


class Tally:
    """What the replay counts."""

    def __init__(self) -> None:
        self.commits = self.files = self.lines = 0
        self.unequal: list[str] = []
        self.unaccounted = 0
        self.languages: Counter[str] = Counter()
        self.kinds: dict[str, Counter[str]] = {kind: Counter() for kind in KINDS}


class Change(Struct, frozen=True):
    """Two commits of a repository."""

    name: str
    repository: Path
    base: str
    head: str


def changes(folder: Path, packages: Sequence[Package]) -> Iterator[Change]:
    """Every pair of successive commits."""
    own = own_history(ROOT, OWN)
    for base, head in pairwise(own):
        yield Change("perilune", ROOT, base, head)
    for package in packages:
        try:
            repository, commits = history(package, RELEASES, folder)
        except RuntimeError as error:
            print(f"{package.name}: left out, {error}", file=sys.stderr)
            continue
        for base, head in pairwise(commits):
            yield Change(package.name, repository, base, head)


def read(change: Change, tally: Tally) -> tuple[File, ...]:
    """The files of a change, compared with git's own counts."""
    acquired = acquire(_input(change))
    try:
        diff = acquired.diff
    finally:
        acquired.close()
    tally.commits += 1
    tally.files += len(diff.files)
    tally.lines += sum(file.changed for file in diff.files)
    tally.unequal += [
        f"{change.name} {line}" for line in differences(change.repository, change.base, change.head, diff)
    ]
    for file in diff.files:
        ending = file.name.rpartition(".")[2]
        tally.languages[LANGUAGES.get(ending, "other")] += 1
    return diff.files


def _input(change: Change, paths: tuple[str, ...] = ()) -> ReviewInput:
    name = f"{change.base}..{change.head}"
    return ReviewInput(kind=InputKind.RANGE, directory=str(change.repository), name=name, paths=paths)


async def replay(change: Change, files: Sequence[File], tally: Tally) -> None:
    """One change reviewed by each kind of model."""
    preview = await _reviewed(change, Model("true", (), ""), (), preview=True)
    tally.unaccounted += abs(len(preview.coverage) - len(files))
    readable = {item.path for item in preview.coverage if item.state is CoverageState.REVIEWED}
    chosen = [file for file in files if file.name in readable and file.hunks and file.kind is FileKind.TEXT]
    chosen = [file for file in chosen if file.old_path is None][:MOST_FILES]
    known = goldens(chosen, MOST_GOLDENS, change.head)
    if not known:
        return
    for kind in KINDS:
        said = [golden for golden in known if golden.is_alone or kind == "true"]
        model = Model(kind, said, change.head)
        result = await _reviewed(change, model, tuple(file.name for file in chosen))
        judge(result, said, model, tally.kinds[kind])


async def _reviewed(change: Change, model: Model, paths: tuple[str, ...], *, preview: bool = False) -> ReviewResult:
    services = ReviewServices(
        answerer=model, quota=NoQuota(), answers=Answers(), user=SETTINGS, clock=lambda: datetime.now(UTC)
    )
    return await Reviewer(services).review(_input(change, paths), ReviewOptions(preview=preview))


def judge(result: ReviewResult, said: Sequence[Golden], model: Model, count: Counter[str]) -> None:
    """Where the comments of one review landed."""
    by_name = {golden.name: golden for golden in said}
    landed: Counter[str] = Counter()
    count["said"] += len(model.said)
    for finding in result.inline:
        if finding.pass_name == "harness":  # a committed secret, found without the model
            continue
        golden = by_name[finding.title.split()[0]]
        landed[golden.name] += 1
        count["own range" if _is_its_place(finding, golden) else "misplaced"] += 1
    count["twice"] += sum(number - 1 for number in landed.values())
    count["not inline"] += len(model.said) - len(landed)


def _is_its_place(finding: Finding, golden: Golden) -> bool:
    anchor = finding.anchor
    if (anchor.path, anchor.side) != (golden.path, golden.side) or anchor.start_line is None or anchor.end_line is None:
        return False
    return golden.start <= anchor.start_line and anchor.end_line <= golden.end


async def post_corpus(folder: Path) -> dict[str, Counter[str]]:
    """Every entry of the corpus posted on three forges, and pushed again where it has a second head."""
    known, bare = corpus.entries(), folder / "corpus.git"
    corpus.write_repository(bare, known)
    counts: dict[str, Counter[str]] = {}
    async with posting.desks(folder, bare) as desks:
        for entry in known:
            first = await _of_corpus(bare, entry, 1, None)
            for dialect, desk in desks.items():
                count = counts.setdefault(dialect, Counter())
                pull = desk.open(corpus.base_branch(entry), corpus.head_branch(entry, 1))
                published = await desk.publish(pull, first)
                count["said"] += len(entry.heads[0].inline)
                count["accepted"] += len(pull.threads)
                count["refused"] += published.demoted
                if len(entry.heads) > 1:
                    desk.push(pull, corpus.head_branch(entry, 2))
                    carry = await desk.carry(pull, entry.heads[1].files)
                    before = len(pull.threads)
                    await desk.publish(pull, await _of_corpus(bare, entry, 2, carry))
                    count["again"] += len(pull.threads) - before
    return counts


async def _of_corpus(bare: Path, entry: corpus.Entry, number: int, earlier: Carry | None) -> ReviewResult:
    name = f"{corpus.base_branch(entry)}..{corpus.head_branch(entry, number)}"
    services = ReviewServices(
        answerer=corpus.TrueModel(entry.heads[number - 1]), quota=NoQuota(), answers=Answers(), user=SETTINGS
    )
    source = ReviewInput(kind=InputKind.RANGE, directory=str(bare), name=name)
    return await Reviewer(services).review(source, ReviewOptions(earlier=earlier))


def report_posts(counts: dict[str, Counter[str]]) -> bool:
    """Print what the forges took; whether they took everything, and nothing twice."""
    print("\n| Forge | Comments of the corpus | Accepted | Refused | Again after a second push |")
    print("|---|---|---|---|---|")
    for dialect, count in counts.items():
        print(f"| {dialect} | {count['said']} | {count['accepted']} | {count['refused']} | {count['again']} |")
    return all(
        count["said"] == count["accepted"] and not count["refused"] + count["again"] for count in counts.values()
    )


def report(tally: Tally, took_s: float) -> None:
    """Print the tables."""
    names = ", ".join(f"{name} {count}" for name, count in tally.languages.most_common())
    print(
        f"{tally.commits} changes, {tally.files} files, {tally.lines} changed lines, {took_s:.0f} s. Files: {names}.\n"
    )
    print("| Against git | Differences | Floor |\n|---|---|---|")
    print(f"| paths, status and counts of every file | {len(tally.unequal)} | 0 |")
    print(f"| files missing from the coverage ledger | {tally.unaccounted} | 0 |")
    print("\n| The model's answers | Said | On their own range | Misplaced | Twice | Not inline |")
    print("|---|---|---|---|---|---|")
    for kind, count in tally.kinds.items():
        figures = [str(count[name]) for name in ("said", "own range", "misplaced", "twice", "not inline")]
        print(f"| {kind} | " + " | ".join(figures) + " |")
    for line in tally.unequal[:20]:
        print(line, file=sys.stderr)


def main() -> int:
    """Replay everything; 1 where a floor does not hold."""
    wanted = os.environ.get("BENCH_PACKAGES")
    packages = PACKAGES if wanted is None else [one for one in PACKAGES if one.name in wanted.split(",")]
    tally = Tally()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        for change in changes(Path(folder), packages):
            asyncio.run(replay(change, read(change, tally), tally))
        posts = asyncio.run(post_corpus(Path(folder)))
    report(tally, time.monotonic() - began)
    is_posted = report_posts(posts)
    bad = sum(count["misplaced"] + count["twice"] for count in tally.kinds.values())
    true = tally.kinds["true"]
    is_held = (
        is_posted
        and not tally.unequal
        and not tally.unaccounted
        and not bad
        and true["own range"] >= 0.95 * true["said"]
    )
    return 0 if is_held else 1


if __name__ == "__main__":
    sys.exit(main())
