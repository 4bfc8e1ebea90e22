"""Where comments stand on three forges, field by field."""

import hashlib
import json
from typing import Any

import pytest
from tests.review.publish.saying import publish, said, suggestion
from tests.support.forges import Scene

from perilune.patches.model import Side
from perilune.sandbox.forge.faults import CallFault
from perilune.store.engine import Store

PATHS = {"github": "*/reviews", "gitlab": "*/draft_notes", "gitea": "*/reviews"}


def sent(scene: Scene, number: int = 0) -> dict[str, Any]:
    """The comment, or on GitLab the position, of a write that the forge saw."""
    dialect = scene.played.dialect
    document = json.loads(scene.played.journal.select("POST", PATHS[dialect])[number].body)
    return document["position"] if dialect == "gitlab" else document["comments"][0]


def place(comment: dict[str, Any]) -> dict[str, Any]:
    names = ("line", "side", "start_line", "start_side", "new_line", "old_line", "new_position", "old_position")
    return {name: comment[name] for name in names if name in comment}


def coded(path: str, old: int, new: int) -> str:
    return f"{hashlib.sha1(path.encode()).hexdigest()}_{old}_{new}"


@pytest.mark.case("review R5.1")
async def test_an_added_line_is_named_by_its_new_number_alone(scene: Scene, store: Store) -> None:
    await publish(scene, store, said("a.txt", 7))
    wanted = {
        "github": {"line": 7, "side": "RIGHT"}, "gitlab": {"new_line": 7}, "gitea": {"new_position": 7}
    }  # fmt: skip
    assert place(sent(scene)) == wanted[scene.played.dialect]
    assert len(scene.pull.threads) == 1


@pytest.mark.case("review R5.2")
async def test_a_removed_line_is_named_by_its_old_number(scene: Scene, store: Store) -> None:
    await publish(scene, store, said("a.txt", 30, side=Side.OLD))
    wanted = {
        "github": {"line": 30, "side": "LEFT"}, "gitlab": {"old_line": 30}, "gitea": {"old_position": 30}
    }  # fmt: skip
    assert place(sent(scene)) == wanted[scene.played.dialect]
    assert len(scene.pull.threads) == 1


@pytest.mark.case("review R5.3")
async def test_an_unchanged_line_is_on_the_new_side(scene: Scene, store: Store) -> None:
    await publish(scene, store, said("a.txt", 31))  # "line 28", before the removed line
    wanted = {
        "github": {"line": 31, "side": "RIGHT"}, "gitlab": {"old_line": 28, "new_line": 31},
        "gitea": {"new_position": 31},
    }  # fmt: skip
    assert place(sent(scene)) == wanted[scene.played.dialect]
    assert len(scene.pull.threads) == 1


@pytest.mark.case("review R5.4")
async def test_a_range_names_both_ends(scene: Scene, store: Store) -> None:
    await publish(scene, store, said("a.txt", 5, 8))
    comment = sent(scene)
    match scene.played.dialect:
        case "github":
            assert place(comment) == {"line": 8, "side": "RIGHT", "start_line": 5, "start_side": "RIGHT"}
        case "gitlab":
            assert place(comment) == {"new_line": 8}
            assert comment["line_range"] == {
                "start": {"line_code": coded("a.txt", 6, 5), "type": "new"},
                "end": {"line_code": coded("a.txt", 6, 8), "type": "new"},
            }
        case "gitea":
            assert place(comment) == {"new_position": 8}
            assert comment["body"].startswith("Lines 5 to 8:")
    assert len(scene.pull.threads) == 1


@pytest.mark.case("review R5.5")
async def test_a_range_over_two_hunks_is_cut_to_its_first(scene: Scene, store: Store) -> None:
    await publish(scene, store, said("a.txt", 8, 34))
    comment = sent(scene)
    end = comment.get("line") or comment.get("new_line") or comment.get("new_position")
    assert end == 11  # the last line of the first hunk
    assert len(scene.pull.threads) == 1
    assert scene.played.failures == []


@pytest.mark.case("review R5.6")
async def test_a_renamed_file_is_named_by_both_paths(scene: Scene, store: Store) -> None:
    await publish(scene, store, said("new.txt", 9))
    comment = sent(scene)
    if scene.played.dialect == "gitlab":
        assert (comment["old_path"], comment["new_path"]) == ("old.txt", "new.txt")
    else:
        assert comment["path"] == "new.txt"
    assert [thread.path for thread in scene.pull.threads] == ["new.txt"]


@pytest.mark.case("review R5.7")
async def test_odd_line_ends_and_first_lines_are_taken(scene: Scene, store: Store) -> None:
    published = await publish(scene, store, said("crlf.txt", 2), said("open.txt", 2), said("b.txt", 1))
    assert (published.inline, published.demoted) == (3, 0)
    assert [thread.path for thread in scene.pull.threads] == ["crlf.txt", "open.txt", "b.txt"]
    assert [thread.text for thread in scene.pull.threads] == [b"two\r", b"last", b"one"]


@pytest.mark.case("review R5.8")
async def test_a_remark_on_a_whole_file(scene: Scene, store: Store) -> None:
    published = await publish(scene, store, said("a.txt", None))
    match scene.played.dialect:
        case "github":
            [write] = scene.played.journal.select("POST", "*/pulls/1/comments")
            assert json.loads(write.body)["subject_type"] == "file"
        case "gitlab":
            [write] = scene.played.journal.select("POST", "*/discussions")
            assert json.loads(write.body)["position"]["position_type"] == "file"
        case "gitea":
            assert (published.inline, published.demoted, scene.pull.threads) == (0, 1, [])
            assert "Something is wrong in a.txt" in scene.pull.comments[0].body


@pytest.mark.case("review R5.9")
async def test_one_refused_comment_of_sixteen_costs_few_calls_and_is_said(scene: Scene, store: Store) -> None:
    lines = [*range(2, 12), *range(30, 36)]
    scene.played.behaviour.refused_lines = ["a.txt:33"]
    published = await publish(scene, store, *(said("a.txt", line) for line in lines))
    if scene.played.dialect == "gitea":
        assert published.inline == 16  # this forge checks nothing
        return
    assert (published.inline, published.demoted, len(scene.pull.threads)) == (15, 1, 15)
    calls = scene.played.journal.select("POST", "*/pulls/1/reviews")
    assert len(calls) <= 9
    [problem] = published.errors
    assert problem.code == "PL-REVIEW-REJECT"
    words = {"github": "must be part of the diff", "gitlab": "must be a valid line code"}
    assert words[scene.played.dialect] in (problem.words or "")
    assert "a.txt:33" in scene.pull.comments[0].body


@pytest.mark.case("review R5.10")
async def test_diffs_that_are_not_built_yet_are_waited_for(scene: Scene, store: Store) -> None:
    scene.played.behaviour.not_built_s = 20
    published = await publish(scene, store, said("a.txt", 7))
    assert (published.inline, len(scene.pull.threads)) == (1, 1)
    if scene.played.dialect == "gitlab":
        assert len(scene.played.journal.select("GET", "*/versions")) > 2
        assert len(scene.played.journal.select("POST", "*/bulk_publish")) == 1


async def test_diffs_that_are_never_built_leave_the_summary(scene: Scene, store: Store) -> None:
    scene.played.behaviour.not_built_s = 4_000
    published = await publish(scene, store, said("a.txt", 7))
    if scene.played.dialect == "gitlab":
        assert (published.inline, published.demoted) == (0, 1)
        assert len(scene.pull.comments) == 1


@pytest.mark.case("review R5.11")
async def test_a_range_that_is_refused_becomes_its_last_line(scene: Scene, store: Store) -> None:
    scene.played.behaviour.refuses_line_range = True
    published = await publish(scene, store, said("a.txt", 5, 8))
    assert (published.inline, published.demoted) == (1, 0)
    if scene.played.dialect == "gitlab":
        assert "line_range" in sent(scene, 0)
        assert place(sent(scene, 1)) == {"new_line": 8}
        assert "line_range" not in sent(scene, 1)


@pytest.mark.case("review R5.12")
async def test_a_comment_outside_of_all_hunks_is_never_sent(scene: Scene, store: Store) -> None:
    published = await publish(scene, store, said("a.txt", 20), said("keep.txt", 1))
    assert (published.inline, published.demoted) == (0, 2)
    assert scene.played.journal.select("POST", PATHS[scene.played.dialect]) == []
    assert scene.played.failures == []


@pytest.mark.case("review R6.11")
async def test_a_suggestion_is_written_as_the_forge_reads_it(scene: Scene, store: Store) -> None:
    await publish(scene, store, said("a.txt", 4, 8, suggestion=suggestion(4, 8, "one\ntwo")))
    fences = {
        "github": "```suggestion\none\ntwo\n```", "gitlab": "```suggestion:-4+0\none\ntwo\n```",
        "gitea": "```\none\ntwo\n```",
    }  # fmt: skip
    assert fences[scene.played.dialect] in scene.pull.threads[0].comments[0].body


async def test_a_server_without_draft_notes_gets_discussions(scene: Scene, store: Store) -> None:
    scene.played.behaviour.has_draft_notes = False
    published = await publish(scene, store, said("a.txt", 7), said("a.txt", 6))
    assert (published.inline, len(scene.pull.threads)) == (2, 2)


@pytest.mark.case("review R11.6")
async def test_a_limit_without_a_time_is_waited_out_for_a_minute(scene: Scene, store: Store) -> None:
    body = '{"message": "You have exceeded a secondary rate limit."}'
    scene.played.faults.add(CallFault(method="POST", path=PATHS[scene.played.dialect], status=403, body=body))
    begun = scene.clock.now()
    published = await publish(scene, store, said("a.txt", 7))
    assert (published.inline, len(scene.pull.threads)) == (1, 1)
    writes = scene.played.journal.writes()
    at = next(number for number, entry in enumerate(writes) if entry.fault)
    refused, following = writes[at], writes[at + 1]
    assert (following.at - refused.at).total_seconds() >= 60
    assert begun < following.at
