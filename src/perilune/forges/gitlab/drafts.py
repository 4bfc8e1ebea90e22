"""Draft notes: made one by one where nobody sees them, published together; discussions where a server has no drafts."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from perilune.forges.contract.client import ForgeClient, words_of
from perilune.forges.contract.port import Post, Posted, PullAddress, PullRequest, Refs, Rejected
from perilune.forges.gitlab import wire
from perilune.forges.gitlab.places import position, without_range
from perilune.net.control import ControlAnswer

_MARK = "<!-- perilune:"
_LONGEST_BUILD_S = 300.0
_MOST_STEP_S = 30.0
_NOT_BUILT = ("is incomplete", "doesn't support new-style diff notes")


def own_marker(note: str) -> bool:
    """Whether a note was written by this program."""
    return _MARK in note


class _Unavailable(Exception):  # noqa: N818 - this server has no draft notes, which is no fault
    """Draft notes cannot be used here."""


class Drafting:
    """Comments on lines of one GitLab."""

    def __init__(self, client: ForgeClient) -> None:
        self._client = client
        self._has_drafts = True

    async def review(self, pull: PullRequest, posts: tuple[Post, ...], marker: str) -> Posted | Rejected:
        """All posts published in one go, those refused named; Rejected where the diffs never came."""
        version = await self._version(pull)
        if version is None:
            return Rejected("the diffs of this push are not built")
        marked = [_marked(post, marker) for post in posts]
        if self._has_drafts:
            try:
                return await self._by_drafts(pull, marked, version)
            except _Unavailable:
                self._has_drafts = False
        return await self._by_discussions(pull, marked, version)

    async def _by_drafts(self, pull: PullRequest, posts: list[Post], version: wire.Version) -> Posted:
        path = f"{path_of(pull.address)}/draft_notes"
        refused: list[tuple[str, str]] = []
        for post in posts:
            answer = await self._placed(pull, path, "note", post, version)
            if answer.status in (403, 404):
                raise _Unavailable
            if answer.status >= 400:
                refused.append((post.id, words_of(answer)))
        if len(refused) < len(posts):
            published = await self._client.write("POST", f"{path}/bulk_publish")
            if published.status >= 400:
                raise self._client.refused(published)
        return Posted(refused=tuple(refused))

    async def _by_discussions(self, pull: PullRequest, posts: list[Post], version: wire.Version) -> Posted:
        path = f"{path_of(pull.address)}/discussions"
        refused: list[tuple[str, str]] = []
        for post in posts:
            answer = await self._placed(pull, path, "body", post, version)
            if answer.status == 403:
                raise self._client.refused(answer)
            if answer.status >= 400:
                refused.append((post.id, words_of(answer)))
        return Posted(refused=tuple(refused))

    async def discuss(self, pull: PullRequest, post: Post) -> Posted | Rejected:
        """One comment, seen at once."""
        version = await self._version(pull)
        if version is None:
            return Rejected("the diffs of this push are not built")
        answer = await self._placed(pull, f"{path_of(pull.address)}/discussions", "body", post, version)
        if answer.status == 400:
            return Rejected(words_of(answer))
        made = self._client.decoded(answer, wire.Discussion)
        return Posted(refs=Refs(thread_id=made.id, comment_id=str(made.notes[0].id) if made.notes else None))

    async def _placed(
        self, pull: PullRequest, path: str, field: str, post: Post, version: wire.Version
    ) -> ControlAnswer:
        """A comment on its range, on its last line where that is refused; once more where the diff was not there."""
        place = position(post.place, version)
        answer = await self._client.write("POST", path, {field: post.body, "position": place})
        if answer.status == 400 and _is_unbuilt(answer):
            newer = await self._version(pull, is_sure=False)
            if newer is not None:
                place = position(post.place, newer)
                answer = await self._client.write("POST", path, {field: post.body, "position": place})
        if answer.status == 400 and "line_range" in place:
            alone: dict[str, Any] = {field: post.body, "position": without_range(place)}
            answer = await self._client.write("POST", path, alone)
        return answer

    async def _version(self, pull: PullRequest, *, is_sure: bool = True) -> wire.Version | None:
        """The version of the head that was reviewed, once it is collected; None after five minutes of asking."""
        waited, step = 0.0, 1.0
        if not is_sure:
            await self._client.means.pause(step)
        while True:
            rows = await self._client.all_pages(f"{path_of(pull.address)}/versions", wire.Version)
            found = next((row for row in rows if row.head_commit_sha == pull.head_sha), None)
            if found is not None and found.state == "collected":
                return found
            if waited >= _LONGEST_BUILD_S:
                return None
            await self._client.means.pause(step)
            waited, step = waited + step, min(step * 2, _MOST_STEP_S)

    async def drop(self, address: PullAddress, is_ours: Callable[[str], bool]) -> int:
        """Deletes drafts that were left."""
        path = f"{path_of(address)}/draft_notes"
        first = await self._client.read(path)
        if first.status in (403, 404):
            self._has_drafts = False
            return 0
        left = [draft for draft in await self._client.all_pages(path, wire.Draft) if is_ours(draft.note)]
        for draft in left:
            await self._client.write("DELETE", f"{path}/{draft.id}")
        return len(left)


def _marked(post: Post, marker: str) -> Post:
    return Post(id=post.id, place=post.place, body=f"{post.body}\n{marker}")


def _is_unbuilt(answer: ControlAnswer) -> bool:
    words = words_of(answer)
    return any(phrase in words for phrase in _NOT_BUILT)


def path_of(address: PullAddress) -> str:
    """The merge request below the API."""
    return f"/projects/{quote(address.repository, safe='')}/merge_requests/{address.number}"
