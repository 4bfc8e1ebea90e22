"""Durable jobs on every database: once per key, one worker at a time, fenced, fair, resumed."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from perilune.store.engine import Store, open_store
from perilune.store.job_rows import Claim, JobState, NewJob
from perilune.store.jobs import Jobs

LEASE = timedelta(seconds=30)
OVER = timedelta(0)  # a lease that ends at once, also by a server's clock
KINDS = ("review",)


def _now() -> datetime:
    return datetime.now(UTC)


def _job(number: int, **fields: object) -> NewJob:
    named = {"id": f"job-{number}", "key": f"key-{number}", "kind": "review", "input": b"{}"}
    return NewJob(**{**named, **fields})  # type: ignore[arg-type]


def _claim(jobs: Jobs, worker: str = "one", lease: timedelta = LEASE) -> Claim:
    claim = jobs.claim(worker, KINDS, lease, _now())
    assert claim is not None
    return claim


def test_a_key_submitted_again_is_the_same_job_whatever_became_of_it(store: Store) -> None:
    jobs = Jobs(store)
    assert jobs.submit(_job(1), _now()).is_new
    again = jobs.submit(_job(2, key="key-1"), _now())
    assert (again.id, again.is_new) == ("job-1", False)
    jobs.finish(_claim(jobs), JobState.DONE, _now(), b"out")
    assert jobs.submit(_job(3, key="key-1"), _now()).id == "job-1"
    row = jobs.row("job-1")
    assert row is not None
    assert (row.state, row.output) == (JobState.DONE, b"out")
    assert jobs.claim("one", KINDS, LEASE, _now()) is None


def test_a_job_is_given_to_one_worker_until_its_lease_ends(store: Store) -> None:
    jobs = Jobs(store)
    jobs.submit(_job(1), _now())
    first = _claim(jobs, lease=OVER)
    second = _claim(jobs, "two")
    assert (second.id, second.fence) == (first.id, first.fence + 1)
    assert jobs.claim("three", KINDS, LEASE, _now()) is None


def test_whoever_lost_the_lease_cannot_write(store: Store) -> None:
    jobs = Jobs(store)
    jobs.submit(_job(1), _now())
    lost = _claim(jobs, lease=OVER)
    held = _claim(jobs, "two")
    assert not jobs.keep_step(lost, "plan", "hash", 1, b"lost", _now())
    assert not jobs.finish(lost, JobState.DONE, _now())
    assert not jobs.defer(lost, _now(), "why")
    assert not jobs.heartbeat(lost, LEASE, _now()).is_ours
    assert not jobs.is_ours(lost)
    assert jobs.is_ours(held)
    assert jobs.step_output("job-1", "plan", "hash", 1) is None


def test_what_a_step_gave_is_there_for_the_next_worker_under_the_same_version(store: Store) -> None:
    jobs = Jobs(store)
    jobs.submit(_job(1), _now())
    assert jobs.keep_step(_claim(jobs, lease=OVER), "plan", "hash", 1, b"first", _now())
    claim = _claim(jobs, "two")
    assert claim.fence == 2
    assert jobs.step_output(claim.id, "plan", "hash", 1) == b"first"
    assert jobs.step_output(claim.id, "plan", "other", 1) is None
    assert jobs.step_output(claim.id, "plan", "hash", 2) is None
    assert jobs.keep_step(claim, "plan", "hash", 2, b"second", _now())
    assert jobs.step_output(claim.id, "plan", "hash", 2) == b"second"


def test_a_heartbeat_prolongs_the_lease_and_tells_of_a_stop(store: Store) -> None:
    jobs = Jobs(store)
    jobs.submit(_job(1), _now())
    claim = _claim(jobs, lease=OVER)
    assert jobs.heartbeat(claim, LEASE, _now()).stop is None
    assert jobs.recover(_now()) == 0
    assert jobs.stop("job-1", "cancelled", "closed", _now())
    beat = jobs.heartbeat(claim, LEASE, _now())
    assert (beat.is_ours, beat.stop) == (True, "cancelled")


def test_a_job_asked_to_stop_ends_when_its_worker_falls_silent(store: Store) -> None:
    jobs = Jobs(store)
    jobs.submit(_job(1), _now())
    _claim(jobs, lease=OVER)
    jobs.stop("job-1", "superseded", "a newer head", _now())
    assert jobs.claim("two", KINDS, LEASE, _now()) is None
    row = jobs.row("job-1")
    assert row is not None
    assert (row.state, row.reason) == (JobState.SUPERSEDED, "a newer head")


def test_a_newer_job_of_a_subject_supersedes_the_others_of_it(store: Store) -> None:
    jobs = Jobs(store)
    for number in (1, 2, 3):
        jobs.submit(_job(number, subject="pull/7"), _now())
    jobs.submit(_job(4, subject="pull/8"), _now())
    assert jobs.supersede("pull/7", KINDS, "job-3", "a newer head", _now()) == 2
    states = {row.id: row.state for row in jobs.recent(9)}
    assert states == {
        "job-1": JobState.SUPERSEDED,
        "job-2": JobState.SUPERSEDED,
        "job-3": JobState.QUEUED,
        "job-4": JobState.QUEUED,
    }


def test_one_job_of_a_subject_runs_at_a_time(store: Store) -> None:
    jobs = Jobs(store)
    jobs.submit(_job(1, subject="pull/7"), _now())
    jobs.submit(_job(2, subject="pull/7"), _now())
    first = _claim(jobs)
    assert jobs.claim("two", KINDS, LEASE, _now()) is None
    jobs.finish(first, JobState.DONE, _now())
    assert _claim(jobs, "two").id == "job-2"


def test_repositories_take_turns(store: Store) -> None:
    jobs = Jobs(store)
    for number in range(1, 4):
        jobs.submit(_job(number, repository="busy"), _now())
    jobs.submit(_job(9, repository="quiet"), _now())
    order = []
    for _ in range(4):
        claim = _claim(jobs)
        order.append(claim.id)
        jobs.finish(claim, JobState.DONE, _now())
    assert order.index("job-9") <= 1


def test_a_deferred_job_waits_for_its_moment_and_keeps_its_reason(store: Store) -> None:
    jobs = Jobs(store)
    jobs.submit(_job(1), _now())
    jobs.defer(_claim(jobs), _now() + timedelta(hours=1), "PL-REVIEW-BUDGET")
    row = jobs.row("job-1")
    assert row is not None
    assert (row.state, row.reason) == (JobState.DEFERRED, "PL-REVIEW-BUDGET")
    assert jobs.claim("one", KINDS, LEASE, _now()) is None


def test_how_often_a_job_broke_is_told_to_whoever_takes_it_next(store: Store) -> None:
    jobs = Jobs(store)
    jobs.submit(_job(1), _now())
    jobs.defer(_claim(jobs), _now(), "PL-REVIEW-BUDGET")
    jobs.defer(_claim(jobs), _now(), "ValueError", is_fault=True)
    assert _claim(jobs).faults == 1


def test_a_more_urgent_job_is_first_and_other_kinds_are_left_alone(store: Store) -> None:
    jobs = Jobs(store)
    jobs.submit(_job(1, priority=5), _now())
    jobs.submit(_job(2, priority=1), _now())
    jobs.submit(_job(3, priority=0, kind="learn"), _now())
    assert _claim(jobs).id == "job-2"


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(["submit", "claim", "die", "finish", "stop"]), max_size=25))
def test_no_subject_ever_runs_twice_and_no_open_job_is_lost(moves: list[str]) -> None:
    with TemporaryDirectory() as folder:
        store = open_store(Path(folder) / "store.sqlite3")
        _play(Jobs(store), moves)
        store.close()


def _play(jobs: Jobs, moves: list[str]) -> None:
    number = 0
    claims: list[Claim] = []
    for move in moves:
        match move:
            case "submit":
                number += 1
                jobs.submit(_job(number, subject=f"pull/{number % 3}"), _now())
            case "claim":
                claim = jobs.claim("one", KINDS, LEASE, _now())
                claims += [claim] if claim is not None else []
            case "die":
                jobs.recover(_now() + timedelta(days=1))
            case "finish":
                for claim in claims[-1:]:
                    jobs.finish(claim, JobState.DONE, _now())
            case _:
                jobs.stop(f"job-{number}", "cancelled", "closed", _now())
        running = [row.subject for row in jobs.recent(99) if row.state is JobState.RUNNING]
        assert len(running) == len(set(running))
    assert len(jobs.recent(99)) == number
