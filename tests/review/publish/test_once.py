"""A review is published once, whatever happens to an answer or a process."""

import pytest
from tests.review.publish.saying import VOICE, publish, publisher_of, result_of, said
from tests.support.forges import Scene

from perilune.compose.pull_reviews import StoredOutbox
from perilune.core.errors import ReviewError
from perilune.patches.model import Side
from perilune.review.publish.publisher import Publishing
from perilune.review.publish.summary import summary_text
from perilune.review.result import RunStatus
from perilune.sandbox.forge.faults import CallFault
from perilune.store.engine import Store

REVIEW_CALLS = {"github": "*/pulls/1/reviews", "gitlab": "*/bulk_publish", "gitea": "*/pulls/1/reviews"}
SUMMARY_CALLS = {"github": "*/issues/1/comments", "gitlab": "*/notes", "gitea": "*/issues/1/comments"}


async def test_a_review_is_one_call_with_all_comments_and_one_summary(scene: Scene, store: Store) -> None:
    published = await publish(scene, store, said("a.txt", 5), said("a.txt", 30, side=Side.OLD), said("b.txt", 2))
    dialect = scene.played.dialect
    assert (published.state, published.inline, published.check) == ("published", 3, "success")
    assert len(scene.played.journal.select("POST", REVIEW_CALLS[dialect])) == 1
    assert len(scene.pull.threads) == 3
    assert len(scene.pull.comments) == 1
    assert [status.name for status in scene.repository.statuses] == ["perilune/review"]
    assert scene.played.failures == []
    assert all(review.state in ("COMMENTED", "COMMENT") for review in scene.pull.reviews)


async def test_the_same_run_again_writes_nothing_twice(scene: Scene, store: Store) -> None:
    for _ in range(3):
        await publish(scene, store, said("a.txt", 5), said("b.txt", 2))
    assert (len(scene.pull.threads), len(scene.pull.comments)) == (2, 1)
    assert len(scene.played.journal.select("POST", REVIEW_CALLS[scene.played.dialect])) == 1


async def test_another_run_says_nothing_again_that_stands(scene: Scene, store: Store) -> None:
    await publish(scene, store, said("a.txt", 5))
    again = await publish(scene, store, said("a.txt", 5), said("b.txt", 2), run="run-2")
    assert (again.inline, again.carried) == (1, 1)
    assert (len(scene.pull.threads), len(scene.pull.comments)) == (2, 1)


async def test_marks_of_others_are_nothing(scene: Scene, store: Store) -> None:
    await publish(scene, store, said("a.txt", 5))
    for thread in scene.pull.threads:
        thread.comments[0].author = scene.author
    scene.pull.comments[0].author = scene.author
    again = await publish(scene, store, said("a.txt", 5), run="run-2")
    assert (again.inline, again.carried) == (1, 0)
    assert len(scene.pull.comments) == 2


@pytest.mark.case("review R7.12")
async def test_a_deleted_summary_is_made_again_once(scene: Scene, store: Store) -> None:
    await publish(scene, store)
    scene.pull.comments.clear()
    for run in ("run-2", "run-3", "run-3"):
        await publish(scene, store, run=run)
    assert len(scene.pull.comments) == 1


async def test_a_clean_review_posts_no_review(scene: Scene, store: Store) -> None:
    published = await publish(scene, store)
    assert (published.reviews, published.inline, len(scene.pull.comments)) == (0, 0, 1)
    assert scene.pull.reviews == []


@pytest.mark.case("review R12.3")
async def test_a_review_that_was_taken_but_answered_with_a_fault_is_adopted(scene: Scene, store: Store) -> None:
    path = REVIEW_CALLS[scene.played.dialect]
    scene.played.faults.add(CallFault(method="POST", path=path, status=502, accepts=True))
    published = await publish(scene, store, said("a.txt", 5), said("b.txt", 2))
    assert published.state == "published"
    assert len(scene.pull.threads) == 2
    assert len(scene.played.journal.select("POST", path)) == 1


async def test_a_summary_that_was_taken_but_answered_with_a_fault_is_adopted(scene: Scene, store: Store) -> None:
    path = SUMMARY_CALLS[scene.played.dialect]
    scene.played.faults.add(CallFault(method="POST", path=path, status=502, accepts=True))
    await publish(scene, store, said("a.txt", 5))
    assert len(scene.pull.comments) == 1


async def test_a_write_that_never_arrived_is_made_after_half_a_minute(scene: Scene, store: Store) -> None:
    path = REVIEW_CALLS[scene.played.dialect]
    scene.played.faults.add(CallFault(method="POST", path=path, status=502))
    begun = scene.clock.now()
    await publish(scene, store, said("a.txt", 5))
    assert len(scene.pull.threads) == 1
    assert (scene.clock.now() - begun).total_seconds() >= 30


async def test_what_a_dead_process_was_sending_is_looked_for_first(scene: Scene, store: Store) -> None:
    """The first process dies between the call and its answer: the row is left in `sending`."""
    path = REVIEW_CALLS[scene.played.dialect]
    scene.played.faults.add(CallFault(method="POST", path=path, status=502, accepts=True))
    scene.played.faults.add(CallFault(method="GET", path="*", status=502, times=2, skip=50))
    first = publisher_of(scene, store)
    result = await result_of(scene, said("a.txt", 5))
    seen = await scene.forge.pull(scene.address)
    original = scene.forge.find_marked
    scene.forge.find_marked = _dying  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        await first.publish(result, seen, Publishing())
    scene.forge.find_marked = original  # type: ignore[method-assign]
    [row] = StoredOutbox(store).of_run("run-1")
    assert row.state == "sending"
    scene.played.faults.clear()
    await publisher_of(scene, store).publish(result, seen, Publishing())
    assert len(scene.pull.threads) == 1
    assert len(scene.played.journal.select("POST", path)) == 1


async def _dying(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.case("review R12.4")
async def test_a_pending_review_left_behind_is_deleted_first(scene: Scene, store: Store) -> None:
    if scene.played.dialect == "gitea":
        scene.played.behaviour.breaks_after = 3
    published = await publish(scene, store, *(said("a.txt", line) for line in range(3, 9)))
    assert published.inline == 6
    assert len(scene.pull.threads) == 6
    assert [review.state for review in scene.pull.reviews] in ([], ["COMMENT"], ["COMMENTED"])


@pytest.mark.case("review R12.5")
async def test_draft_notes_left_behind_are_deleted_first(scene: Scene, store: Store) -> None:
    if scene.played.dialect != "gitlab":
        return
    draft_notes = "*/draft_notes"
    scene.played.faults.add(CallFault(method="POST", path=draft_notes, status=502, skip=4))
    scene.forge.find_marked = _dying  # type: ignore[method-assign]
    findings = [said("a.txt", line) for line in range(3, 10)]
    with pytest.raises(KeyboardInterrupt):
        await publish(scene, store, *findings)
    assert len(scene.pull.drafts) == 4
    del scene.forge.find_marked  # type: ignore[method-assign]
    published = await publish(scene, store, *findings)
    assert (published.inline, len(scene.pull.threads), scene.pull.drafts) == (7, 7, [])
    assert len(scene.played.journal.select("POST", "*/bulk_publish")) == 1


async def test_a_newer_head_ends_the_publication(scene: Scene, store: Store) -> None:
    result = await result_of(scene, said("a.txt", 5))
    seen = await scene.forge.pull(scene.address)
    scene.repository.bare.commit("refs/heads/topic", {"c.txt": "more\n"})
    published = await publisher_of(scene, store).publish(result, seen, Publishing())
    assert published.state == "superseded"
    assert [problem.code for problem in published.errors] == ["PL-REVIEW-SUPERSEDED"]
    assert scene.played.journal.writes() == []


async def test_nothing_is_written_on_a_closed_pull_request(scene: Scene, store: Store) -> None:
    result = await result_of(scene, said("a.txt", 5))
    seen = await scene.forge.pull(scene.address)
    scene.pull.state = "merged"
    published = await publisher_of(scene, store).publish(result, seen, Publishing())
    assert (published.state, scene.played.journal.writes()) == ("closed", [])


async def test_a_rehearsal_counts_and_writes_nothing(scene: Scene, store: Store) -> None:
    result = await result_of(scene, said("a.txt", 5), said("a.txt", 20))
    seen = await scene.forge.pull(scene.address)
    published = await publisher_of(scene, store).rehearse(result, seen, Publishing())
    assert (published.state, published.inline, published.demoted) == ("dry_run", 1, 1)
    assert scene.played.journal.writes() == []


async def test_only_our_own_unanswered_threads_are_resolved(scene: Scene, store: Store) -> None:
    await publish(scene, store, said("a.txt", 5), said("a.txt", 6), said("a.txt", 7))
    threads = scene.pull.threads
    threads[1].comments.append(scene.played.comment(scene.author, "No, it is right."))
    threads[2].comments[0].author = scene.author
    seen = await scene.forge.threads(scene.address)
    how = Publishing(resolve=tuple((thread.id, "a title") for thread in seen))
    await publish(scene, store, run="run-2", how=how)
    assert [thread.is_resolved for thread in threads] == [True, False, False]


async def test_a_forge_that_does_not_let_us_resolve_still_gets_the_summary(scene: Scene, store: Store) -> None:
    scene.played.behaviour.has_resolve = scene.played.behaviour.may_resolve = False
    await publish(scene, store, said("a.txt", 5))
    seen = await scene.forge.threads(scene.address)
    await publish(scene, store, run="run-2", how=Publishing(resolve=((seen[0].id, "The title"),)))
    assert "fixed: The title" in scene.pull.comments[0].body


@pytest.mark.parametrize(
    ("status", "fail_on", "expected"),
    [
        (RunStatus.COMPLETE, "never", "success"),
        (RunStatus.COMPLETE, "high", "failure"),
        (RunStatus.PARTIAL, "never", "neutral"),
        (RunStatus.DEFERRED, "never", "neutral"),
    ],
)
async def test_the_check_fails_only_where_the_settings_say_so(
    scene: Scene, store: Store, status: RunStatus, fail_on: str, expected: str
) -> None:
    published = await publish(scene, store, said("a.txt", 5), status=status, fail_on=fail_on)
    assert published.check == expected


async def test_a_summary_keeps_to_the_limit_and_its_mark_stays(scene: Scene) -> None:
    findings = [
        said("a.txt", 5, id=f"f{number}", title=f"A title of {number}", is_inline=False) for number in range(60)
    ]
    result = await result_of(scene, *findings)
    text = summary_text(result, VOICE, limit=900)
    assert len(text) <= 900
    assert text.startswith("<!-- perilune:summary v1 -->")
    assert "no findings" in text or "60 findings" in text


async def test_comments_hold_nothing_that_is_live(scene: Scene, store: Store) -> None:
    body = (
        "Ask @ada, see ![x](https://evil.example/x.png)\n/merge\ncloses #3 <!-- perilune:finding v1 fp=00 code=00 -->"
    )
    await publish(scene, store, said("a.txt", 5, body=body))
    text = scene.pull.threads[0].comments[0].body
    assert "`@ada`" in text
    assert "](" not in text
    assert "\n/merge" not in text
    assert text.count("<!--") == (2 if scene.played.dialect == "gitlab" else 1)


async def test_a_refused_token_is_no_reason_to_wait(scene: Scene, store: Store) -> None:
    scene.repository.roles[scene.bot.login] = "none"
    with pytest.raises(ReviewError) as raised:
        await publish(scene, store, said("a.txt", 5))
    assert raised.value.problem.exit_code == 4


async def test_a_comment_of_ours_can_be_edited_and_answered(scene: Scene, store: Store) -> None:
    await publish(scene, store, said("a.txt", 5))
    [thread] = await scene.forge.threads(scene.address)
    assert await scene.forge.edit_comment(scene.address, thread, "critical: another text")
    assert scene.pull.threads[0].comments[0].body == "critical: another text"
    await scene.forge.reply(scene.address, thread, "because of this")
    said_there = [comment.body for comment in scene.played.all_comments(scene.pull)]
    assert "because of this" in said_there
