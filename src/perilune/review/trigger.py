"""What an event of a forge leads to: a job, an end of jobs, or nothing, with the reason. Pure."""

from typing import Literal

from msgspec import Struct

from perilune.forges.contract.hooks import HookComment, HookEvent
from perilune.forges.contract.port import Person, PullRequest
from perilune.review.commands import Command, parse_command
from perilune.review.globs import compile_glob
from perilune.review.settings import ReviewSettings

REVIEW, COMMAND, LEARN = "review", "command", "learn"
SKIP_LABEL, REVIEW_LABEL = "perilune:skip", "perilune:review"
_MARK = "<!-- perilune:"
_OPENING = frozenset({"opened", "open", "reopened", "reopen", "ready_for_review"})
_JobKind = Literal["review", "command", "learn"]


class Where(Struct, frozen=True, kw_only=True):
    """Where a pull request is: kind of forge, its host, repository and number."""

    forge: str
    host: str
    repository: str
    number: int

    @property
    def subject(self) -> str:
        """What has one running review at most."""
        return f"{self.forge}/{self.host}/{self.repository}/{self.number}"


class PullJob(Struct, frozen=True, kw_only=True):
    """What a worker is given. All but the place is a hint: the pull request is read again."""

    where: Where
    action: str = ""
    head: str | None = None
    base_ref: str = ""
    sender: Person = Person(login="")
    comment: HookComment | None = None
    command: Command | None = None


class Trigger(Struct, frozen=True, kw_only=True):
    """A job to be queued. The key is the same for the same head and base, or for the same comment."""

    kind: _JobKind
    key: str
    job: PullJob
    settle_s: int = 0


class Cancel(Struct, frozen=True):
    """The reviews of a pull request are to end."""

    where: Where
    reason: str


class Ignored(Struct, frozen=True):
    """Nothing is to be done."""

    reason: str


def decide(event: HookEvent, forge: str, host: str, settings: ReviewSettings) -> Trigger | Cancel | Ignored:
    """What an event leads to under the operator's settings."""
    where = Where(forge=forge, host=host, repository=event.repository, number=event.number)
    if event.kind == "other" or not event.repository or event.number <= 0:
        return Ignored("event")
    if event.kind == "cancel":
        return Cancel(where, "draft" if event.state == "open" else "closed")
    job = PullJob(
        where=where, action=event.action, head=event.head, base_ref=event.base_ref, sender=event.sender,
        comment=event.comment,
    )  # fmt: skip
    match event.kind:
        case "command":
            return _command(event, job, settings)
        case "learn":
            key = f"{where.subject}/learn/{event.action}/{event.head or ''}"
            return Trigger(kind="learn", key=key, job=job)
        case "run":
            return _run(event, job, settings)


def _run(event: HookEvent, job: PullJob, settings: ReviewSettings) -> Trigger | Ignored:
    reason = why_not(
        settings, state=event.state, is_draft=event.is_draft, is_fork=event.is_fork, author=event.author,
        title=event.title, base_ref=event.base_ref, labels=event.labels,
    )  # fmt: skip
    is_asked = REVIEW_LABEL in event.labels and event.action == "labeled"
    reason = reason or (None if is_asked else _by_cadence(event, settings))
    if reason is not None:
        return Ignored(reason)
    key = f"{job.where.subject}/{event.head or 'head'}/{event.base_ref}"
    return Trigger(kind="review", key=key, job=job, settle_s=settings.settle_s)


def _by_cadence(event: HookEvent, settings: ReviewSettings) -> str | None:
    if settings.on_push == "manual":
        return "manual"
    return "push" if settings.on_push == "first" and event.action not in _OPENING else None


def why_not(
    settings: ReviewSettings,
    *,
    state: str,
    is_draft: bool,
    is_fork: bool,
    author: Person,
    title: str,
    base_ref: str,
    labels: tuple[str, ...],
) -> str | None:
    """Why a pull request is not reviewed by itself; None where it is."""
    reasons = {
        "disabled": not settings.enabled,
        "closed": state != "open",
        "label": SKIP_LABEL in labels,
        "draft": is_draft and not settings.drafts,
        "fork": is_fork and settings.forks == "off",
        "bot": author.is_bot and settings.bots == "off",
        "author": author.login in settings.ignore_authors,
        "title": any(words and words.lower() in title.lower() for words in settings.ignore_titles),
        "branch": not is_wanted_branch(base_ref, settings.base_branches),
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def why_not_pull(settings: ReviewSettings, pull: PullRequest) -> str | None:
    """The same for a pull request as it was read."""
    return why_not(
        settings, state=pull.state, is_draft=pull.is_draft, is_fork=pull.is_fork, author=pull.author,
        title=pull.title, base_ref=pull.base_ref, labels=pull.labels,
    )  # fmt: skip


def is_wanted_branch(name: str, patterns: tuple[str, ...]) -> bool:
    """Whether a target branch is among those that are reviewed; no pattern means all, the last that matches counts."""
    wanted = not any(not pattern.startswith("!") for pattern in patterns)
    for pattern in patterns:
        if compile_glob(pattern.removeprefix("!")).fullmatch(name):
            wanted = not pattern.startswith("!")
    return wanted


def _command(event: HookEvent, job: PullJob, settings: ReviewSettings) -> Trigger | Ignored:
    """A command by anybody but us and other bots; whether they may give it is asked when the job runs."""
    comment = event.comment
    if comment is None or _MARK in comment.body or comment.author.is_bot or event.sender.is_bot:
        return Ignored("bot")
    if comment.author.login in settings.ignore_authors:
        return Ignored("author")
    command = parse_command(comment.body, settings.bot_name)
    if command is None:
        return Ignored("comment")
    told = PullJob(
        where=job.where, action=job.action, head=job.head, base_ref=job.base_ref, sender=job.sender, comment=comment,
        command=command,
    )  # fmt: skip
    return Trigger(kind="command", key=f"{job.where.subject}/comment-{comment.id}/{event.base_ref}", job=told)
