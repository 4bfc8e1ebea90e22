"""Our own threads on a pull request as earlier findings, so that even a lost database posts nothing twice."""

from collections.abc import Iterator, Sequence

from perilune.forges.contract.port import Person, Thread
from perilune.patches.finding import Finding, State
from perilune.patches.heads import AcrossHeads, Earlier, Now, Read, across_heads
from perilune.patches.model import Diff, Side
from perilune.review.publish.markers import ANY, read_finding


def earlier_of(threads: Sequence[Thread], me: Person) -> Iterator[Earlier]:
    """The findings that our own threads stand for. A mark in anybody else's comment is nothing."""
    for thread in threads:
        first = thread.remarks[0] if thread.remarks else None
        if first is None or not is_own(first.author, me):
            continue
        mark = read_finding(first.body)
        if mark is None:
            continue
        yield Earlier(
            key=thread.id, fingerprint=mark.fingerprint, fingerprint_code=mark.fingerprint_code, path=thread.path,
            side=Side.OLD if thread.side == "old" else Side.NEW, words=_words(first.body),
            state=_state(thread, me),
            has_human_reply=has_human_reply(thread, me), is_resolved=thread.is_resolved, is_known=False,
        )  # fmt: skip


def _state(thread: Thread, me: Person) -> State:
    if was_dismissed(thread, me):
        return State.DISMISSED
    return State.FIXED if thread.is_resolved else State.POSTED


def is_own(author: Person, me: Person) -> bool:
    """Whether a comment is ours."""
    return author.is_same(me)


def has_human_reply(thread: Thread, me: Person) -> bool:
    """Whether somebody answered in it."""
    return any(not is_own(remark.author, me) and not remark.author.is_bot for remark in thread.remarks[1:])


def was_dismissed(thread: Thread, me: Person) -> bool:
    """Whether somebody else resolved it, or put a thumb down."""
    resolver = Person(login=thread.resolved_by or "")
    by_other = thread.is_resolved and bool(resolver.login) and not resolver.is_same(me)
    thumbs = [word for login, word in thread.remarks[0].reactions if not Person(login=login).is_same(me)]
    return by_other or any(word in ("-1", "THUMBS_DOWN", "thumbsdown") for word in thumbs)


def may_resolve(thread: Thread, me: Person) -> bool:
    """Whether we may resolve it: ours, marked, open, and nobody has answered."""
    first = thread.remarks[0] if thread.remarks else None
    is_ours = first is not None and is_own(first.author, me) and ANY in first.body
    return is_ours and not thread.is_resolved and not has_human_reply(thread, me)


def against_live(findings: Sequence[Finding], threads: Sequence[Thread], me: Person, diff: Diff) -> AcrossHeads:
    """This head's findings against what stands on the pull request."""
    names = {file.name: (file.old_name,) for file in diff.files if file.old_name != file.name}
    now = Now(names=names, read=lambda path: Read.NOT_WHOLE, stands=lambda path, side, text: None)
    return across_heads(findings, list(earlier_of(threads, me)), now)


def _words(body: str) -> str:
    """The title as it was posted: the bold part of the first line that has one."""
    line = next((line for line in body.split("\n") if line.startswith("**")), "")
    return line.rpartition("· **")[2].removesuffix("**")
