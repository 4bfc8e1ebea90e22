"""The played forges are as strict as the real ones, in their own words."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.patches.shapes import Repo
from tests.support.forges import Scene, clock, dialect, open_scene, played, repository_template

from perilune.net.control import ControlClient
from perilune.sandbox.clock import Clock
from perilune.sandbox.forge import ForgeThread
from perilune.sandbox.forge.hooks import Hook

__all__ = ["clock", "dialect", "played", "repository_template"]


class Client:
    """Plain calls with the bot's token."""

    def __init__(self, scene: Scene, base: str) -> None:
        self.scene = scene
        self._http = httpx2.Client(base_url=base, headers={"Authorization": f"Bearer {scene.bot.token}"}, verify=False)

    def close(self) -> None:
        self._http.close()

    def __call__(self, method: str, path: str, document: Any = None, **headers: str) -> httpx2.Response:
        return self._http.request(method, path, json=document, headers=headers)


def client_of(played: ForgeThread, name: str, clock: Clock, template: Path) -> Client:
    scene = open_scene(played, name, clock, ControlClient(), template)
    prefix = {"github": "/github/api/v3", "gitlab": "/gitlab/api/v4", "gitea": "/gitea/api/v1"}[name]
    return Client(scene, played.url + prefix)


@pytest.fixture
def github(played: ForgeThread, clock: Clock, repository_template: Path) -> Iterator[Client]:
    client = client_of(played, "github", clock, repository_template)
    yield client
    client.close()


@pytest.fixture
def gitlab(played: ForgeThread, clock: Clock, repository_template: Path) -> Iterator[Client]:
    client = client_of(played, "gitlab", clock, repository_template)
    yield client
    client.close()


@pytest.fixture
def gitea(played: ForgeThread, clock: Clock, repository_template: Path) -> Iterator[Client]:
    client = client_of(played, "gitea", clock, repository_template)
    yield client
    client.close()


REVIEWS = "/repos/team/shop/pulls/1/reviews"


def review(*comments: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"event": "COMMENT", "body": "x", "comments": list(comments), **more}


@pytest.mark.parametrize(
    ("comment", "words"),
    [
        ({"path": "a.txt", "line": 20, "side": "RIGHT"}, "line must be part of the diff"),
        ({"path": "a.txt", "line": 7, "side": "LEFT"}, None),
        ({"path": "a.txt", "line": 31, "side": "RIGHT", "start_line": 7, "start_side": "RIGHT"}, "same hunk"),
        ({"path": "a.txt", "line": 7, "side": "RIGHT", "start_line": 7, "start_side": "RIGHT"}, "must precede"),
        ({"path": "keep.txt", "line": 1, "side": "RIGHT"}, "path is invalid"),
    ],
)
def test_github_refuses_a_whole_review_for_one_bad_place(
    github: Client, comment: dict[str, Any], words: str | None
) -> None:
    good = {"path": "a.txt", "line": 6, "side": "RIGHT", "body": "good"}
    answer = github("POST", REVIEWS, review(good, {**comment, "body": "x"}))
    if words is None:
        assert answer.status_code == 200
        return
    assert answer.status_code == 422
    assert words in answer.text
    assert "a.txt" not in json.dumps(answer.json()["errors"])
    assert github.scene.pull.threads == []


def test_github_wants_a_body_and_bounds_it(github: Client) -> None:
    assert github("POST", REVIEWS, {"event": "COMMENT"}).status_code == 422
    assert github("POST", "/repos/team/shop/issues/1/comments", {"body": "x" * 65_537}).status_code == 422


def test_github_refuses_mixed_parameters_of_a_single_comment(github: Client) -> None:
    mixed = {"body": "x", "path": "a.txt", "line": 6, "subject_type": "file"}
    answer = github("POST", "/repos/team/shop/pulls/1/comments", mixed)
    assert (answer.status_code, answer.json()["message"]) == (422, 'No subschema in "oneOf" matched.')


def test_github_gives_no_large_diff_by_media_type(github: Client) -> None:
    scene = github.scene
    many = {f"many/{number}.txt": "x\n" for number in range(301)}
    scene.repository.bare.commit("refs/heads/topic", many)
    answer = github("GET", "/repos/team/shop/pulls/1", Accept="application/vnd.github.diff")
    assert answer.status_code == 406
    assert "too_large" in answer.text
    assert len(github("GET", "/repos/team/shop/pulls/1/files?per_page=100").json()) == 100


def test_github_lets_apps_alone_write_check_runs(github: Client) -> None:
    document = {"name": "c", "head_sha": github.scene.pull.head, "conclusion": "success"}
    assert github("POST", "/repos/team/shop/check-runs", document).status_code == 201
    github.scene.bot.is_app = False
    assert github("POST", "/repos/team/shop/check-runs", document).status_code == 403
    annotations = [{"path": "a.txt", "start_line": 1, "end_line": 1}] * 51
    github.scene.bot.is_app = True
    too_many = {**document, "output": {"annotations": annotations}}
    assert github("POST", "/repos/team/shop/check-runs", too_many).status_code == 422


def position(client: Client, **more: Any) -> dict[str, Any]:
    refs = client("GET", "/projects/team%2Fshop/merge_requests/1").json()["diff_refs"]
    return {"position_type": "text", "old_path": "a.txt", "new_path": "a.txt", **refs, **more}


@pytest.mark.parametrize(
    ("place", "status"),
    [
        ({"new_line": 6}, 201),
        ({"old_line": 30}, 201),
        ({"new_line": 31, "old_line": 28}, 201),
        ({"new_line": 31}, 400),
        ({"old_line": 28}, 400),
        ({"new_line": 6, "old_line": 6}, 400),
        ({"new_line": 20}, 400),
        ({"new_line": 6, "old_path": "/dev/null"}, 400),
    ],
)
def test_gitlab_tells_added_removed_and_unchanged_lines_apart(
    gitlab: Client, place: dict[str, Any], status: int
) -> None:
    path = "/projects/team%2Fshop/merge_requests/1/discussions"
    answer = gitlab("POST", path, {"body": "x", "position": position(gitlab, **place)})
    assert answer.status_code == status
    if status == 400:
        assert 'line_code=>["can\'t be blank", "must be a valid line code"]' in answer.json()["message"]


def test_gitlab_refuses_lines_inside_the_range_of_a_draft(gitlab: Client) -> None:
    bad = {"start": {"line_code": "x", "new_line": 6}, "end": {"line_code": "x"}}
    document = {"note": "x", "position": position(gitlab, new_line=7, line_range=bad)}
    answer = gitlab("POST", "/projects/team%2Fshop/merge_requests/1/draft_notes", document)
    assert answer.json()["message"] == {"position": ["must be a valid json schema"]}


def test_drafts_are_seen_by_their_author_alone(gitlab: Client) -> None:
    path = "/projects/team%2Fshop/merge_requests/1"
    gitlab("POST", f"{path}/draft_notes", {"note": "x", "position": position(gitlab, new_line=6)})
    other = {"Authorization": f"Bearer {gitlab.scene.author.token}"}
    assert gitlab("GET", f"{path}/draft_notes", **other).json() == []
    assert gitlab("GET", f"{path}/discussions").json() == []
    assert gitlab("POST", f"{path}/draft_notes/bulk_publish").status_code == 204
    assert len(gitlab("GET", f"{path}/discussions").json()) == 1


def test_gitea_takes_any_line_and_notes_that_nobody_sees_it(gitea: Client) -> None:
    answer = gitea("POST", REVIEWS, review({"path": "a.txt", "new_position": 20, "body": "x"}))
    assert answer.status_code == 200
    assert gitea.scene.played.failures == ["comment outside of the diff: a.txt old 0 new 20"]


def test_gitea_leaves_a_pending_review_when_it_breaks(gitea: Client) -> None:
    gitea.scene.played.behaviour.breaks_after = 1
    comments = [{"path": "a.txt", "new_position": line, "body": "x"} for line in (6, 7)]
    assert gitea("POST", REVIEWS, review(*comments)).status_code == 500
    [left] = gitea("GET", REVIEWS).json()
    assert (left["state"], left["comments_count"]) == ("PENDING", 1)
    assert gitea("POST", REVIEWS, review(*comments)).json()["comments_count"] == 3


def test_gitea_keeps_an_unknown_event_pending(gitea: Client) -> None:
    comment = {"path": "a.txt", "new_position": 6, "body": "x"}
    assert gitea("POST", REVIEWS, review(comment, event="comment")).json()["state"] == "PENDING"
    assert "requires a body or a comment" in gitea("POST", REVIEWS, {"event": "COMMENT"}).json()["message"]


def test_limits_of_both_kinds(github: Client) -> None:
    github.scene.played.behaviour.write_gap_s = 1
    path = "/repos/team/shop/issues/1/comments"
    assert github("POST", path, {"body": "x"}).status_code == 201
    second = github("POST", path, {"body": "x"})
    assert (second.status_code, second.headers["retry-after"]) == (403, "60")
    github.scene.played.behaviour.primary_limit = 0
    spent = github("GET", "/user")
    assert (spent.status_code, spent.headers["x-ratelimit-remaining"]) == (403, "0")


def test_threads_are_outdated_by_content_when_the_head_moves(github: Client) -> None:
    for line in (6, 8):
        github("POST", REVIEWS, review({"path": "a.txt", "line": line, "side": "RIGHT", "body": "x"}))
    scene = github.scene
    text = scene.repository.bare.run("show", "refs/heads/topic:a.txt").decode()
    moved = "first of all\n" + text.replace("added three\n", "added fourth\n")
    scene.repository.bare.commit("refs/heads/topic", {"a.txt": moved})
    github("GET", "/repos/team/shop/pulls/1")
    assert [thread.is_outdated for thread in scene.pull.threads] == [False, True]
    assert scene.repository.bare.tip("refs/pull/1/head") == scene.pull.head


def test_git_itself_fetches_and_pushes_with_the_token(github: Client, tmp_path: Path) -> None:
    scene, repo = github.scene, Repo(tmp_path / "clone")
    url = f"{scene.threads.url}/github/team/shop.git".replace("http://", f"http://x-access-token:{scene.author.token}@")
    repo.git("fetch", "-q", url, "refs/pull/1/head:refs/heads/topic")
    assert repo.git("rev-parse", "topic").decode().strip() == scene.pull.head
    repo.git("checkout", "-q", "topic")
    repo.write("pushed.txt", "new\n")
    head = repo.commit()
    repo.git("push", "-q", "--force", url, "topic")
    assert scene.pull.head == head


def test_pushes_are_told_and_told_again_with_the_same_id(github: Client, played: ForgeThread) -> None:
    hooks = played.app.hooks
    hooks.is_held = True
    with httpx2.Client(base_url=played.url, verify=False) as http:
        http.post("/_forge/hooks", json={"dialect": "github", "url": f"{played.url}/nowhere", "secret": "s-EXAMPLE"})
        github.scene.repository.bare.commit("refs/heads/topic", {"x.txt": "x\n"})
        github("GET", "/repos/team/shop/pulls/1")
        [sent] = hooks.sent
        assert sent.headers["X-Hub-Signature-256"].startswith("sha256=")
        again = http.post("/_forge/hooks", json={"again": sent.id}).json()
    assert again["deliveries"] == [{"id": sent.id, "event": "pull_request", "url": sent.url, "status": 404}]
    assert isinstance(hooks.registered[0], Hook)


def test_the_control_surface_shows_and_changes(github: Client, played: ForgeThread) -> None:
    with httpx2.Client(base_url=played.url, verify=False) as http:
        assert http.get("/_forge/github/state").json()["pulls"][0]["number"] == 1
        http.post("/_forge/github/behaviour", json={"page_cap": 1})
        http.post("/_forge/github/faults", json={"path": "/user", "status": 503})
        assert http.post("/_forge/github/behaviour", json={"page_cap": "x"}).status_code == 400
        assert http.get("/_forge/nothing/state").status_code == 404
        assert github("GET", "/user").status_code == 503
        assert github("GET", "/user").status_code == 403  # an app may not ask who it is
        assert [call["path"] for call in http.get("/_forge/github/journal").json()["calls"]] == ["/user", "/user"]
    assert github.scene.played.behaviour.page_cap == 1
