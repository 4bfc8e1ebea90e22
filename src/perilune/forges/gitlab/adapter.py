"""GitLab over REST: a review is a set of draft notes that are published together."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

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
from perilune.forges.gitlab import wire
from perilune.forges.gitlab.drafts import Drafting, own_marker, path_of

_REACTIONS: dict[Reaction, str] = {"seen": "eyes", "running": "rocket", "done": "tada", "failed": "confused"}
_STATES = {"success": "success", "failure": "failed", "neutral": "success", "pending": "running"}
_LEVELS: tuple[tuple[int, Permission], ...] = ((40, "admin"), (30, "write"), (10, "read"))
_DESCRIPTION = 255


def open_forge(means: ForgeMeans) -> "GitLab":
    """The adapter of one installation."""
    return GitLab(ForgeClient(means))


class GitLab:
    """One GitLab with one credential."""

    def __init__(self, client: ForgeClient) -> None:
        self._client = client
        self._drafting = Drafting(client)
        self._me: Person | None = None

    @property
    def site(self) -> ForgeSite:
        return self._client.site

    async def identity(self) -> Person:
        if self._me is None:
            self._me = self._client.decoded(await self._client.read("/user"), wire.User).person()
        return self._me

    async def pull(self, address: PullAddress) -> PullRequest:
        answer = await self._client.read(path_of(address))
        return self._client.decoded(answer, wire.MergeRequest).read(address.repository)

    async def open_pulls(self, repository: str) -> tuple[PullRequest, ...]:
        path = f"/projects/{quote(repository, safe='')}/merge_requests"
        rows = await self._client.all_pages(path, wire.MergeRequest, state="opened")
        return tuple(row.read(repository) for row in rows)

    async def files(self, address: PullAddress) -> tuple[ChangedFile, ...]:
        rows = await self._client.all_pages(f"{path_of(address)}/diffs", wire.FileDiff)
        return tuple(
            ChangedFile(
                path=row.new_path, old_path=row.old_path, status=_status_of(row),
                patch=None if row.too_large or not row.diff else row.diff,
            )
            for row in rows
        )  # fmt: skip

    async def threads(self, address: PullAddress) -> tuple[Thread, ...]:
        pull = await self.pull(address)
        rows = await self._client.all_pages(f"{path_of(address)}/discussions", wire.Discussion)
        found = [row.read(pull.head_sha) for row in rows]
        return tuple(thread for thread in found if thread is not None)

    async def remarks(self, address: PullAddress) -> tuple[Remark, ...]:
        rows = await self._client.all_pages(f"{path_of(address)}/notes", wire.Note, sort="asc")
        return tuple(row.read() for row in rows if not row.system and row.position is None)

    async def post_review(
        self, pull: PullRequest, body: str, posts: tuple[Post, ...], marker: str
    ) -> Posted | Rejected:
        """Comments checked one by one, published at once; each carries the marker, as no review holds it."""
        return await self._drafting.review(pull, posts, marker)

    async def post_on_file(self, pull: PullRequest, post: Post) -> Posted | Rejected:
        return await self._drafting.discuss(pull, post)

    async def post_remark(self, address: PullAddress, body: str) -> Refs:
        answer = await self._client.write("POST", f"{path_of(address)}/notes", {"body": body})
        return Refs(comment_id=str(self._client.decoded(answer, wire.Note).id))

    async def edit_remark(self, address: PullAddress, remark: str, body: str) -> bool:
        answer = await self._client.write("PUT", f"{path_of(address)}/notes/{remark}", {"body": body})
        if answer.status == 404:
            return False
        self._client.decoded(answer, wire.Note)
        return True

    async def edit_comment(self, address: PullAddress, thread: Thread, body: str) -> bool:
        return await self.edit_remark(address, thread.remarks[0].id, body)

    async def reply(self, address: PullAddress, thread: Thread, body: str) -> Refs:
        path = f"{path_of(address)}/discussions/{thread.id}/notes"
        answer = await self._client.write("POST", path, {"body": body})
        return Refs(thread_id=thread.id, comment_id=str(self._client.decoded(answer, wire.Note).id))

    async def resolve(self, address: PullAddress, thread: Thread, *, is_resolved: bool = True) -> bool:
        path = f"{path_of(address)}/discussions/{thread.id}"
        answer = await self._client.write("PUT", path, None, resolved=str(is_resolved).lower())
        return answer.status < 400

    async def report(self, pull: PullRequest, report: Report) -> Refs:
        """A commit status. One that is in this state already is refused by the forge and is as wanted."""
        project = quote(pull.address.repository, safe="")
        document = {
            "state": _STATES[report.conclusion], "name": report.name, "description": report.title[:_DESCRIPTION],
            **({"target_url": report.url} if report.url.startswith("http") else {}),
        }  # fmt: skip
        answer = await self._client.write("POST", f"/projects/{project}/statuses/{pull.head_sha}", document)
        if answer.status == 400 and "Cannot transition status" in words_of(answer):
            return Refs()
        return Refs(comment_id=str(self._client.decoded(answer, wire.Row).id))

    async def react(self, address: PullAddress, remark: str, reaction: Reaction) -> bool:
        path = f"{path_of(address)}/notes/{remark}/award_emoji"
        answer = await self._client.write("POST", path, {"name": _REACTIONS[reaction]})
        return answer.status < 400

    async def permission(self, address: PullAddress, person: Person) -> Permission:
        number = person.id or await self._number_of(person.login)
        path = f"/projects/{quote(address.repository, safe='')}/members/all/{number}"
        answer = await self._client.read(path)
        if answer.status in (403, 404):
            return "none"
        level = self._client.decoded(answer, dict[str, Any]).get("access_level")
        least = level if isinstance(level, int) else 0
        return next((word for floor, word in _LEVELS if least >= floor), "none")

    async def _number_of(self, login: str) -> int:
        rows = await self._client.all_pages("/users", wire.User, username=login)
        return next((row.id for row in rows if row.username == login), 0)

    async def find_marked(self, address: PullAddress, marker: str) -> Refs | None:
        me = await self.identity()
        rows = await self._client.all_pages(f"{path_of(address)}/discussions", wire.Discussion)
        for row in rows:
            for note in row.notes:
                if marker in (note.body or "") and (note.author or wire.User()).username == me.login:
                    return Refs(thread_id=row.id, comment_id=str(note.id))
        return None

    async def tidy(self, address: PullAddress) -> int:
        """Takes away drafts of ours that an earlier try left; those a person wrote under the same login stay."""
        return await self._drafting.drop(address, own_marker)


def _status_of(row: wire.FileDiff) -> str:
    words: Mapping[str, bool] = {"added": row.new_file, "removed": row.deleted_file, "renamed": row.renamed_file}
    return next((word for word, holds in words.items() if holds), "modified")
