"""GitHub's comments of a conversation, reactions, permissions and commit statuses."""

from perilune.sandbox.forge.answers import Asked, Route, paged, writes_only
from perilune.sandbox.forge.github import (
    check_length,
    comment_document,
    not_found,
    refusal,
    repository_of,
    the_pull,
    the_user,
    user_document,
)
from perilune.sandbox.forge.state import Comment, Repository, Status
from perilune.sandbox.http.reply import Reply

_REPO = r"/repos/(?P<owner>[^/]+)/(?P<name>[^/]+)"
_STATES = ("error", "failure", "pending", "success")
_REACTIONS = frozenset({"+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"})


def _issue_comments(asked: Asked) -> Reply:
    repository, pull = the_pull(asked)
    return paged(asked, [comment_document(repository, comment) for comment in pull.comments])


def _issue_comment(asked: Asked) -> Reply:
    repository, pull = the_pull(asked)
    body = asked.document().get("body") or ""
    check_length(body)
    comment = asked.forge.comment(the_user(asked), body)
    pull.comments.append(comment)
    return Reply.json(comment_document(repository, comment), 201)


def _found_comment(asked: Asked, repository: Repository) -> Comment:
    """The comment that the path names. Raises: ForgeRefusal 404."""
    wanted = int(asked.match["comment"])
    for pull in repository.pulls.values():
        for comment in asked.forge.all_comments(pull):
            if comment.id == wanted:
                return comment
    raise not_found()


def _edit_comment(asked: Asked) -> Reply:
    repository = repository_of(asked)
    comment, user = _found_comment(asked, repository), the_user(asked)
    if comment.author.login != user.login and not writes_only(repository.role(user)):
        raise refusal(403, "Resource not accessible by integration")
    body = asked.document().get("body") or ""
    check_length(body)
    comment.body = body
    return Reply.json(comment_document(repository, comment))


def _react(asked: Asked) -> Reply:
    repository = repository_of(asked)
    comment, user = _found_comment(asked, repository), the_user(asked)
    content = asked.document().get("content")
    if content not in _REACTIONS:
        raise refusal(422, "Validation Failed", [{"resource": "Reaction", "field": "content", "code": "invalid"}])
    row = (user.login, str(content))
    is_new = row not in comment.reactions
    comment.reactions += [row] if is_new else []
    return Reply.json({"id": asked.forge.new_id(), "content": content}, 201 if is_new else 200)


def _reactions(asked: Asked) -> Reply:
    comment = _found_comment(asked, repository_of(asked))
    return paged(asked, [{"content": content, "user": {"login": login}} for login, content in comment.reactions])


def _permission(asked: Asked) -> Reply:
    repository = repository_of(asked)
    user = asked.forge.users.get(asked.match["login"])
    if user is None:
        raise not_found()
    return Reply.json({"permission": repository.role(user), "user": user_document(user)})


def _status(asked: Asked) -> Reply:
    repository, given = repository_of(asked), asked.document()
    if not writes_only(repository.role(the_user(asked))):
        raise refusal(403, "Resource not accessible by personal access token")
    if given.get("state") not in _STATES or len(given.get("description") or "") > 140:
        raise refusal(422, "Validation Failed", [{"resource": "Status", "code": "custom", "field": "state"}])
    row = Status(
        id=asked.forge.new_id(), commit=asked.match["sha"], name=given.get("context", "default"),
        state=given["state"], description=given.get("description") or "", target_url=given.get("target_url") or "",
    )  # fmt: skip
    repository.statuses.append(row)
    return Reply.json({"id": row.id, "state": row.state, "context": row.name}, 201)


def note_routes() -> list[Route]:
    """Routes of what stands beside reviews."""
    issue = _REPO + r"/issues/(?P<number>\d+)"
    return [
        ("GET", issue + r"/comments", _issue_comments),
        ("POST", issue + r"/comments", _issue_comment),
        ("PATCH", _REPO + r"/(?:issues|pulls)/comments/(?P<comment>\d+)", _edit_comment),
        ("GET", _REPO + r"/(?:issues|pulls)/comments/(?P<comment>\d+)/reactions", _reactions),
        ("POST", _REPO + r"/(?:issues|pulls)/comments/(?P<comment>\d+)/reactions", _react),
        ("GET", _REPO + r"/collaborators/(?P<login>[^/]+)/permission", _permission),
        ("POST", _REPO + r"/statuses/(?P<sha>[0-9a-f]+)", _status),
    ]
