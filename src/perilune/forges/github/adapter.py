"""GitHub over REST, and GraphQL where REST has no words: threads and their resolution."""

from typing import Any

from perilune.core.decoding import converted
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
from perilune.forges.github import wire
from perilune.forges.github.places import comment_of, position

_THREADS = """query($owner:String!,$name:String!,$number:Int!,$after:String){repository(owner:$owner,name:$name){
pullRequest(number:$number){reviewThreads(first:100,after:$after){pageInfo{hasNextPage endCursor}nodes{
id isResolved isOutdated path line originalLine diffSide resolvedBy{login}
comments(first:100){nodes{databaseId body createdAt url author{login __typename}
reactions(first:50){nodes{content user{login}}}}}}}}}}"""
_RESOLVE = "mutation($threadId:ID!){%s(input:{threadId:$threadId}){thread{isResolved}}}"
_REACTIONS: dict[Reaction, str] = {"seen": "eyes", "running": "rocket", "done": "hooray", "failed": "confused"}
_TITLE, _DESCRIPTION = 255, 140


def open_forge(means: ForgeMeans) -> "GitHub":
    """The adapter of one installation."""
    return GitHub(ForgeClient(means))


class GitHub:
    """One GitHub with one credential."""

    def __init__(self, client: ForgeClient) -> None:
        self._client = client
        self._me: Person | None = None

    @property
    def site(self) -> ForgeSite:
        return self._client.site

    async def identity(self) -> Person:
        """Who the credential is; an app's installation token may not ask REST, and is told its name by GraphQL."""
        if self._me is None:
            answer = await self._client.read("/user")
            if answer.status in (403, 404):
                viewer = wire.inside(await self._client.ask("query{viewer{login __typename}}", {}), "data", "viewer")
                self._me = converted(viewer or {}, wire.Actor).person()
            else:
                self._me = self._client.decoded(answer, wire.User).person()
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
            ChangedFile(
                path=row.filename, old_path=row.previous_filename or row.filename, status=row.status, patch=row.patch
            )
            for row in rows
        )

    async def threads(self, address: PullAddress) -> tuple[Thread, ...]:
        owner, _, name = address.repository.partition("/")
        found: list[Thread] = []
        after: str | None = None
        while True:
            variables = {"owner": owner, "name": name, "number": address.number, "after": after}
            answer = await self._client.ask(_THREADS, variables)
            connection = wire.inside(answer, "data", "repository", "pullRequest", "reviewThreads")
            if connection is None:
                raise self._client.error("missing", status=404)
            page = converted(connection, wire.Threads)
            found += [node.read() for node in page.nodes]
            after = page.page_info.end_cursor
            if not page.page_info.has_next_page or after is None:
                return tuple(found)

    async def remarks(self, address: PullAddress) -> tuple[Remark, ...]:
        rows = await self._client.all_pages(f"{_issue(address)}/comments", wire.Comment)
        return tuple(row.read() for row in rows)

    async def post_review(
        self, pull: PullRequest, body: str, posts: tuple[Post, ...], marker: str
    ) -> Posted | Rejected:
        """One review with all comments. GitHub takes all of them or none, and does not say which it minds."""
        document = {
            "commit_id": pull.head_sha, "body": f"{body}\n\n{marker}".strip(), "event": "COMMENT",
            "comments": [comment_of(post) for post in posts],
        }  # fmt: skip
        answer = await self._client.write("POST", f"{_pull(pull.address)}/reviews", document)
        if answer.status == 422:
            return Rejected(words_of(answer))
        review = self._client.decoded(answer, wire.Review)
        return Posted(refs=Refs(review_id=str(review.id), url=review.html_url))

    async def post_on_file(self, pull: PullRequest, post: Post) -> Posted | Rejected:
        document = {
            "commit_id": pull.head_sha, "path": post.place.path, "body": post.body, **position(post.place)
        }  # fmt: skip
        answer = await self._client.write("POST", f"{_pull(pull.address)}/comments", document)
        if answer.status == 422:
            return Rejected(words_of(answer))
        comment = self._client.decoded(answer, wire.Comment)
        return Posted(refs=Refs(comment_id=str(comment.id), url=comment.html_url))

    async def post_remark(self, address: PullAddress, body: str) -> Refs:
        answer = await self._client.write("POST", f"{_issue(address)}/comments", {"body": body})
        return _refs(self._client.decoded(answer, wire.Comment))

    async def edit_remark(self, address: PullAddress, remark: str, body: str) -> bool:
        path = f"/repos/{address.repository}/issues/comments/{remark}"
        answer = await self._client.write("PATCH", path, {"body": body})
        if answer.status == 404:
            return False
        self._client.decoded(answer, wire.Comment)
        return True

    async def edit_comment(self, address: PullAddress, thread: Thread, body: str) -> bool:
        path = f"{_repo(address)}/pulls/comments/{thread.remarks[0].id}"
        answer = await self._client.write("PATCH", path, {"body": body})
        return answer.status < 400

    async def reply(self, address: PullAddress, thread: Thread, body: str) -> Refs:
        document = {"body": body, "in_reply_to": int(thread.remarks[0].id)}
        answer = await self._client.write("POST", f"{_pull(address)}/comments", document)
        return _refs(self._client.decoded(answer, wire.Comment))

    async def resolve(self, address: PullAddress, thread: Thread, *, is_resolved: bool = True) -> bool:
        name = "resolveReviewThread" if is_resolved else "unresolveReviewThread"
        answer = await self._client.ask(_RESOLVE % name, {"threadId": thread.id}, is_write=True)
        return not answer.get("errors")

    async def report(self, pull: PullRequest, report: Report) -> Refs:
        """A check run where the credential is an app's; a commit status for everybody else."""
        answer = await self._client.write("POST", f"{_repo(pull.address)}/check-runs", _check(pull, report))
        if answer.status in (403, 404):
            path = f"{_repo(pull.address)}/statuses/{pull.head_sha}"
            status = await self._client.write("POST", path, _status(report))
            self._client.decoded(status, dict[str, Any])
            return Refs()
        run = self._client.decoded(answer, wire.CheckRun)
        return Refs(comment_id=str(run.id), url=run.html_url)

    async def react(self, address: PullAddress, remark: str, reaction: Reaction) -> bool:
        path = f"{_repo(address)}/issues/comments/{remark}/reactions"
        answer = await self._client.write("POST", path, {"content": _REACTIONS[reaction]})
        return answer.status < 400

    async def permission(self, address: PullAddress, person: Person) -> Permission:
        answer = await self._client.read(f"{_repo(address)}/collaborators/{person.login}/permission")
        if answer.status in (403, 404):
            return "none"
        word = self._client.decoded(answer, dict[str, Any]).get("permission")
        return word if word in ("admin", "write", "read") else "none"

    async def find_marked(self, address: PullAddress, marker: str) -> Refs | None:
        me = await self.identity()
        reviews = await self._client.all_pages(f"{_pull(address)}/reviews", wire.Review)
        for review in reviews:
            if marker in (review.body or "") and (review.user or wire.User()).person().is_same(me):
                return Refs(review_id=str(review.id), url=review.html_url)
        for path in (f"{_issue(address)}/comments", f"{_pull(address)}/comments"):
            for comment in await self._client.all_pages(path, wire.Comment):
                if marker in (comment.body or "") and comment.read().author.is_same(me):
                    return _refs(comment)
        return None

    async def tidy(self, address: PullAddress) -> int:
        """Nothing is ever half done here: a review stands whole or not at all."""
        return 0


def _repo(address: PullAddress) -> str:
    return f"/repos/{address.repository}"


def _pull(address: PullAddress) -> str:
    return f"{_repo(address)}/pulls/{address.number}"


def _issue(address: PullAddress) -> str:
    return f"{_repo(address)}/issues/{address.number}"


def _refs(comment: wire.Comment) -> Refs:
    return Refs(comment_id=str(comment.id), url=comment.html_url)


def _check(pull: PullRequest, report: Report) -> dict[str, Any]:
    is_open = report.conclusion == "pending"
    ending = {} if is_open else {"conclusion": report.conclusion}
    return {
        "name": report.name, "head_sha": pull.head_sha, "external_id": report.marker,
        "status": "in_progress" if is_open else "completed", **ending,
        "output": {"title": report.title[:_TITLE], "summary": report.summary or report.title},
    }  # fmt: skip


def _status(report: Report) -> dict[str, Any]:
    state = {"success": "success", "failure": "failure", "neutral": "success", "pending": "pending"}
    return {
        "state": state[report.conclusion], "context": report.name, "description": report.title[:_DESCRIPTION],
        **({"target_url": report.url} if report.url.startswith("http") else {}),
    }  # fmt: skip
