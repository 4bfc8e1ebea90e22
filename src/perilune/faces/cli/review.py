"""`perilune review`: a change reviewed on what is left."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import click

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from perilune.core.messages import Voice
    from perilune.faces.cli.session import Session
    from perilune.review.acquire.inputs import ReviewInput
    from perilune.review.result import ReviewResult
    from perilune.review.services import ReviewServices

FORMATS = ("text", "json", "jsonl", "markdown", "sarif", "rdjson", "gitlab", "github", "patch")
SEVERITIES = ("never", "critical", "high", "medium", "low", "nit")


class ReviewBench(Protocol):
    """What this command needs of the workbench."""

    def review_services(self, *, preview: bool) -> "AbstractAsyncContextManager[ReviewServices]":
        """What a review works with, closed at its end. For a preview nothing is opened that could ask a model."""
        ...


@click.command("review", help="Review a change, planned against what is left.")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("--staged", is_flag=True)
@click.option("--range", "range_", metavar="A..B")
@click.option("--commit", metavar="C")
@click.option("--diff", metavar="FILE|-")
@click.option("--pr", metavar="URL")
@click.option("--format", "output", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option("--json", "as_json", is_flag=True)
@click.option("--fail-on", type=click.Choice(SEVERITIES))
@click.option("--severity", type=click.Choice(SEVERITIES[1:]))
@click.option("--effort", type=click.Choice(("low", "medium", "high")))
@click.option("--preview", is_flag=True)
@click.option("--dry-run", is_flag=True)
@click.option("--resume", is_flag=True)
@click.option("--only", multiple=True, metavar="ID")
@click.pass_obj
def command(session: "Session", /, paths: tuple[str, ...], **options: Any) -> int:
    """Prints the plan, reviews, prints what was found; the exit status says what it came to."""
    output = "json" if options["as_json"] else options["output"]
    session.wants_json = output == "json"
    source = _source(paths, options, session)
    if options["only"] and output != "patch":
        raise _only_for_patches()
    if options["resume"] and options["preview"]:
        raise _not_together("--resume, --preview")
    flags = {key: options[key] for key in ("fail_on", "severity", "effort") if options[key] is not None}
    if options["pr"] is not None:
        from perilune.faces.cli.review_pull import reviewed_pull

        run = Run(
            flags=flags, paths=paths, preview=options["preview"], dry_run=options["dry_run"], output=output,
            resume=options["resume"],
        )  # fmt: skip
        working = reviewed_pull(session, options["pr"], run)
    else:
        how = {"preview": options["preview"], "output": output, "resume": options["resume"]}
        working = review_of(session, source, flags, **how)
    try:
        result = asyncio.run(working)
    except KeyboardInterrupt:
        if not options["preview"]:
            session.note(session.voice.say("review.interrupted"))
        raise
    _print(session, result, output, options["only"])
    return _status(session, result)


class Run(NamedTuple):
    """How a review of a pull request is run."""

    flags: dict[str, Any]
    paths: tuple[str, ...]
    preview: bool
    dry_run: bool
    output: str
    resume: bool = False


def _only_for_patches() -> Exception:
    from perilune.core.errors import UsageError

    return UsageError.of("PL-USAGE", variant="only_patch")


def _not_together(options: str) -> Exception:
    from perilune.core.errors import UsageError

    return UsageError.of("PL-USAGE", variant="together", options=options)


def _source(paths: tuple[str, ...], options: dict[str, Any], session: "Session") -> "ReviewInput":
    """The input that the options name; the working tree without any.

    Raises: UsageError for two at once.
    """
    from perilune.review.acquire.inputs import InputKind, ReviewInput

    chosen = [name for name in ("staged", "range_", "commit", "diff", "pr") if options[name]]
    if len(chosen) > 1:
        raise _not_together(", ".join("--" + name.rstrip("_") for name in chosen))
    directory = str(Path.cwd())
    match chosen[:1]:
        case ["staged"]:
            return ReviewInput(kind=InputKind.STAGED, directory=directory, paths=paths)
        case ["range_"]:
            return ReviewInput(kind=InputKind.RANGE, directory=directory, name=options["range_"], paths=paths)
        case ["commit"]:
            return ReviewInput(kind=InputKind.COMMIT, directory=directory, name=options["commit"], paths=paths)
        case ["diff"]:
            patch = _patch(options["diff"], session)
            return ReviewInput(kind=InputKind.DIFF, directory=directory, patch=patch, paths=paths)
        case _:
            return ReviewInput(kind=InputKind.WORKTREE, directory=directory, paths=paths)


def _patch(name: str, session: "Session") -> bytes:
    from perilune.core.errors import ReviewError

    if name == "-":
        stream = getattr(session.stdin, "buffer", None)
        return stream.read() if stream is not None else session.stdin.read().encode()
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise ReviewError.of("PL-REVIEW-DIFF", variant="file", path=name) from error


async def review_of(
    session: "Session",
    source: "ReviewInput",
    flags: dict[str, Any],
    *,
    preview: bool,
    output: str,
    resume: bool = False,
) -> "ReviewResult":
    from msgspec import structs

    from perilune.review.run import Reviewer, ReviewOptions

    bench: ReviewBench = session.workbench
    options = ReviewOptions(preview=preview, flags=flags, language=session.language, resume=resume)
    async with bench.review_services(preview=preview) as services:
        telling = structs.replace(services, planned=_teller(session, output))
        return await Reviewer(telling).review(source, options)


def _teller(session: "Session", output: str) -> Any:
    """Says the plan before the first request, beside the answer."""

    def tell(result: "ReviewResult") -> None:
        from perilune.review.outputs.text import opening

        if output == "text":
            session.note("\n".join(opening(result, session.voice)))

    return tell


def _print(session: "Session", result: "ReviewResult", output: str, only: tuple[str, ...]) -> None:
    from perilune.review.outputs.text import preview, text

    if output == "patch":
        _patches(session, result, only)
    elif output != "text":
        _machine(session, result, output)
    elif result.is_preview:
        session.answer(preview(result, session.voice))
    elif result.status in ("complete", "partial"):
        out = session.out
        quotes = bool(session.flags.verbose)
        session.answer(text(result, session.voice, min(out.columns, 100), out.paint, quotes=quotes))


def _machine(session: "Session", result: "ReviewResult", output: str) -> None:
    match output:
        case "json":
            from perilune.review.outputs.document import review_document

            session.document(review_document(result, session.voice))
        case "sarif":
            from perilune.review.outputs.sarif import sarif

            session.document(sarif(result))
        case "rdjson":
            from perilune.review.outputs.rdjson import rdjson

            session.document(rdjson(result))
        case "gitlab":
            from perilune.review.outputs.code_quality import code_quality

            session.document(code_quality(result))
        case _:
            session.machine_text(_lines(result, output, session.voice))


def _patches(session: "Session", result: "ReviewResult", only: tuple[str, ...]) -> None:
    """The suggestions as a patch; what it leaves out is named beside it."""
    from perilune.review.outputs.patch import patch_output
    from perilune.review.outputs.wording import place

    made = patch_output(result, only)
    session.machine_text(made.text)
    for finding in made.left_out:
        session.note(session.voice.say("publish.left_out", place=place(finding.anchor), title=finding.title))


def _lines(result: "ReviewResult", output: str, voice: "Voice") -> str:
    if output == "jsonl":
        from perilune.review.outputs.jsonl import jsonl

        return jsonl(result, voice)
    if output == "markdown":
        from perilune.review.outputs.markdown import markdown

        return markdown(result, voice)
    from perilune.review.outputs.workflow import workflow_commands

    return workflow_commands(result)


def _status(session: "Session", result: "ReviewResult") -> int:
    """Says what stopped or narrowed the review, and gives the exit status."""
    from perilune.review.exits import exit_code

    status = exit_code(result)
    session.out.has_written = session.out.has_written or session.has_machine_text
    for problem in result.errors:
        if problem.exit_code and status == problem.exit_code:
            session.fail(problem)
        else:
            session.warn(problem)
    return status
