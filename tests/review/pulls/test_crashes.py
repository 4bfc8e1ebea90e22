"""Killed after every stage and every write, a review goes on elsewhere: nothing bought or published twice."""

import asyncio
import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from tests.review.pulls.desk import Desk, said_in_thread
from tests.review.pulls.mortal import Gone, Life, mortal_worker
from tests.review.scripted import verdicts
from tests.support.databases import DATABASES, postgres_server, target
from tests.support.forges import Scene

from perilune.core.errors import Problem
from perilune.forges.contract.hooks import HookComment
from perilune.forges.contract.port import Person
from perilune.review.commands import parse_command
from perilune.review.jobs import underway
from perilune.review.jobs.underway import Underway
from perilune.review.jobs.worker import STEADY, Ended, Pace, Worker
from perilune.review.ports import Refused
from perilune.review.trigger import PullJob
from perilune.sandbox.forge.faults import CallFault
from perilune.store.engine import Store, open_store
from perilune.store.findings import PullRow
from perilune.store.job_rows import JobState, NewJob
from perilune.store.jobs import Jobs

__all__ = ["postgres_server", "target"]

STAGES = [
    "queue.claim", "queue.keep_step acquire", "parse", "select", "rules", "queue.keep_step plan", "context",
    "answerer.answer", "answers.put generate", "parse-answer", "anchor", "answers.put verify", "verify", "suggest",
    "dedupe", "rank", "outbox.keep review pending", "outbox.keep review sending", "forge.post_review",
]  # fmt: skip
AFTER_PUBLISHING = [
    "outbox.keep summary sending", "forge.post_remark", "forge.edit_remark", "forge.report", "records.save",
    "records.save_pull", "reviewed", "queue.finish",
]  # fmt: skip


PLACES = [("github", "sqlite"), ("gitlab", "sqlite"), ("gitea", "sqlite")]
PLACES += [("gitea", name) for name in DATABASES[1:]]


@pytest.fixture
def store(target: str) -> Iterator[Store]:
    opened = open_store(target)
    yield opened
    opened.close()


@pytest.fixture
def desk(scene: Scene, store: Store) -> Desk:
    made = Desk(scene, store)
    made.says = {("a.txt", "line five"): "Line five is said twice", ("b.txt", "two"): "Two is one too many"}
    made.jobs.submit(
        NewJob(id="run", key="key", kind="review", input=msgspec.json.encode(PullJob(where=made.where))),
        scene.clock.now(),
    )
    return made


async def killed_after(desk: Desk, call: str, monkeypatch: pytest.MonkeyPatch) -> Life:
    """A worker that takes the job and ends after a call."""
    life = Life(call)
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)  # nobody looks after the dead
    with contextlib.suppress(Gone):
        await mortal_worker(desk, life, monkeypatch).run_until_idle()
    return life


@pytest.mark.case("review R12.1")
@pytest.mark.case("review R12.2")
@pytest.mark.parametrize(("dialect", "target"), PLACES, indirect=True)
async def test_a_review_killed_after_every_stage_is_bought_and_published_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for call in (*STAGES, *AFTER_PUBLISHING):
        life = await killed_after(desk, call, monkeypatch)
        assert life.is_over, (call, life.calls)
    row = desk.jobs.row("run")
    assert row is not None
    assert (row.state, row.fence) == (JobState.DONE, len(STAGES) + len(AFTER_PUBLISHING))
    _is_published_once(desk)
    # One answer was received and lost before it could be kept; everything that was kept is there once.
    assert [request.pass_name for request in desk.answerer.requests] == ["generate", "generate", "verify"]
    assert len(desk.answers.kept) == 2


def _is_published_once(desk: Desk) -> None:
    scene = desk.scene
    assert (len(desk.threads), len(desk.summaries)) == (2, 1)
    assert len(scene.pull.reviews) <= 1
    assert scene.pull.drafts == []
    assert scene.played.failures == []
    assert {status.name for status in scene.repository.statuses} == {"perilune/review"}
    assert [row.state.value for row in desk.rows] == ["posted", "posted"]
    assert "Line five is said twice" in desk.summaries[0]


@pytest.mark.parametrize(("dialect", "target"), [("github", "sqlite")], indirect=True)
async def test_what_was_refused_before_a_crash_is_not_added_after_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.answerer._replies["verify"] = Refused(problem=Problem(code="PL-GW-DOWN"))
    await killed_after(desk, "forge.post_remark", monkeypatch)
    desk.answerer._replies["verify"] = verdicts
    monkeypatch.undo()
    await desk.worker().run_until_idle()
    assert desk.threads == []
    assert ["2 more, not confirmed" in summary for summary in desk.summaries] == [True]
    assert desk.results[-1].errors == (Problem(code="PL-GW-DOWN"),)


@pytest.mark.case("review R13.3")
@pytest.mark.parametrize(("dialect", "target"), [("github", "sqlite")], indirect=True)
async def test_a_run_begun_by_another_version_is_planned_anew_on_the_answers_it_has(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(underway, "VERSION", underway.VERSION - 1)
    await killed_after(desk, "answers.put generate", monkeypatch)
    monkeypatch.undo()
    await desk.worker().run_until_idle()
    assert [request.pass_name for request in desk.answerer.requests] == ["generate", "verify"]
    _is_published_once(desk)


@pytest.mark.case("review R13.1")
@pytest.mark.parametrize(("dialect", "target"), [("github", "sqlite")], indirect=True)
async def test_another_worker_takes_over_within_a_minute(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    steady, clock = Pace(most_running=1), desk.scene.clock
    with contextlib.suppress(Gone):
        await mortal_worker(desk, Life("queue.keep_step plan"), monkeypatch, steady).run_until_idle()
    monkeypatch.undo()
    clock.advance(29)
    await desk.worker().run_until_idle()
    assert desk.threads == []
    clock.advance(60 - 29 - STEADY.poll_s)
    await desk.worker().run_until_idle()
    _is_published_once(desk)


@pytest.mark.parametrize(("dialect", "target"), [("github", "sqlite")], indirect=True)
async def test_halves_of_a_refused_review_are_not_posted_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    words = '{"message": "Validation Failed", "errors": ["Line could not be resolved"]}'
    path = "*/pulls/1/reviews"
    desk.scene.played.faults.add(CallFault(method="POST", path=path, status=422, body=words))
    for _ in range(2):  # the whole was refused; then the first half is taken, then the second
        await killed_after(desk, "forge.post_review", monkeypatch)
    await killed_after(desk, "outbox.keep review done", monkeypatch)
    monkeypatch.undo()
    await desk.worker().run_until_idle()
    assert sorted(thread.path for thread in desk.threads) == ["a.txt", "b.txt"]
    assert len(desk.summaries) == 1


@pytest.mark.parametrize(("dialect", "target"), [("github", "sqlite")], indirect=True)
async def test_a_command_killed_after_every_call_is_answered_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await desk.worker().run_until_idle()
    desk.answerer._replies["explain"] = "Because the list may be empty."
    job = await said_in_thread(desk, "@perilune explain")
    desk.jobs.submit(NewJob(id="told", key="told", kind="command", input=msgspec.json.encode(job)), job_at(desk))
    calls = ["forge.react", "answers.put explain", "outbox.keep answer sending", "forge.reply", "queue.finish"]
    for call in calls:
        life = await killed_after(desk, call, monkeypatch)
        assert life.is_over, (call, life.calls)
    said = [comment.body for comment in desk.threads[0].comments]
    assert sum("may be empty" in body for body in said) == 1
    assert [request.pass_name for request in desk.answerer.requests].count("explain") == 1


@pytest.mark.parametrize(("dialect", "target"), [("github", "sqlite")], indirect=True)
async def test_a_status_that_reads_otherwise_after_a_crash_is_not_given_twice(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.jobs.stop("run", "cancelled", "", job_at(desk))
    author = Person(login="ada", id=desk.scene.author.id, association="MEMBER")
    said = desk.scene.played.comment(desk.scene.author, "@perilune status")
    desk.scene.pull.comments.append(said)
    told = PullJob(
        where=desk.where, comment=HookComment(id=str(said.id), body=said.body, author=author),
        command=parse_command(said.body),
    )  # fmt: skip
    desk.jobs.submit(NewJob(id="told", key="told", kind="command", input=msgspec.json.encode(told)), job_at(desk))
    await killed_after(desk, "forge.post_remark", monkeypatch)
    desk.records.save_pull(PullRow(pull=desk.where.subject, updated_at=job_at(desk), is_paused=True))
    await desk.worker().run_until_idle()
    assert len(desk.scene.pull.comments) == 2


@pytest.mark.case("review R13.4")
@pytest.mark.parametrize("target", ["sqlite"], indirect=True)
async def test_a_cap_lowered_at_a_restart_holds_from_the_first_moment(store: Store) -> None:
    jobs, running, most = Jobs(store), 0, 0
    job_time = datetime.now(UTC) - timedelta(minutes=2)
    for number in range(8):
        jobs.submit(NewJob(id=f"{number}", key=f"{number}", kind="review", input=b""), job_time)
    before = datetime.now(UTC) - timedelta(minutes=1)
    killed = [jobs.claim("killed", ("review",), STEADY.lease, before) for _ in range(8)]
    assert None not in killed

    async def handler(underway: Underway) -> Ended:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.02)
        running -= 1
        return Ended()

    await Worker("after", jobs, {"review": handler}, Pace(most_running=3)).run_until_idle()
    assert (most, {row.state for row in jobs.recent(9)}) == (3, {JobState.DONE})


def job_at(desk: Desk) -> datetime:
    return desk.scene.clock.now()
