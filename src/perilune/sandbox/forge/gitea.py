"""Gitea's and Forgejo's answers, traps included: pending reviews left behind, lines that nobody checks."""

from typing import Any

from perilune.sandbox.forge.answers import Asked, ForgeRefusal, Route, paged, pull_of, tagged, writes_only
from perilune.sandbox.forge.state import Comment, Pull, Repository, Review, Status, Thread, User
from perilune.sandbox.http.reply import Reply

_REPO = r"/repos/(?P<owner>[^/]+)/(?P<name>[^/]+)"
_PULL = _REPO + r"/pulls/(?P<number>\d+)"
_STATES = ("pending", "success", "error", "failure", "warning")
_EVENTS = {"COMMENT": "COMMENT", "APPROVED": "APPROVED", "REQUEST_CHANGES": "REQUEST_CHANGES"}


def refusal(status: int, message: str) -> ForgeRefusal:
    return ForgeRefusal(status, {"message": message, "url": "/api/swagger"})


def _repository(asked: Asked) -> Repository:
    found = asked.forge.find(f"{asked.match['owner']}/{asked.match['name']}")
    if found is None or (asked.user is not None and found.role(asked.user) == "none"):
        raise refusal(404, "The target couldn't be found.")
    return found


def _the_pull(asked: Asked) -> tuple[Repository, Pull]:
    repository = _repository(asked)
    return repository, pull_of(asked, repository, {"message": "The target couldn't be found."})


def _the_user(asked: Asked) -> User:
    if asked.user is None:
        raise refusal(401, "token is required")
    return asked.user


def user_document(user: User) -> dict[str, Any]:
    return {"id": user.id, "login": user.login, "username": user.login}


def repository_document(repository: Repository) -> dict[str, Any]:
    return {"id": repository.id, "full_name": repository.path, "name": repository.name}


def pull_document(repository: Repository, pull: Pull) -> dict[str, Any]:
    """A pull request as the API and webhooks give it."""
    base = {"ref": pull.base_ref.removeprefix("refs/heads/"), "sha": repository.base(pull), "repo_id": repository.id}
    head = {
        "ref": pull.head_ref.rpartition("/")[2], "sha": pull.head,
        "repo_id": repository.id + 1 if pull.is_fork else repository.id,
        "repo": {**repository_document(repository), "fork": pull.is_fork},
    }  # fmt: skip
    return {
        "id": repository.id * 1000 + pull.number, "number": pull.number, "title": pull.title, "body": pull.body,
        "state": "open" if pull.state == "open" else "closed", "merged": pull.state == "merged",
        "draft": pull.is_draft, "user": user_document(pull.author), "labels": [{"name": one} for one in pull.labels],
        "base": {**base, "repo": repository_document(repository)}, "head": head,
        "merge_base": repository.merge_base(pull), "html_url": f"/{repository.path}/pulls/{pull.number}",
    }  # fmt: skip


def comment_document(comment: Comment) -> dict[str, Any]:
    return {
        "id": comment.id, "body": comment.body, "user": user_document(comment.author), "created_at": comment.at,
        "html_url": f"/comments/{comment.id}",
    }  # fmt: skip


def _review(asked: Asked) -> Reply:
    """Comments are made one by one as pending ones; only then the review is sent."""
    repository, pull = _the_pull(asked)
    user, given = _the_user(asked), asked.document()
    event, body, comments = given.get("event", ""), given.get("body") or "", given.get("comments") or []
    _check_event(event, body, comments, user, pull)
    review = next((one for one in pull.reviews if one.state == "PENDING" and one.author.login == user.login), None)
    if review is None:
        review = Review(
            id=asked.forge.new_id(), author=user, state="PENDING", body="", commit=given.get("commit_id") or pull.head,
            at=asked.forge.clock.now(),
        )  # fmt: skip
        pull.reviews.append(review)
    for count, one in enumerate(comments):
        if asked.forge.behaviour.breaks_after is not None and count >= asked.forge.behaviour.breaks_after:
            asked.forge.behaviour.breaks_after = None
            raise refusal(500, "")
        pull.threads.append(_placed(asked, repository, pull, user, review, one))
    review.body = body
    review.state = _EVENTS.get(event, "PENDING")
    return Reply.json(_review_document(pull, review))


def _check_event(event: str, body: str, comments: list[Any], user: User, pull: Pull) -> None:
    if event == "COMMENT" and not body and not comments:
        raise refusal(422, "review event COMMENT requires a body or a comment")
    if event == "REQUEST_CHANGES" and not body:
        raise refusal(422, "review event REQUEST_CHANGES requires a body")
    if user.login == pull.author.login and event in ("APPROVED", "REQUEST_CHANGES"):
        verb = "approve" if event == "APPROVED" else "reject"
        raise refusal(422, f"{verb} your own pull is not allowed")


def _placed(
    asked: Asked, repository: Repository, pull: Pull, user: User, review: Review, given: dict[str, Any]
) -> Thread:
    """A thread wherever it is said to be; a place outside the diff is a failure of the caller, as nobody sees it."""
    change = repository.change(pull, given.get("path") or "")
    old, new = given.get("old_position") or 0, given.get("new_position") or 0
    spot = None
    if change is not None:
        spot = change.left.get(old) if old > 0 else change.right.get(new)
    if spot is None:
        asked.forge.note_failure(f"comment outside of the diff: {given.get('path')} old {old} new {new}")
    return Thread(
        id=str(asked.forge.new_id()), comments=[asked.forge.comment(user, given.get("body") or "")],
        place={"new_position": new, "old_position": old}, path=given.get("path") or "",
        text=spot.text if spot is not None else None, commit=review.commit, review=review.id, is_lost=spot is None,
    )  # fmt: skip


def _review_document(pull: Pull, review: Review) -> dict[str, Any]:
    count = sum(len(thread.comments) for thread in pull.threads if thread.review == review.id)
    return {
        "id": review.id, "user": user_document(review.author), "state": review.state, "body": review.body,
        "commit_id": review.commit, "comments_count": count, "submitted_at": review.at,
        "html_url": f"/pulls/{pull.number}#issuecomment-{review.id}",
    }  # fmt: skip


def _visible(review: Review, user: User | None) -> bool:
    return review.state != "PENDING" or (user is not None and review.author.login == user.login)


def _reviews(asked: Asked) -> Reply:
    _, pull = _the_pull(asked)
    return paged(asked, [_review_document(pull, one) for one in pull.reviews if _visible(one, asked.user)])


def _review_of(asked: Asked, pull: Pull) -> Review:
    wanted = int(asked.match["review"])
    found = next((one for one in pull.reviews if one.id == wanted and _visible(one, asked.user)), None)
    if found is None:
        raise refusal(404, "The target couldn't be found.")
    return found


def _delete_review(asked: Asked) -> Reply:
    repository, pull = _the_pull(asked)
    review, user = _review_of(asked, pull), _the_user(asked)
    if review.author.login != user.login and repository.role(user) != "admin":
        raise refusal(403, "Must be the author of the review")
    pull.reviews.remove(review)
    pull.threads = [thread for thread in pull.threads if thread.review != review.id]
    return Reply(status=204)


def _review_comments(asked: Asked) -> Reply:
    _, pull = _the_pull(asked)
    review = _review_of(asked, pull)
    rows = [
        {
            **comment_document(comment), "path": thread.path, "commit_id": review.commit,
            "position": 0 if thread.is_outdated else thread.place["new_position"],
            "original_position": thread.place["old_position"], "pull_request_review_id": review.id,
            "resolver": {"login": thread.resolved_by} if thread.is_resolved else None,
        }
        for thread in pull.threads
        if thread.review == review.id
        for comment in thread.comments
    ]  # fmt: skip
    return Reply.json(rows)


def _resolve(asked: Asked) -> Reply:
    _, pull = _the_pull(asked)
    if not asked.forge.behaviour.has_resolve:
        raise refusal(404, "not found")
    wanted, user = int(asked.match["comment"]), _the_user(asked)
    for thread in pull.threads:
        if any(comment.id == wanted for comment in thread.comments):
            thread.is_resolved = asked.match["verb"] == "resolve"
            thread.resolved_by = user.login if thread.is_resolved else None
            return Reply(status=204)
    raise refusal(404, "The target couldn't be found.")


def _comments(asked: Asked) -> Reply:
    _, pull = _the_pull(asked)
    return tagged(asked, Reply.json([comment_document(comment) for comment in pull.comments]))


def _comment(asked: Asked) -> Reply:
    _, pull = _the_pull(asked)
    body = asked.document().get("body") or ""
    if not body:
        raise refusal(422, "[]: Required")
    comment = asked.forge.comment(_the_user(asked), body)
    pull.comments.append(comment)
    return Reply.json(comment_document(comment), 201)


def _found(asked: Asked) -> Comment:
    wanted = int(asked.match["comment"])
    for pull in _repository(asked).pulls.values():
        for comment in asked.forge.all_comments(pull):
            if comment.id == wanted:
                return comment
    raise refusal(404, "The target couldn't be found.")


def _edit(asked: Asked) -> Reply:
    comment, user = _found(asked), _the_user(asked)
    if comment.author.login != user.login and not writes_only(_repository(asked).role(user)):
        raise refusal(403, "Forbidden")
    comment.body = asked.document().get("body") or ""
    return Reply.json(comment_document(comment))


def _react(asked: Asked) -> Reply:
    comment, content = _found(asked), str(asked.document().get("content") or "")
    row = (_the_user(asked).login, content)
    is_new = row not in comment.reactions
    comment.reactions += [row] if is_new else []
    return Reply.json({"content": content}, 201 if is_new else 200)


def _reactions(asked: Asked) -> Reply:
    return Reply.json([{"content": content, "user": {"login": login}} for login, content in _found(asked).reactions])


def _permission(asked: Asked) -> Reply:
    repository, user = _repository(asked), asked.forge.users.get(asked.match["login"])
    if user is None:
        raise refusal(404, "The target couldn't be found.")
    return Reply.json({"permission": repository.role(user), "user": user_document(user)})


def _status(asked: Asked) -> Reply:
    repository, given = _repository(asked), asked.document()
    if not writes_only(repository.role(_the_user(asked))):
        raise refusal(403, "user should have a permission to write to a repo")
    if given.get("state") not in _STATES:
        raise refusal(422, "invalid state")
    row = Status(
        id=asked.forge.new_id(), commit=asked.match["sha"], name=given.get("context", "default"),
        state=given["state"], description=given.get("description") or "", target_url=given.get("target_url") or "",
    )  # fmt: skip
    repository.statuses.append(row)
    return Reply.json({"id": row.id, "status": row.state, "context": row.name}, 201)


def _pull(asked: Asked) -> Reply:
    return tagged(asked, Reply.json(pull_document(*_the_pull(asked))))


def _pulls(asked: Asked) -> Reply:
    repository = _repository(asked)
    return paged(asked, [pull_document(repository, one) for one in repository.pulls.values() if one.state == "open"])


def _files(asked: Asked) -> Reply:
    repository, pull = _the_pull(asked)
    words = {"A": "added", "M": "changed", "D": "deleted", "R": "renamed"}
    rows = [
        {"filename": new, "status": words.get(status, "changed"), **({"previous_filename": old} if old != new else {})}
        for status, old, new in repository.names(pull)
    ]
    return paged(asked, rows)


def _user(asked: Asked) -> Reply:
    return Reply.json(user_document(_the_user(asked)))


def routes() -> list[Route]:
    """The table of Gitea's calls."""
    issue = _REPO + r"/issues/(?P<number>\d+)"
    comment = _REPO + r"/issues/comments/(?P<comment>\d+)"
    return [
        ("GET", r"/user", _user),
        ("GET", _REPO + r"/pulls", _pulls),
        ("GET", _PULL, _pull),
        ("GET", _PULL + r"/files", _files),
        ("GET", _PULL + r"/reviews", _reviews),
        ("POST", _PULL + r"/reviews", _review),
        ("DELETE", _PULL + r"/reviews/(?P<review>\d+)", _delete_review),
        ("GET", _PULL + r"/reviews/(?P<review>\d+)/comments", _review_comments),
        ("POST", _PULL + r"/comments/(?P<comment>\d+)/(?P<verb>resolve|unresolve)", _resolve),
        ("GET", issue + r"/comments", _comments),
        ("POST", issue + r"/comments", _comment),
        ("PATCH", comment, _edit),
        ("GET", comment + r"/reactions", _reactions),
        ("POST", comment + r"/reactions", _react),
        ("GET", _REPO + r"/collaborators/(?P<login>[^/]+)/permission", _permission),
        ("POST", _REPO + r"/statuses/(?P<sha>[0-9a-f]+)", _status),
    ]
