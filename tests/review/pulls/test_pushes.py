"""Push after push on three forges: nothing said twice, fixed threads resolved, people's threads left alone."""

import pytest
from tests.review.pulls.desk import Desk, said_in_thread

from perilune.patches.finding import State
from perilune.review.commands import Command, Verb
from perilune.store.engine import Store, open_store
from perilune.store.job_rows import JobState

FIVE = ("a.txt", "line five")
ADDED = ("a.txt", "added two")


@pytest.fixture
async def reviewed(desk: Desk) -> Desk:
    """A pull request with one comment on a line."""
    desk.says = {FIVE: "Line five is said twice"}
    row = await desk.review()
    assert (row.state, len(desk.threads)) == (JobState.DONE, 1)
    return desk


def _resolved(desk: Desk) -> list[bool]:
    return [thread.is_resolved for thread in desk.threads]


@pytest.mark.case("review R7.1")
async def test_an_unrelated_push_says_nothing_new_and_buys_nothing_for_unchanged_units(reviewed: Desk) -> None:
    before = reviewed.asked
    reviewed.push({"package-lock.json": "{}\n"})
    await reviewed.review()
    assert len(reviewed.threads) == 1
    assert reviewed.asked == before
    assert [row.state for row in reviewed.rows] == [State.CARRIED]


@pytest.mark.case("review R7.2")
async def test_lines_inserted_above_post_nothing_twice(reviewed: Desk) -> None:
    filler = "".join(f"filler {number}\n" for number in range(100))
    reviewed.push({"a.txt": filler + reviewed.content("a.txt")})
    await reviewed.review()
    assert (len(reviewed.threads), _resolved(reviewed)) == (1, [False])


@pytest.mark.case("review R7.3")
async def test_a_rebase_and_a_forced_push_post_nothing_twice(reviewed: Desk) -> None:
    bare = reviewed.scene.repository.bare
    mine = {path: reviewed.content(path) for path in ("a.txt", "new.txt", "b.txt")}
    bare.commit("refs/heads/main", {"moved.txt": "the base moved\n"}, "Base", parent=bare.tip("refs/heads/main"))
    reviewed.push({**mine, "old.txt": None}, parent=bare.tip("refs/heads/main"), force=True)
    await reviewed.review()
    reviewed.push({**mine, "old.txt": None, "keep.txt": "kept\nmore\n"}, parent=bare.tip("refs/heads/main"), force=True)
    await reviewed.review()
    assert (len(reviewed.threads), len(reviewed.summaries)) == (1, 1)


@pytest.mark.case("review R7.4")
async def test_a_finding_whose_line_is_fixed_is_resolved_and_the_summary_says_so(reviewed: Desk) -> None:
    reviewed.push({"a.txt": reviewed.content("a.txt").replace("line five\n", "line 5, put right\n")})
    reviewed.says = {}
    await reviewed.review()
    assert [row.state for row in reviewed.rows] == [State.FIXED]
    assert _resolved(reviewed) == [True]
    assert "fixed: Line five is said twice" in reviewed.summaries[0]


@pytest.mark.case("review R7.5")
async def test_a_fixed_finding_that_a_person_answered_is_left_open(reviewed: Desk) -> None:
    scene = reviewed.scene
    reviewed.threads[0].comments.append(scene.played.comment(scene.author, "Are you sure?"))
    reviewed.push({"a.txt": reviewed.content("a.txt").replace("line five\n", "line 5, put right\n")})
    reviewed.says = {}
    await reviewed.review()
    assert [row.state for row in reviewed.rows] == [State.FIXED]
    assert _resolved(reviewed) == [False]


@pytest.mark.case("review R7.6")
async def test_silence_about_unchanged_code_is_no_fix(reviewed: Desk) -> None:
    reviewed.push({"a.txt": reviewed.content("a.txt").replace("line 20\n", "line twenty\n")})
    reviewed.says = {}
    await reviewed.review()
    assert [row.state for row in reviewed.rows] == [State.CARRIED]
    assert _resolved(reviewed) == [False]


@pytest.mark.case("review R7.7")
async def test_code_gone_from_a_file_that_was_not_read_this_time_is_not_resolved(reviewed: Desk) -> None:
    reviewed.push({"a.txt": reviewed.content("a.txt").replace("line five\n", "line 5, put right\n")})
    reviewed.says = {}
    reviewed.user = {"max_file_bytes": 10}
    await reviewed.review()
    assert [row.state for row in reviewed.rows] == [State.POSTED]
    assert _resolved(reviewed) == [False]


@pytest.mark.case("review R7.8")
async def test_a_reworded_finding_of_another_category_is_not_posted_again(reviewed: Desk) -> None:
    reviewed.push({"a.txt": reviewed.content("a.txt").replace("line 20\n", "line twenty\n")})
    reviewed.says = {FIVE: "The fifth entry duplicates an earlier one"}
    reviewed.more = {"category": "performance", "body": "Quite other words."}
    await reviewed.review()
    assert len(reviewed.threads) == 1


@pytest.mark.case("review R7.9")
async def test_a_lost_database_posts_nothing_twice(reviewed: Desk, tmp_path_factory: pytest.TempPathFactory) -> None:
    reviewed.store = open_store(tmp_path_factory.mktemp("fresh") / "perilune.sqlite3")
    reviewed.push({"a.txt": "first line\n" + reviewed.content("a.txt")})
    await reviewed.review()
    assert (len(reviewed.threads), len(reviewed.summaries)) == (1, 1)
    reviewed.store.close()


@pytest.mark.case("review R7.10")
async def test_a_dismissed_finding_is_suppressed_here_and_in_the_next_pull_request(reviewed: Desk) -> None:
    scene = reviewed.scene
    comment = await said_in_thread(reviewed, "@perilune dismiss not a bug")
    row = await reviewed.job("command", comment)
    assert (row.state, row.reason) == (JobState.DONE, None)
    reviewed.push({"a.txt": "first line\n" + reviewed.content("a.txt")})
    await reviewed.review()
    assert len(reviewed.threads) == 1
    scene.pull.state = "closed"
    scene.pull = scene.repository.open_pull(scene.author, head="topic", title="The same code again")
    scene.address = type(scene.address)("team/shop", scene.pull.number)
    result = await reviewed.review()
    assert (result.state, reviewed.threads) == (JobState.DONE, [])


@pytest.mark.case("review R7.11")
async def test_two_defects_on_one_line_are_both_posted_and_both_carried(desk: Desk) -> None:
    desk.says = {
        FIVE: "Total overflows for a large count",
        ("a.txt", "line five\nadded one"): "Missing lock on shared state",
    }
    await desk.review()
    assert len(desk.threads) == 2
    desk.push({"a.txt": "first line\n" + desk.content("a.txt")})
    await desk.review()
    assert len(desk.threads) == 2
    assert {row.state for row in desk.rows} == {State.CARRIED}


@pytest.mark.case("review R7.12")
async def test_a_deleted_summary_is_written_once_more_and_never_twice(reviewed: Desk) -> None:
    scene = reviewed.scene
    scene.pull.comments = [comment for comment in scene.pull.comments if comment.body not in reviewed.summaries]
    for number in range(2):
        reviewed.push({"b.txt": f"one\ntwo\n{number}\n"})
        await reviewed.review()
        assert len(reviewed.summaries) == 1


async def test_a_finding_that_comes_back_after_its_fix_is_posted_again(reviewed: Desk) -> None:
    whole = reviewed.content("a.txt")
    reviewed.push({"a.txt": whole.replace("line five\n", "line 5, put right\n")})
    said, reviewed.says = reviewed.says, {}
    await reviewed.review()
    reviewed.says = said
    reviewed.push({"a.txt": whole})
    await reviewed.review()
    assert len(reviewed.threads) == 2
    assert sorted(row.state for row in reviewed.rows) == [State.FIXED, State.POSTED]


async def test_a_head_that_was_reviewed_is_not_reviewed_again_unless_forced(reviewed: Desk) -> None:
    asked = reviewed.asked
    row = await reviewed.review()
    assert (row.state, row.reason, reviewed.asked) == (JobState.SUPERSEDED, "known", asked)
    await reviewed.review(command=Command(verb=Verb.REVIEW, is_forced=True))
    assert reviewed.asked == asked * 2
    assert len(reviewed.threads) == 1


async def test_a_new_finding_joins_the_carried_one(reviewed: Desk, store: Store) -> None:
    reviewed.says[ADDED] = "Added two is never read"
    reviewed.push({"a.txt": "first line\n" + reviewed.content("a.txt")})
    await reviewed.review()
    assert len(reviewed.threads) == 2
    assert [row.state for row in reviewed.rows] == [State.CARRIED, State.POSTED]
