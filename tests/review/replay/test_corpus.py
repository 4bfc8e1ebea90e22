"""The replay corpus: what a true model says lands where it belongs, on three forges, and once."""

import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from bench.replay.corpus import Comment, Entry, Head, TrueModel, base_branch, entries, head_branch, write_repository
from bench.replay.posting import Desk, desks
from tests.review.scripted import NOW, MemoryAnswers

from perilune.core.ids import uuid7
from perilune.patches.finding import Finding, Level, Method
from perilune.review.acquire.inputs import InputKind, ReviewInput
from perilune.review.ports import NoQuota
from perilune.review.result import ReviewResult
from perilune.review.run import Reviewer, ReviewOptions, ReviewServices
from perilune.review.structure.reparse import parses_after

ENTRIES = entries()
SETTINGS = {"severity": "nit", "max_inline": 1000, "budget": {"max_requests": 1000, "max_tokens": 10**9}}


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus") / "corpus.git"
    write_repository(folder, ENTRIES)
    return folder


@pytest.fixture
async def forges(tmp_path: Path, bare: Path) -> AsyncIterator[dict[str, Desk]]:
    async with desks(tmp_path, bare) as opened:
        yield opened


async def reviewed(bare: Path, entry: Entry, number: int, **options: object) -> tuple[ReviewResult, TrueModel]:
    """The review of one head by a model that tells the truth."""
    model = TrueModel(entry.heads[number - 1])
    services = ReviewServices(
        answerer=model, quota=NoQuota(), answers=MemoryAnswers(), user=SETTINGS, clock=lambda: NOW
    )
    name = f"{base_branch(entry)}..{head_branch(entry, number)}"
    source = ReviewInput(kind=InputKind.RANGE, directory=str(bare), name=name)
    options.setdefault("run", str(uuid7(NOW)))
    return await Reviewer(services).review(source, ReviewOptions(**options)), model  # type: ignore[arg-type]


def place(finding: Finding) -> tuple[object, ...]:
    anchor = finding.anchor
    return (finding.title, anchor.path, anchor.side.value, anchor.start_line, anchor.end_line)


def wanted(comment: Comment) -> tuple[object, ...]:
    return (comment.text, comment.path, comment.side, comment.start_line, comment.end_line)


def negatives() -> Iterator[tuple[Entry, Head, Comment]]:
    return ((entry, head, one) for entry in ENTRIES for head in entry.heads for one in head.negatives)


def test_the_corpus_is_what_the_reference_asks_for() -> None:
    assert len(ENTRIES) <= 40
    assert len({entry.language for entry in ENTRIES}) >= 8
    assert sum(len(entry.heads) == 2 for entry in ENTRIES) >= 5
    assert sum(len(entry.heads[0].files) > 100 for entry in ENTRIES) >= 3
    assert sum(None in entry.heads[0].files.values() for entry in ENTRIES) >= 5
    assert len(list(negatives())) >= 60
    assert all(entry.licence for entry in ENTRIES)


@pytest.mark.case("review R2.1")
@pytest.mark.case("review R2.2")
@pytest.mark.case("review R2.3")
@pytest.mark.case("review R2.4")
@pytest.mark.case("review R2.5")
async def test_every_true_comment_is_posted_at_its_own_range_on_three_forges(
    bare: Path, forges: dict[str, Desk]
) -> None:
    landed: list[Comment] = []
    for entry in ENTRIES:
        head = entry.heads[0]
        result, model = await reviewed(bare, entry, 1)
        assert model.said == {one.text for one in (*head.goldens, *head.negatives)}, entry.name
        assert sorted(map(place, result.inline)) == sorted(map(wanted, head.inline)), entry.name
        assert all(finding.anchor.method is Method.EXACT for finding in result.inline)
        _is_folded(result, head)
        refuted = [drop.finding.title for drop in result.dropped if drop.reason == "refuted"]
        assert sorted(refuted) == sorted(one.text for one in head.negatives), entry.name
        landed += head.inline
        for dialect, desk in forges.items():
            pull = desk.open(base_branch(entry), head_branch(entry, 1))
            published = await desk.publish(pull, result)
            assert (published.inline, published.demoted, published.errors) == (len(head.inline), 0, ()), (
                entry.name,
                dialect,
            )
            assert len(pull.threads) == len(head.inline), (entry.name, dialect)
            assert not any(thread.is_lost for thread in pull.threads)
            refusals = [
                call
                for call in desk.repository.forge.journal.writes()
                if call.status >= 400 and "/statuses/" not in call.path
            ]
            assert refusals == []
    assert {one.side for one in landed} == {"old", "new"}
    assert sum(one.text == "The row is audited twice" for one in landed) >= 10


def _is_folded(result: ReviewResult, head: Head) -> None:
    """Comments outside hunks are told of and never on a line of their own."""
    outside = {one.text for one in head.goldens if one.place == "outside"}
    folded = {finding.title: finding for finding in result.folded}
    lost = {drop.finding.title for drop in result.dropped if drop.reason != "refuted"}
    assert outside <= set(folded) | lost
    assert all(folded[text].anchor.level in (Level.FILE, Level.PR) for text in outside & set(folded))


@pytest.mark.case("review R6.12")
async def test_every_suggestion_applies_once_and_parses(bare: Path, tmp_path: Path) -> None:
    emitted = 0
    for entry in ENTRIES:
        head = entry.heads[0]
        result, _ = await reviewed(bare, entry, 1)
        proposed = {one.text for one in head.goldens if one.replacement}
        assert {finding.title for finding in result.findings if finding.suggestion is not None} == proposed, entry.name
        for finding in result.findings:
            if finding.suggestion is None:
                continue
            path, before = finding.anchor.path, head.files[finding.anchor.path] or ""
            file = tmp_path / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(before)
            assert _applies(tmp_path, finding.suggestion.patch)
            assert parses_after(path, before, file.read_text()) is True
            assert not _applies(tmp_path, finding.suggestion.patch)
            emitted += 1
    assert emitted >= 40


def _applies(folder: Path, patch: str) -> bool:
    environment = os.environ | {"GIT_CEILING_DIRECTORIES": str(folder.parent)}
    for arguments in (["--check"], []):
        done = subprocess.run(
            ["git", "apply", *arguments, "-"],
            cwd=folder,
            env=environment,
            input=patch.encode(),
            capture_output=True,
            check=False,
        )
        if done.returncode:
            return False
    return True


async def test_a_second_push_says_nothing_twice_on_three_forges(bare: Path, forges: dict[str, Desk]) -> None:
    for entry in (entry for entry in ENTRIES if len(entry.heads) == 2):
        first, _ = await reviewed(bare, entry, 1)
        for desk in forges.values():
            pull = desk.open(base_branch(entry), head_branch(entry, 1))
            await desk.publish(pull, first)
            before = len(pull.threads)
            desk.push(pull, head_branch(entry, 2))
            carry = await desk.carry(pull, entry.heads[1].files)
            second, _ = await reviewed(bare, entry, 2, earlier=carry)
            published = await desk.publish(pull, second)
            assert (published.inline, len(pull.threads)) == (0, before), entry.name
