"""One contract over every forge that is found: reading."""

import pytest
from tests.support.forges import Scene

from perilune.core.errors import ReviewError
from perilune.forges.contract.port import PullAddress
from perilune.forges.contract.registry import forge_kinds
from perilune.sandbox.forge.faults import CallFault


async def test_a_pull_request_is_read_with_both_ends(scene: Scene) -> None:
    pull = await scene.forge.pull(scene.address)
    assert (pull.title, pull.body, pull.state, pull.base_ref) == ("Change things", "Because.", "open", "main")
    assert pull.head_sha == scene.pull.head
    assert pull.base_sha == scene.repository.base(scene.pull)
    assert (pull.is_draft, pull.is_fork, pull.author.login) == (False, False, "ada")


async def test_drafts_forks_labels_and_ends_are_told(scene: Scene) -> None:
    scene.pull.is_draft = scene.pull.is_fork = True
    scene.pull.labels.append("perilune:skip")
    scene.pull.state = "merged"
    pull = await scene.forge.pull(scene.address)
    assert (pull.is_draft, pull.is_fork, pull.labels, pull.state) == (True, True, ("perilune:skip",), "merged")


async def test_who_the_credential_is_and_what_somebody_may_do(scene: Scene) -> None:
    me = await scene.forge.identity()
    assert me.login == scene.bot.login.removesuffix("[bot]")
    author = (await scene.forge.pull(scene.address)).author
    assert await scene.forge.permission(scene.address, author) == "write"
    scene.repository.roles["ada"] = "read"
    assert await scene.forge.permission(scene.address, author) == "read"


async def test_all_pages_of_files_and_comments_are_read(scene: Scene) -> None:
    scene.played.behaviour.page_cap = 2
    for number in range(5):
        scene.pull.comments.append(scene.played.comment(scene.author, f"remark {number}"))
    files = await scene.forge.files(scene.address)
    remarks = await scene.forge.remarks(scene.address)
    named = {("a.txt", "a.txt"), ("old.txt", "new.txt"), *((name, name) for name in ("b.txt", "crlf.txt", "open.txt"))}
    assert {(file.old_path, file.path) for file in files} == named
    assert [remark.body for remark in remarks] == [f"remark {number}" for number in range(5)]


async def test_a_large_file_comes_without_a_patch_and_is_not_lost(scene: Scene) -> None:
    scene.played.behaviour.largest_patch = 10
    files = await scene.forge.files(scene.address)
    assert len(files) == 5
    assert all(file.patch is None for file in files)


async def test_what_has_not_changed_is_not_sent_twice(scene: Scene) -> None:
    first = await scene.forge.pull(scene.address)
    again = await scene.forge.pull(scene.address)
    assert again == first
    assert [entry.status for entry in scene.played.journal.select("GET")] == [200, 304]


async def test_a_refused_credential_names_forge_and_scope(scene: Scene) -> None:
    scene.bot.token = "another-EXAMPLE"
    with pytest.raises(ReviewError) as raised:
        await scene.forge.pull(scene.address)
    problem = raised.value.problem
    assert (problem.code, problem.variant, problem.exit_code) == ("PL-REVIEW-FORGE", "", 4)
    assert problem.facts["scope"] == scene.forge.site.spec.token_scope


async def test_a_pull_request_that_is_not_there_is_said(scene: Scene) -> None:
    with pytest.raises(ReviewError) as raised:
        await scene.forge.pull(PullAddress("team/shop", 99))
    assert raised.value.problem.variant == "missing"


async def test_a_broken_forge_is_no_refused_credential(scene: Scene) -> None:
    scene.played.faults.add(CallFault(status=502, times=9))
    with pytest.raises(ReviewError) as raised:
        await scene.forge.pull(scene.address)
    assert (raised.value.problem.variant, raised.value.problem.exit_code) == ("down", 69)


async def test_a_limit_that_lasts_too_long_says_when_it_ends(scene: Scene) -> None:
    scene.played.behaviour.primary_limit = 0
    scene.played.behaviour.secondary_wait_s = None
    headers = {"Retry-After": "3000"}
    scene.played.faults.add(CallFault(status=429, body='{"message": "rate limit"}', headers=headers, times=9))
    with pytest.raises(ReviewError) as raised:
        await scene.forge.pull(scene.address)
    problem = raised.value.problem
    assert (problem.variant, problem.exit_code) == ("limit", 69)
    assert problem.retry_at is not None


@pytest.mark.parametrize(
    ("kind", "url", "expected"),
    [
        ("github", "https://github.com/o/r/pull/412", ("o/r", 412)),
        ("github", "https://github.com/o/r/pull/412/files#diff-1", ("o/r", 412)),
        ("gitlab", "https://gitlab.com/g/sub/r/-/merge_requests/7/diffs", ("g/sub/r", 7)),
        ("gitea", "https://gitea.com/o/r/pulls/3", ("o/r", 3)),
        ("github", "https://github.com/o/r/issues/412", None),
        ("github", "https://github.com.example.org/o/r/pull/1", None),
        ("gitea", "https://github.com/o/r/pull/3", None),
    ],
)
def test_a_pull_requests_address_names_repository_and_number(
    kind: str, url: str, expected: tuple[str, int] | None
) -> None:
    from perilune.forges.contract.spec import ForgeSite

    spec = forge_kinds()[kind].spec
    assert ForgeSite(spec=spec, base_url=spec.official).pull_of(url) == expected


async def test_reactions_replies_and_edits_reach_their_comment(scene: Scene) -> None:
    scene.pull.comments.append(scene.played.comment(scene.bot, "a remark"))
    [remark] = await scene.forge.remarks(scene.address)
    assert await scene.forge.react(scene.address, remark.id, "seen")
    assert [content for _, content in scene.pull.comments[0].reactions] == ["eyes"]
    assert await scene.forge.edit_remark(scene.address, remark.id, "another text")
    assert scene.pull.comments[0].body == "another text"
    assert not await scene.forge.edit_remark(scene.address, "999999", "gone")


async def test_open_pull_requests_are_listed(scene: Scene) -> None:
    scene.repository.open_pull(scene.author, head="topic", title="Another")
    scene.repository.open_pull(scene.author, head="topic", title="Closed", state="closed")
    scene.played.behaviour.page_cap = 1
    titles = [pull.title for pull in await scene.forge.open_pulls("team/shop")]
    assert titles == ["Change things", "Another"]
