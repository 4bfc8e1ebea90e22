"""Stage 11: refuters first, then the model in batches; what could not be verified is never put on a line."""

import re
from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct, structs

from perilune.core.errors import Problem
from perilune.patches.finding import Finding, Level, Verdict, Verification
from perilune.patches.scene import FileText
from perilune.review.acquire.git import Git, GitFailedError
from perilune.review.ask import Desk, Question, problem_of
from perilune.review.plan.planner import OUTPUT_LIMITS
from perilune.review.ports import ModelAnswer, ModelRequest, Thinking
from perilune.review.prompt.build import Setting, Shown, verify_prompt
from perilune.review.prompt.system import VERDICTS_SCHEMA
from perilune.review.refute import Around, refutation
from perilune.review.result import Dropped
from perilune.review.verify import Batch, batches, rulings


class Verified(Struct, frozen=True, kw_only=True):
    """Findings with their verdicts, and those that were refuted."""

    findings: tuple[Finding, ...]
    dropped: tuple[Dropped, ...]
    problems: tuple[Problem, ...] = ()


class Means(Struct, frozen=True, kw_only=True):
    """What verification works with. `asks_model` is false at low effort."""

    desk: Desk
    setting: Setting
    texts: Mapping[str, FileText]
    shown: Mapping[str, Shown]
    defined_at_head: Callable[[str], bool]
    run: str
    route: str
    thinking: Thinking
    thinks: bool
    asks_model: bool


async def verify(findings: Sequence[Finding], means: Means) -> Verified:
    """Every finding refuted, confirmed, or left unsure with the reason."""
    kept: list[Finding] = []
    dropped: list[Dropped] = []
    for finding in findings:
        reason = _refuted(finding, means)
        if reason is not None:
            verdict = Verification(Verdict.REFUTED, "harness", reason)
            dropped.append(Dropped("refuted", structs.replace(finding, verification=verdict, drop_reason="refuted")))
        else:
            kept.append(finding)
    asked = [finding for finding in kept if _needs_a_verdict(finding)] if means.asks_model else []
    ruled, problems = await _ask(asked, means)
    settled = [ruled.get(finding.id, finding) for finding in kept]
    refuted = [finding for finding in settled if finding.verification.state is Verdict.REFUTED]
    dropped += [Dropped("refuted", structs.replace(finding, drop_reason="refuted")) for finding in refuted]
    return Verified(
        findings=tuple(finding for finding in settled if finding.verification.state is not Verdict.REFUTED),
        dropped=tuple(dropped),
        problems=problems,
    )


def _refuted(finding: Finding, means: Means) -> str | None:
    if finding.pass_name == "harness" or finding.anchor.path not in means.texts:
        return None
    shown = means.shown.get(finding.unit_id)
    names = tuple(shown.texts) if shown is not None else tuple(means.texts)
    if finding.anchor.method == "relocated":
        names = tuple(means.texts)  # the place was proven elsewhere than where the model put it
    return refutation(finding, Around(means.texts[finding.anchor.path].head, names, means.defined_at_head))


def _needs_a_verdict(finding: Finding) -> bool:
    return finding.verification.state is Verdict.SKIPPED and finding.anchor.level is not Level.PR


async def _ask(findings: Sequence[Finding], means: Means) -> tuple[dict[str, Finding], tuple[Problem, ...]]:
    grouped = batches(findings, means.texts, redacts=means.setting.redacts)
    outcomes = await means.desk.ask_all([_question(batch, number, means) for number, batch in enumerate(grouped, 1)])
    ruled: dict[str, Finding] = {}
    problems: list[Problem] = []
    for batch, outcome in zip(grouped, outcomes, strict=True):
        text = outcome.text if isinstance(outcome, ModelAnswer) else None
        found, is_readable = rulings(batch, text)
        if text is not None and not is_readable:
            problems.append(Problem(code="PL-REVIEW-MALFORMED", variant="verify", facts={"count": len(batch.findings)}))
        problem = problem_of(outcome)
        problems += [problem] if problem is not None else []
        for finding, ruling in zip(batch.findings, found, strict=True):
            verdict = (
                ruling.verification if text is not None else Verification(Verdict.ERROR, "harness", "not verified")
            )
            ruled[finding.id] = structs.replace(finding, verification=verdict, severity=ruling.severity)
    return ruled, tuple(problems)


def _question(batch: Batch, number: int, means: Means) -> Question:
    prompt = verify_prompt(batch.claims, batch.code, means.setting)
    request = ModelRequest(
        system=prompt.system,
        user=prompt.user,
        max_output_tokens=OUTPUT_LIMITS["verify"][means.thinks],
        thinking=means.thinking,
        schema=VERDICTS_SCHEMA,
        schema_name="verdicts",
        route=means.route,
        run=means.run,
        unit=f"verify-{number}",
        pass_name="verify",
    )
    return Question(prompt.key, request)


def definitions_of(git: Git | None, tree: str | None) -> Callable[[str], bool]:
    """Says whether a name is defined anywhere in a tree; False where that cannot be searched."""
    if git is None or tree is None:
        return lambda _name: False
    return lambda name: _is_defined(git, tree, name)


def _is_defined(git: Git, tree: str, name: str) -> bool:
    if re.fullmatch(r"\w{3,80}", name) is None:
        return False
    words = "def|class|func|function|fn|const|let|var|type|struct|interface|enum|#define"
    pattern = rf"({words})[[:space:]]+{name}([^A-Za-z0-9_]|$)"
    try:
        return bool(git.run("grep", "-l", "-I", "-E", "--max-count=1", "-e", pattern, tree, accept=(0, 1)))
    except GitFailedError:
        return False
