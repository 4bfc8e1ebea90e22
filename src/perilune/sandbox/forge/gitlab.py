"""GitLab's answers: merge requests, versions, notes, statuses, emoji, members."""

from typing import Any
from urllib.parse import unquote

from perilune.sandbox.forge.answers import Asked, ForgeRefusal, Route, paged, pull_of, tagged, writes_only
from perilune.sandbox.forge.state import Comment, Pull, Repository, Status, User
from perilune.sandbox.http.reply import Reply

_MR = r"/projects/(?P<project>[^/]+)/merge_requests/(?P<number>\d+)"
_MOST_BODY = 1_000_000
_LEVELS = {"admin": 50, "write": 30, "read": 20, "none": 0}
_STATES = ("pending", "running", "success", "failed", "canceled")


def refusal(status: int, message: Any) -> ForgeRefusal:
    return ForgeRefusal(status, {"message": message})


def repository_of(asked: Asked) -> Repository:
    """The project of the path, by number or by its encoded path. Raises: ForgeRefusal."""
    found = asked.forge.find(unquote(asked.match["project"]))
    if found is None or (asked.user is not None and found.role(asked.user) == "none"):
        raise refusal(404, "404 Project Not Found")
    return found


def the_pull(asked: Asked) -> tuple[Repository, Pull]:
    repository = repository_of(asked)
    return repository, pull_of(asked, repository, {"message": "404 Not found"})


def the_user(asked: Asked) -> User:
    """Who calls. Raises: ForgeRefusal 401."""
    if asked.user is None:
        raise refusal(401, "401 Unauthorized")
    return asked.user


def user_document(user: User) -> dict[str, Any]:
    return {"id": user.id, "username": user.login, "name": user.login, "bot": user.is_bot}


def refs_document(repository: Repository, pull: Pull) -> dict[str, str]:
    """The three commits that positions name."""
    start = repository.base(pull)
    return {"base_sha": repository.merge_base(pull), "start_sha": start, "head_sha": pull.head}


def is_built(asked: Asked, pull: Pull) -> bool:
    """Whether the diffs of the newest push are there already."""
    passed = (asked.forge.clock.now() - pull.pushed_at).total_seconds()
    return passed >= asked.forge.behaviour.not_built_s


def pull_document(repository: Repository, pull: Pull, *, is_ready: bool = True) -> dict[str, Any]:
    """A merge request as the API gives it."""
    state = {"open": "opened"}.get(pull.state, pull.state)
    return {
        "id": repository.id * 1000 + pull.number, "iid": pull.number, "project_id": repository.id,
        "title": pull.title, "description": pull.body, "state": state, "draft": pull.is_draft,
        "author": user_document(pull.author), "labels": list(pull.labels), "sha": pull.head,
        "source_branch": pull.head_ref.rpartition("/")[2], "target_branch": pull.base_ref.removeprefix("refs/heads/"),
        "source_project_id": repository.id + 1 if pull.is_fork else repository.id,
        "target_project_id": repository.id,
        "diff_refs": refs_document(repository, pull) if is_ready else None,
        "web_url": f"/{repository.path}/-/merge_requests/{pull.number}",
    }  # fmt: skip


def note_document(comment: Comment, **more: Any) -> dict[str, Any]:
    return {
        "id": comment.id, "body": comment.body, "author": user_document(comment.author),
        "created_at": comment.at, "system": False, "noteable_type": "MergeRequest", **more,
    }  # fmt: skip


def _user(asked: Asked) -> Reply:
    return Reply.json(user_document(the_user(asked)))


def _pull(asked: Asked) -> Reply:
    repository, pull = the_pull(asked)
    return tagged(asked, Reply.json(pull_document(repository, pull, is_ready=is_built(asked, pull))))


def _pulls(asked: Asked) -> Reply:
    repository = repository_of(asked)
    rows = [one for one in repository.pulls.values() if one.state == "open"]
    return paged(asked, [pull_document(repository, one) for one in rows])


def _versions(asked: Asked) -> Reply:
    repository, pull = the_pull(asked)
    refs = refs_document(repository, pull)
    row = {
        "id": 1, "head_commit_sha": refs["head_sha"], "base_commit_sha": refs["base_sha"],
        "start_commit_sha": refs["start_sha"], "state": "collected" if is_built(asked, pull) else "empty",
    }  # fmt: skip
    return paged(asked, [row])


def _diffs(asked: Asked) -> Reply:
    """Changed files with their patches; a large one comes without."""
    repository, pull = the_pull(asked)
    rows = []
    for status, old, new in repository.names(pull):
        change = repository.change(pull, new)
        is_large = change is None or len(change.patch) > asked.forge.behaviour.largest_patch
        rows.append(
            {
                "old_path": old, "new_path": new, "new_file": status == "A", "deleted_file": status == "D",
                "renamed_file": status == "R", "too_large": is_large,
                "diff": "" if is_large or change is None else change.patch.decode(errors="replace") + "\n",
            }
        )  # fmt: skip
    return paged(asked, rows)


def _notes(asked: Asked) -> Reply:
    _, pull = the_pull(asked)
    return paged(asked, [note_document(comment) for comment in asked.forge.all_comments(pull)])


def check_length(body: str) -> None:
    """Raises: ForgeRefusal 400 for a body above the limit."""
    if not body:
        raise refusal(400, {"note": ["can't be blank"]})
    if len(body) > _MOST_BODY:
        raise refusal(400, {"note": ["is too long (maximum is 1000000 characters)"]})


def _add_note(asked: Asked) -> Reply:
    _, pull = the_pull(asked)
    body = asked.document().get("body") or ""
    check_length(body)
    comment = asked.forge.comment(the_user(asked), body)
    pull.comments.append(comment)
    return Reply.json(note_document(comment), 201)


def _note_of(asked: Asked, pull: Pull) -> Comment:
    wanted = int(asked.match["note"])
    found = next((one for one in asked.forge.all_comments(pull) if one.id == wanted), None)
    if found is None:
        raise refusal(404, "404 Not found")
    return found


def _edit_note(asked: Asked) -> Reply:
    _, pull = the_pull(asked)
    comment = _note_of(asked, pull)
    if comment.author.login != the_user(asked).login:
        raise refusal(403, "403 Forbidden")
    body = asked.document().get("body") or ""
    check_length(body)
    comment.body = body
    return Reply.json(note_document(comment))


def _award(asked: Asked) -> Reply:
    _, pull = the_pull(asked)
    comment, name = _note_of(asked, pull), str(asked.document().get("name") or "")
    row = (the_user(asked).login, name)
    if row in comment.reactions:
        raise refusal(404, "404 Award Emoji Name has already been taken Not Found")
    comment.reactions.append(row)
    return Reply.json({"id": asked.forge.new_id(), "name": name}, 201)


def _awards(asked: Asked) -> Reply:
    _, pull = the_pull(asked)
    rows = [{"name": name, "user": {"username": login}} for login, name in _note_of(asked, pull).reactions]
    return paged(asked, rows)


def _member(asked: Asked) -> Reply:
    repository = repository_of(asked)
    wanted = int(asked.match["user"])
    user = next((one for one in asked.forge.users.values() if one.id == wanted), None)
    if user is None or repository.role(user) == "none":
        raise refusal(404, "404 Not found")
    return Reply.json({**user_document(user), "access_level": _LEVELS[repository.role(user)]})


def _users(asked: Asked) -> Reply:
    name = asked.query("username")
    return paged(asked, [user_document(user) for user in asked.forge.users.values() if user.login == name])


def _status(asked: Asked) -> Reply:
    repository, given = repository_of(asked), asked.document()
    if not writes_only(repository.role(the_user(asked))):
        raise refusal(403, "403 Forbidden")
    if given.get("state") not in _STATES:
        raise ForgeRefusal(400, {"error": "state does not have a valid value"})
    name, commit = given.get("name", "default"), asked.match["sha"]
    last = next((one for one in reversed(repository.statuses) if (one.name, one.commit) == (name, commit)), None)
    if last is not None and last.state == given["state"]:
        raise refusal(400, f"Cannot transition status via :enqueue from :{given['state']}")
    row = Status(
        id=asked.forge.new_id(), commit=commit, name=name, state=given["state"],
        description=given.get("description") or "", target_url=given.get("target_url") or "",
    )  # fmt: skip
    repository.statuses.append(row)
    return Reply.json({"id": row.id, "status": row.state, "name": row.name}, 201)


def routes() -> list[Route]:
    """The table of GitLab's calls."""
    from perilune.sandbox.forge.gitlab_threads import thread_routes

    note = _MR + r"/notes/(?P<note>\d+)"
    return [
        ("GET", r"/user", _user),
        ("GET", r"/users", _users),
        ("GET", r"/projects/(?P<project>[^/]+)/merge_requests", _pulls),
        ("GET", _MR, _pull),
        ("GET", _MR + r"/versions", _versions),
        ("GET", _MR + r"/diffs", _diffs),
        ("GET", _MR + r"/notes", _notes),
        ("POST", _MR + r"/notes", _add_note),
        ("PUT", note, _edit_note),
        ("GET", note + r"/award_emoji", _awards),
        ("POST", note + r"/award_emoji", _award),
        ("GET", r"/projects/(?P<project>[^/]+)/members/all/(?P<user>\d+)", _member),
        ("POST", r"/projects/(?P<project>[^/]+)/statuses/(?P<sha>[0-9a-f]+)", _status),
        *thread_routes(_MR),
    ]
