"""GitHub's REST answers: pull requests, files, reviews, comments, reactions, check runs, statuses."""

from collections.abc import Callable
from typing import Any

from perilune.sandbox.forge.answers import Asked, ForgeRefusal, Route, paged, pull_of, tagged
from perilune.sandbox.forge.github_places import check_place, place_thread
from perilune.sandbox.forge.state import Comment, Pull, Repository, Review, Thread, User
from perilune.sandbox.http.reply import Reply

_DOCS = "https://docs.github.com/rest"
_MOST_BODY = 65_536
_ASSOCIATIONS = {"admin": "OWNER", "write": "MEMBER", "read": "CONTRIBUTOR", "none": "NONE"}
_REPO = r"/repos/(?P<owner>[^/]+)/(?P<name>[^/]+)"
_PULL = _REPO + r"/pulls/(?P<number>\d+)"


def refusal(status: int, message: str, errors: list[Any] | None = None) -> ForgeRefusal:
    """GitHub's envelope."""
    document: dict[str, Any] = {"message": message}
    if errors is not None:
        document["errors"] = errors
    return ForgeRefusal(status, {**document, "documentation_url": _DOCS, "status": str(status)})


def not_found() -> ForgeRefusal:
    return refusal(404, "Not Found")


def repository_of(asked: Asked) -> Repository:
    """The repository of the path, as far as the caller may see it. Raises: ForgeRefusal."""
    found = asked.forge.find(f"{asked.match['owner']}/{asked.match['name']}")
    if found is None or (asked.user is not None and found.role(asked.user) == "none"):
        raise not_found()
    return found


def the_pull(asked: Asked) -> tuple[Repository, Pull]:
    repository = repository_of(asked)
    return repository, pull_of(asked, repository, not_found().document)


def the_user(asked: Asked) -> User:
    """Who calls. Raises: ForgeRefusal 401."""
    if asked.user is None:
        raise refusal(401, "Requires authentication")
    return asked.user


def user_document(user: User) -> dict[str, Any]:
    return {"login": user.login, "id": user.id, "type": "Bot" if user.is_bot else "User"}


def association(repository: Repository, user: User) -> str:
    return _ASSOCIATIONS[repository.role(user)]


def pull_document(repository: Repository, pull: Pull) -> dict[str, Any]:
    """A pull request as `GET …/pulls/N` and webhooks give it."""
    base_repo = repository_document(repository)
    is_merged = pull.state == "merged"
    return {
        "id": repository.id * 1000 + pull.number, "number": pull.number, "title": pull.title, "body": pull.body,
        "state": "open" if pull.state == "open" else "closed", "merged": is_merged, "draft": pull.is_draft,
        "user": user_document(pull.author), "labels": [{"name": name} for name in pull.labels],
        "author_association": association(repository, pull.author),
        "head": {
            "sha": pull.head, "ref": pull.head_ref.rpartition("/")[2],
            "repo": {**base_repo, "fork": True, "full_name": f"{pull.author.login}/{repository.name}"}
            if pull.is_fork else base_repo,
        },
        "base": {"sha": repository.base(pull), "ref": pull.base_ref.removeprefix("refs/heads/"), "repo": base_repo},
        "html_url": f"/{repository.path}/pull/{pull.number}",
    }  # fmt: skip


def repository_document(repository: Repository) -> dict[str, Any]:
    return {"id": repository.id, "full_name": repository.path, "name": repository.name, "fork": False}


def comment_document(repository: Repository, comment: Comment) -> dict[str, Any]:
    return {
        "id": comment.id, "body": comment.body, "user": user_document(comment.author), "created_at": comment.at,
        "author_association": association(repository, comment.author),
        "html_url": f"/{repository.path}/comments/{comment.id}",
    }  # fmt: skip


def _user(asked: Asked) -> Reply:
    user = the_user(asked)
    if user.login.endswith("[bot]"):  # the token of an app's installation
        raise refusal(403, "Resource not accessible by integration")
    return Reply.json(user_document(user))


def _pull(asked: Asked) -> Reply:
    repository, pull = the_pull(asked)
    if "diff" in asked.request.header("accept"):
        return _media_diff(repository, pull)
    return tagged(asked, Reply.json(pull_document(repository, pull)))


def _pulls(asked: Asked) -> Reply:
    repository = repository_of(asked)
    rows = [pull for pull in repository.pulls.values() if pull.state == "open" or asked.query("state") == "all"]
    return paged(asked, [pull_document(repository, pull) for pull in rows])


def _media_diff(repository: Repository, pull: Pull) -> Reply:
    base = repository.merge_base(pull)
    text = repository.bare.run("diff", "-M", "--full-index", base, pull.head)
    if len(repository.names(pull)) > 300 or text.count(b"\n") > 20_000:
        words = "Sorry, the diff exceeded the maximum number of files (300) or lines (20000)."
        errors = [{"resource": "PullRequest", "field": "diff", "code": "too_large"}]
        raise refusal(406, words, errors)
    return Reply(status=200, headers=[("Content-Type", "application/vnd.github.diff")], body=text)


def _files(asked: Asked) -> Reply:
    repository, pull = the_pull(asked)
    names = repository.names(pull)[: asked.forge.behaviour.most_files]
    answer = paged(asked, names)
    if answer.status == 304:
        return answer
    import msgspec

    rows = [_file(asked, repository, pull, path) for _, _, path in msgspec.json.decode(answer.body)]
    return Reply.json(rows, 200, [pair for pair in answer.headers if pair[0] in ("Link", "X-Total-Count")])


_WORDS = {"A": "added", "M": "modified", "D": "removed", "R": "renamed", "C": "copied", "T": "changed"}


def _file(asked: Asked, repository: Repository, pull: Pull, path: str) -> dict[str, Any]:
    change = repository.change(pull, path)
    if change is None:
        raise not_found()
    row: dict[str, Any] = {
        "filename": path, "status": _WORDS[change.status], "additions": change.added, "deletions": change.removed,
        "changes": change.added + change.removed,
    }  # fmt: skip
    if change.old_path != path:
        row["previous_filename"] = change.old_path
    if not change.is_binary and len(change.patch) <= asked.forge.behaviour.largest_patch and change.patch:
        row["patch"] = change.patch.decode(errors="replace")
    return row


def _compare(asked: Asked) -> Reply:
    repository = repository_of(asked)
    base, _, head = asked.match["span"].partition("...")
    found = repository.bare.merge_base(base, head)
    if found is None:
        raise not_found()
    return Reply.json({"merge_base_commit": {"sha": found}})


def _review(asked: Asked) -> Reply:
    """All comments or none: one bad place rejects the whole review, and nothing says which."""
    repository, pull = the_pull(asked)
    user, given = the_user(asked), asked.document()
    event, body = given.get("event", "PENDING"), given.get("body") or ""
    if event in ("APPROVE", "REQUEST_CHANGES") and user.login == pull.author.login:
        verb = "approve" if event == "APPROVE" else "request changes on"
        raise refusal(422, "Unprocessable Entity", [f"Can not {verb} your own pull request"])
    if event in ("COMMENT", "REQUEST_CHANGES") and not body:
        raise refusal(422, "Unprocessable Entity", ["Body can't be blank"])
    check_length(body)
    commit = given.get("commit_id") or pull.head
    threads: list[Thread] = []
    errors: list[Any] = []
    for one in given.get("comments") or []:
        check_length(one.get("body") or "")
        found = check_place(asked.forge, repository, pull, commit, one)
        if found:
            errors += found
        else:
            threads.append(place_thread(asked.forge, repository, pull, user, one, commit))
    if errors:
        raise refusal(422, "Unprocessable Entity", errors)
    state = {"COMMENT": "COMMENTED", "APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED"}.get(event, event)
    review = Review(
        id=asked.forge.new_id(), author=user, state=state, body=body, commit=commit, at=asked.forge.clock.now()
    )
    for thread in threads:
        thread.review = review.id
    pull.reviews.append(review)
    pull.threads += threads
    return Reply.json(_review_document(repository, pull, review))


def check_length(body: str) -> None:
    """Raises: ForgeRefusal 422 for a body above the limit."""
    if len(body) > _MOST_BODY:
        words = f"body is too long (maximum is {_MOST_BODY} characters)"
        raise refusal(
            422, "Validation Failed", [{"resource": "IssueComment", "code": "unprocessable", "message": words}]
        )


def _review_document(repository: Repository, pull: Pull, review: Review) -> dict[str, Any]:
    return {
        "id": review.id, "user": user_document(review.author), "state": review.state, "body": review.body,
        "commit_id": review.commit, "submitted_at": review.at,
        "html_url": f"/{repository.path}/pull/{pull.number}#pullrequestreview-{review.id}",
    }  # fmt: skip


def _reviews(asked: Asked) -> Reply:
    repository, pull = the_pull(asked)
    return paged(asked, [_review_document(repository, pull, review) for review in pull.reviews])


def thread_comment_document(repository: Repository, thread: Thread, comment: Comment) -> dict[str, Any]:
    """A comment on a line as REST gives it."""
    place = {name: thread.place.get(name) for name in ("line", "side", "start_line", "start_side", "subject_type")}
    return {
        **comment_document(repository, comment), **place, "path": thread.path, "original_line": place["line"],
        "commit_id": thread.commit, "pull_request_review_id": thread.review,
        "line": None if thread.is_outdated else place["line"],
    }  # fmt: skip


def _line_comments(asked: Asked) -> Reply:
    repository, pull = the_pull(asked)
    rows = [thread_comment_document(repository, thread, one) for thread in pull.threads for one in thread.comments]
    return paged(asked, rows)


_MIXED = {
    "message": 'No subschema in "oneOf" matched.',
    "errors": ['"line" is not a permitted key.', '"in_reply_to" wasn\'t supplied.'],
}


def _line_comment(asked: Asked) -> Reply:
    """One comment outside a review: a reply, a whole file, or a line."""
    repository, pull = the_pull(asked)
    user, given = the_user(asked), asked.document()
    check_length(given.get("body") or "")
    if "in_reply_to" in given:
        if "line" in given or "subject_type" in given:
            raise ForgeRefusal(422, {**_MIXED, "documentation_url": _DOCS, "status": "422"})
        return _reply(asked, repository, pull, user, given)
    if given.get("subject_type") == "file" and "line" in given:
        raise ForgeRefusal(422, {**_MIXED, "documentation_url": _DOCS, "status": "422"})
    errors = check_place(asked.forge, repository, pull, given.get("commit_id") or pull.head, given)
    if errors:
        raise refusal(422, "Validation Failed", errors)
    thread = place_thread(asked.forge, repository, pull, user, given, given.get("commit_id") or pull.head)
    pull.threads.append(thread)
    return Reply.json(thread_comment_document(repository, thread, thread.comments[0]), 201)


def _reply(asked: Asked, repository: Repository, pull: Pull, user: User, given: dict[str, Any]) -> Reply:
    target = given["in_reply_to"]
    thread = next((one for one in pull.threads if any(comment.id == target for comment in one.comments)), None)
    if thread is None:
        raise not_found()
    comment = asked.forge.comment(user, given.get("body") or "")
    thread.comments.append(comment)
    return Reply.json(thread_comment_document(repository, thread, comment), 201)


def routes(more: Callable[[], list[Route]]) -> list[Route]:
    """The table of GitHub's REST calls."""
    return [
        ("GET", r"/user", _user),
        ("GET", _REPO + r"/pulls", _pulls),
        ("GET", _PULL, _pull),
        ("GET", _PULL + r"/files", _files),
        ("GET", _REPO + r"/compare/(?P<span>.+)", _compare),
        ("GET", _PULL + r"/reviews", _reviews),
        ("POST", _PULL + r"/reviews", _review),
        ("GET", _PULL + r"/comments", _line_comments),
        ("POST", _PULL + r"/comments", _line_comment),
        *more(),
    ]
