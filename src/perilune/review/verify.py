"""Model verification: claims in batches, the code beside them, verdicts that must quote it. Fails closed."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from perilune.patches.finding import Finding, Severity, Verdict, Verification
from perilune.patches.model import Side
from perilune.patches.scene import FileText, normalise
from perilune.review.answer.parse import read_document
from perilune.review.answer.validate import severity_of, text_of
from perilune.review.plan.planner import VERIFY_BATCH
from perilune.review.prompt.escapes import one_line, visible
from perilune.review.prompt.layout import shorten
from perilune.review.prompt.secrets import Redactor

_AROUND = 40
_REASON = 300


class Batch(Struct, frozen=True):
    """Findings to be verified together, with the text of claims and code."""

    findings: tuple[Finding, ...]
    claims: str
    code: str


class Ruling(Struct, frozen=True):
    """What was said of one finding, and the severity that stands after it."""

    verification: Verification
    severity: Severity


def batches(findings: Sequence[Finding], texts: Mapping[str, FileText], *, redacts: bool) -> list[Batch]:
    """Findings in batches of at most 20, in the order given."""
    chunks = [findings[at : at + VERIFY_BATCH] for at in range(0, len(findings), VERIFY_BATCH)]
    return [Batch(tuple(chunk), _claims(chunk), _code(chunk, texts, redacts=redacts)) for chunk in chunks]


def _claims(findings: Sequence[Finding]) -> str:
    return "\n\n".join(_claim(number, finding) for number, finding in enumerate(findings, 1))


def _claim(number: int, finding: Finding) -> str:
    anchor = finding.anchor
    place = f"{one_line(anchor.path, 300)}:{anchor.start_line or '?'} ({anchor.side} side)"
    said = " ".join(
        filter(None, (finding.title + ".", finding.body, finding.trigger and f"Trigger: {finding.trigger}"))
    )
    quote = "\n".join(f"> {line}" for line in anchor.quote.split("\n"))
    return f"id: {claim_id(number)}\nplace: {place}\nseverity: {finding.severity}\n{quote}\nclaim: {visible_text(said)}"


def claim_id(number: int) -> str:
    return f"c{number}"


def visible_text(text: str) -> str:
    return "\n".join(visible(line) for line in text.split("\n"))


def _code(findings: Sequence[Finding], texts: Mapping[str, FileText], *, redacts: bool) -> str:
    """The code around the claims, file by file, each line once."""
    blocks: list[str] = []
    for path in sorted({finding.anchor.path for finding in findings}):
        text = texts.get(path)
        if text is None:
            continue
        mine = [finding for finding in findings if finding.anchor.path == path]
        rows = _new_rows(mine, text, redacts=redacts) + _old_rows(mine, text)
        blocks.append(f"## {one_line(path, 300)}\n" + "\n".join(rows))
    return "\n".join(blocks)


def _new_rows(findings: Sequence[Finding], text: FileText, *, redacts: bool) -> list[str]:
    wanted = {number for finding in findings for number in _near(finding)}
    if text.head is None:
        return [f"{place.number} {place.shown}" for place in text.new if place.number in wanted]
    numbers = sorted(number for number in wanted if 1 <= number <= len(text.head))
    shown, _ = Redactor(is_on=redacts).redact([text.head[number - 1] for number in numbers])
    return [f"{number} {shorten(visible(line))}" for number, line in zip(numbers, shown, strict=True)]


def _near(finding: Finding) -> range:
    start, end = finding.anchor.start_line or 1, finding.anchor.end_line or finding.anchor.start_line or 1
    return range(max(start - _AROUND, 1), end + _AROUND + 1)


def _old_rows(findings: Sequence[Finding], text: FileText) -> list[str]:
    """Removed lines, where a claim stands on the old side."""
    hunks = {finding.anchor.hunk_id for finding in findings if finding.anchor.side is Side.OLD}
    rows = [f"{place.number}-{place.shown}" for place in text.old if place.hunk_id in hunks and place.kind == "removed"]
    return ["removed:", *rows] if rows else []


def rulings(batch: Batch, answer: str | None) -> tuple[list[Ruling], bool]:
    """A ruling for each finding of a batch, and whether the answer could be read."""
    reading = read_document(answer, "verdicts") if answer is not None else None
    entries = {str(entry.get("id", "")).strip().lower(): entry for entry in reading.shape.findings} if reading else {}
    known = {normalise(_without_number(line)) for line in batch.code.split("\n")} - {""}
    found = [_ruling(finding, entries.get(claim_id(number)), known) for number, finding in enumerate(batch.findings, 1)]
    return found, reading is not None


def _without_number(row: str) -> str:
    bare = row.lstrip("0123456789")
    return bare[1:] if bare != row else row


def _ruling(finding: Finding, entry: Mapping[str, Any] | None, known: set[str]) -> Ruling:
    if entry is None:
        return Ruling(Verification(Verdict.ERROR, "model", "no readable verdict"), finding.severity)
    reason = text_of(entry.get("reason"), _REASON)
    verdict = _verdict(entry.get("verdict"))
    if verdict is None:
        return Ruling(Verification(Verdict.ERROR, "model", "no readable verdict"), finding.severity)
    if verdict is not Verdict.UNSURE and not _stands_in(entry.get("evidence_quote"), known):
        return Ruling(Verification(Verdict.UNSURE, "model", "its evidence is not in the shown code"), finding.severity)
    return Ruling(Verification(verdict, "model", reason), _severity(finding, severity_of(entry.get("severity"))))


def _verdict(value: Any) -> Verdict | None:
    match str(value or "").strip().lower():
        case "confirmed" | "confirm" | "valid" | "true":
            return Verdict.CONFIRMED
        case "refuted" | "refute" | "invalid" | "false":
            return Verdict.REFUTED
        case "unsure" | "uncertain" | "unknown":
            return Verdict.UNSURE
        case _:
            return None


def _stands_in(quote: Any, known: set[str]) -> bool:
    lines = [normalise(line) for line in str(quote or "").split("\n") if line.strip()]
    return bool(lines) and all(line in known or normalise(_without_number(line)) in known for line in lines)


def _severity(finding: Finding, said: Severity | None) -> Severity:
    """A verifier may lower a severity, or raise it by one step."""
    if said is None or said.rank >= finding.severity.rank:
        return said or finding.severity
    return list(Severity)[max(finding.severity.rank - 1, said.rank)]
