"""`perilune review --pr`: a pull request reviewed, and what was found put on its forge."""

from typing import TYPE_CHECKING, Protocol

from msgspec import structs

from perilune.faces.cli.review import Run, review_of

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from perilune.core.messages import Voice
    from perilune.faces.cli.session import Session
    from perilune.review.acquire.inputs import ReviewInput
    from perilune.review.result import Publication, ReviewResult


class PullUnderReview(Protocol):
    """A pull request as it was read, and the way back to it."""

    source: "ReviewInput"
    url: str

    async def publish(
        self, result: "ReviewResult", voice: "Voice", *, dry_run: bool = False
    ) -> "Publication | None": ...


class PullBench(Protocol):
    """What this command needs of the workbench."""

    def pull_review(self, url: str) -> "AbstractAsyncContextManager[PullUnderReview]": ...


async def reviewed_pull(session: "Session", url: str, run: Run) -> "ReviewResult":
    """The review of a pull request, published unless it is a preview or a dry run."""
    bench: PullBench = session.workbench
    async with bench.pull_review(url) as pull:
        source = structs.replace(pull.source, paths=run.paths)
        result = await review_of(session, source, run.flags, preview=run.preview, output=run.output, resume=run.resume)
        if run.preview:
            return result
        publication = await pull.publish(result, session.voice, dry_run=run.dry_run)
        if publication is None:
            return result
        session.note(_said(session, publication, pull.url))
        return structs.replace(result, publication=publication, errors=(*result.errors, *publication.errors))


def _said(session: "Session", publication: "Publication", url: str) -> str:
    """What was or would be published, in one line; where a credential is missing, that first."""
    say = session.voice.say
    facts = {"url": url, "inline": publication.inline, "demoted": publication.demoted, "carried": publication.carried}
    match publication.state:
        case "closed" | "superseded":
            return say(f"publish.{publication.state}", url=url)
        case "published":
            return say("publish.done", **facts)
        case "no_credential":
            host = url.partition("://")[2].partition("/")[0]
            return f"{say('publish.no_credential', host=host)}\n{say('publish.would', **facts)}"
        case "dry_run":
            return say("publish.would", **facts)
