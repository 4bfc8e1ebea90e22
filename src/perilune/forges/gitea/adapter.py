"""Gitea and Forgejo over REST: no ranges, no suggestions, lines that the server does not check."""

from collections.abc import Sequence
from typing import Any

from perilune.forges.contract.client import ForgeClient, ForgeMeans, words_of
from perilune.forges.contract.port import (
    ChangedFile,
    Permission,
    Person,
    Post,
    Posted,
    PullAddress,
    PullRequest,
    Reaction,
    Refs,
    Rejected,
    Remark,
    Report,
    Thread,
)
from perilune.forges.contract.spec import ForgeSite
from perilune.forges.gitea import wire

_REACTIONS: dict[Reaction, str] = {"seen": "eyes", "running": "rocket", "done": "hooray", "failed": "confused"}
_STATES = {"success": "success", "failure": "failure", "neutral": "success", "pending": "pending"}
_PENDING = "PENDING"


def open_forge(means: ForgeMeans) -> "Gitea":
    """The adapter of one installation."""
    return Gitea(ForgeClient(means))


class Gitea:
    """One Gitea or Forgejo with one credential."""

    def __init__(self, client: ForgeClient) -> None:
        self._client = client
        self._me: Person | None = None
        self._has_resolve = True

    @property
    def site(self) -> ForgeSite:
        return self._client.site

    async def identity(self) -> Person:
        if self._me is None:
            self._me = self._client.decoded(await self._client.read("/user"), wire.User).person()
        return self._me

    async def pull(self, address: PullAddress) -> PullRequest:
        answer = await self._client.read(_pull(address))
        return self._client.decoded(answer, wire.Pull).read(address.repository)

    async def open_pulls(self, repository: str) -> tuple[PullRequest, ...]:
        rows = await self._client.all_pages(f"/repos/{repository}/pulls", wire.Pull, state="open")
        return tuple(row.read(repository) for row in rows)

    async def files(self, address: PullAddress) -> tuple[ChangedFile, ...]:
        rows = await self._client.all_pages(f"{_pull(address)}/files", wire.ChangedFileRow)
        return tuple(
            ChangedFile(path=row.filename, old_path=row.previous_filename or row.filename, status=row.status)
            for row in rows
        )

    async def threads(self, address: PullAddress) -> tuple[Thread, ...]:
        """Comments of all reviews, those on one place together. An outdated one has no place any more: others' outdated
        comments on its file that came later may be answers to it, and count as such."""
        grouped: dict[tuple[str, int, int], list[wire.LineComment]] = {}
        outdated: list[wire.LineComment] = []
        for review in await self._reviews(address):
            if review.state != _PENDING:
                for comment in await self._comments(address, review):
                    if comment.position or comment.original_position:
                        grouped.setdefault(comment.place, []).append(comment)
                    else:
                        outdated.append(comment)
        placed = [rows[0].thread(tuple(row.read() for row in rows)) for rows in grouped.values()]
        return (*placed, *(_with_answers(comment, outdated) for comment in outdated))

    async def _reviews(self, address: PullAddress) -> list[wire.Review]:
        return await self._client.all_pages(f"{_pull(address)}/reviews", wire.Review)

    async def _comments(self, address: PullAddress, review: wire.Review) -> list[wire.LineComment]:
        answer = await self._client.read(f"{_pull(address)}/reviews/{review.id}/comments")
        return self._client.decoded(answer, list[wire.LineComment])

    async def remarks(self, address: PullAddress) -> tuple[Remark, ...]:
        answer = await self._client.read(f"{_issue(address)}/comments")
        return tuple(row.read() for row in self._client.decoded(answer, list[wire.Comment]))

    async def post_review(
        self, pull: PullRequest, body: str, posts: tuple[Post, ...], marker: str
    ) -> Posted | Rejected:
        """One review. The server checks no line, so nothing may come here that is not in the diff."""
        document = {
            "commit_id": pull.head_sha, "body": f"{body}\n\n{marker}".strip(), "event": "COMMENT",
            "comments": [_comment(post) for post in posts],
        }  # fmt: skip
        answer = await self._client.write("POST", f"{_pull(pull.address)}/reviews", document)
        if answer.status == 422:
            return Rejected(words_of(answer))
        review = self._client.decoded(answer, wire.Review)
        return Posted(refs=Refs(review_id=str(review.id), url=review.html_url))

    async def post_on_file(self, pull: PullRequest, post: Post) -> Posted | Rejected:
        """There are no comments on whole files here."""
        return Rejected("this forge has no comments on whole files")

    async def post_remark(self, address: PullAddress, body: str) -> Refs:
        answer = await self._client.write("POST", f"{_issue(address)}/comments", {"body": body})
        made = self._client.decoded(answer, wire.Comment)
        return Refs(comment_id=str(made.id), url=made.html_url)

    async def edit_remark(self, address: PullAddress, remark: str, body: str) -> bool:
        path = f"/repos/{address.repository}/issues/comments/{remark}"
        answer = await self._client.write("PATCH", path, {"body": body})
        if answer.status == 404:
            return False
        self._client.decoded(answer, wire.Comment)
        return True

    async def edit_comment(self, address: PullAddress, thread: Thread, body: str) -> bool:
        return await self.edit_remark(address, thread.remarks[0].id, body)

    async def reply(self, address: PullAddress, thread: Thread, body: str) -> Refs:
        """A thread cannot be answered in place over this API: the answer goes into the conversation."""
        return await self.post_remark(address, body)

    async def resolve(self, address: PullAddress, thread: Thread, *, is_resolved: bool = True) -> bool:
        if not self._has_resolve:
            return False
        verb = "resolve" if is_resolved else "unresolve"
        answer = await self._client.write("POST", f"{_pull(address)}/comments/{thread.id}/{verb}")
        self._has_resolve = answer.status != 404
        return answer.status < 400

    async def report(self, pull: PullRequest, report: Report) -> Refs:
        document = {
            "state": _STATES[report.conclusion], "context": report.name, "description": report.title[:140],
            **({"target_url": report.url} if report.url.startswith("http") else {}),
        }  # fmt: skip
        path = f"/repos/{pull.address.repository}/statuses/{pull.head_sha}"
        answer = await self._client.write("POST", path, document)
        return Refs(comment_id=str(self._client.decoded(answer, wire.Row).id))

    async def react(self, address: PullAddress, remark: str, reaction: Reaction) -> bool:
        path = f"/repos/{address.repository}/issues/comments/{remark}/reactions"
        answer = await self._client.write("POST", path, {"content": _REACTIONS[reaction]})
        return answer.status < 400

    async def permission(self, address: PullAddress, person: Person) -> Permission:
        path = f"/repos/{address.repository}/collaborators/{person.login}/permission"
        answer = await self._client.read(path)
        if answer.status in (403, 404):
            return "none"
        word = self._client.decoded(answer, dict[str, Any]).get("permission")
        if word == "owner":
            return "admin"
        return word if word in ("admin", "write", "read") else "none"

    async def find_marked(self, address: PullAddress, marker: str) -> Refs | None:
        me = await self.identity()
        for review in await self._reviews(address):
            is_mine = (review.user or wire.User()).login == me.login
            if marker in (review.body or "") and is_mine and review.state != _PENDING:
                return Refs(review_id=str(review.id), url=review.html_url)
        for remark in await self.remarks(address):
            if marker in remark.body and remark.author.login == me.login:
                return Refs(comment_id=remark.id, url=remark.url)
        return None

    async def tidy(self, address: PullAddress) -> int:
        """Deletes our own pending reviews: the next review would publish their comments too."""
        me = await self.identity()
        left = [
            review
            for review in await self._reviews(address)
            if review.state == _PENDING and (review.user or wire.User()).login == me.login
        ]
        for review in left:
            await self._client.write("DELETE", f"{_pull(address)}/reviews/{review.id}")
        return len(left)


def _comment(post: Post) -> dict[str, Any]:
    """A comment on the last line of its place, by the number of the side it is on."""
    end = post.place.end
    is_old = post.place.side == "old"
    line = {"old_position" if is_old else "new_position": (end.old if is_old else end.new) if end is not None else 0}
    return {"path": post.place.path, "body": post.body, **line}


def _with_answers(comment: wire.LineComment, outdated: Sequence[wire.LineComment]) -> Thread:
    later = [
        other
        for other in outdated
        if other.path == comment.path and other.id > comment.id and other.read().author != comment.read().author
    ]
    return comment.thread(tuple(row.read() for row in (comment, *later)))


def _pull(address: PullAddress) -> str:
    return f"/repos/{address.repository}/pulls/{address.number}"


def _issue(address: PullAddress) -> str:
    return f"/repos/{address.repository}/issues/{address.number}"
