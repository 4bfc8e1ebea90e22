"""Turns what models said into findings: placed, named by fingerprints, and those of the harness itself."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from msgspec import Struct, structs

from perilune.core.ids import uuid7
from perilune.patches.anchor import Rejected, anchor
from perilune.patches.finding import (
    Anchor,
    Candidate,
    Category,
    Evidence,
    Finding,
    Level,
    Method,
    Severity,
    Verdict,
    Verification,
)
from perilune.patches.fingerprint import identify, occurrence_of
from perilune.patches.model import Hunk, Side
from perilune.patches.scene import FileText, Scene, joined
from perilune.patches.symbols import definition_name, enclosing_symbol
from perilune.review.generate import Gathered, Said
from perilune.review.merge import Voiced
from perilune.review.prompt.layout import SecretFound
from perilune.review.prompt.system import GENERATE
from perilune.review.result import Dropped
from perilune.review.settings import PathRule, ReviewSettings

_ECHO = 40
_KIND_WORDS = {"pem": "private key", "jwt": "signed token", "password": "password"}


class Placed(Struct, frozen=True, kw_only=True):
    """Findings with a place, or with none that is proven, and those that were dropped at once."""

    voiced: tuple[Voiced, ...]
    dropped: tuple[Dropped, ...]
    texts: Mapping[str, FileText]


class Places:
    """The text of every unit of a run, together and apart."""

    def __init__(self, gathered: Gathered) -> None:
        self.texts: dict[str, FileText] = {}
        self._units: dict[str, Mapping[str, FileText]] = {}
        for unit, shown in gathered.shown.items():
            self._units[unit] = shown.texts
            for name, text in shown.texts.items():
                before = self.texts.get(name)
                self.texts[name] = text if before is None else joined(before, text)

    def place(self, candidate: Candidate, unit: str) -> Anchor | Rejected:
        """The place of a candidate: what its own unit showed counts before the rest."""
        return anchor(candidate, Scene({**self.texts, **self._units.get(unit, {})}))


def place_all(gathered: Gathered, settings: ReviewSettings, clock: Callable[[], datetime]) -> Placed:
    """Every candidate as a finding."""
    places = Places(gathered)
    voiced: list[Voiced] = []
    dropped: list[Dropped] = []
    for said in gathered.said:
        placed = places.place(said.candidate, said.unit)
        rejected = isinstance(placed, Rejected)
        where = Anchor(path=said.candidate.path, quote=said.candidate.quote) if isinstance(placed, Rejected) else placed
        finding = _finding(said, where, places.texts.get(where.path), clock())
        reason = "wrong_path" if rejected else _unwanted(finding, settings)
        if reason is not None:
            dropped.append(Dropped(reason, finding))
        else:
            voiced.append(Voiced(finding, said.vote))
    return Placed(voiced=tuple(voiced), dropped=tuple(dropped), texts=places.texts)


def without_a_place(findings: Sequence[Finding]) -> tuple[list[Finding], list[Dropped]]:
    """The findings whose quote is in the change, and apart from them those whose quote is nowhere in it."""
    kept, lost = [], []
    for finding in findings:
        if finding.anchor.method is Method.NONE and finding.anchor.level is Level.PR:
            lost.append(Dropped("unanchored", structs.replace(finding, drop_reason="unanchored")))
        else:
            kept.append(finding)
    return kept, lost


def _unwanted(finding: Finding, settings: ReviewSettings) -> str | None:
    rules = _rules_for(finding.anchor.path, settings.paths)
    ignored = {category for rule in rules for category in rule.ignore_categories}
    is_wanted = finding.category in settings.categories and finding.category not in ignored
    return None if is_wanted else "category"


def _rules_for(path: str, rules: Iterable[PathRule]) -> list[PathRule]:
    from perilune.review.globs import compile_glob

    return [rule for rule in rules if compile_glob(rule.match).fullmatch(path)]


def _finding(said: Said, where: Anchor, text: FileText | None, at: datetime) -> Finding:
    candidate, answer = said.candidate, said.answer
    symbol, occurrence = _surroundings(where, text)
    identity = identify(where.path, where.quote, symbol, occurrence, candidate.category)
    return Finding(
        id=str(uuid7(at)),
        unit_id=said.unit,
        model=answer.model,
        account=answer.account,
        plan=answer.plan,
        fingerprint=identity.fingerprint,
        fingerprint_code=identity.fingerprint_code,
        occurrence=identity.occurrence,
        symbol=identity.symbol,
        severity=candidate.severity,
        category=candidate.category,
        rule=candidate.rule,
        model_confidence=candidate.confidence,
        title=candidate.title,
        body=candidate.body,
        trigger=candidate.trigger,
        evidence=tuple(Evidence(path=entry.path or where.path, quote=entry.quote) for entry in candidate.evidence),
        anchor=where,
        proposal=candidate.proposal,
        verification=_echo(candidate) or Verification(),
    )


def _echo(candidate: Candidate) -> Verification | None:
    """A finding that repeats our own instructions is never put on a line."""
    text = f"{candidate.title}\n{candidate.body}\n{candidate.trigger}"
    if any(text[at : at + _ECHO] in GENERATE for at in range(max(len(text) - _ECHO + 1, 0))):
        return Verification(Verdict.UNSURE, "harness", "it repeats the instructions")
    return None


def _surroundings(where: Anchor, text: FileText | None) -> tuple[str, int]:
    """The symbol an anchor stands in, and which of equal lines in it the anchor is."""
    if text is None or where.start_line is None:
        return "", 0
    if where.side is Side.NEW and text.head is not None:
        symbol = enclosing_symbol(text.head, where.start_line)
        first, last = (symbol.start, symbol.end) if symbol else (1, len(text.head))
        lines = text.head[first - 1 : last]
        return symbol.name if symbol else "", occurrence_of(where.quote, where.start_line, lines, first)
    hunk = next((hunk for hunk in text.file.hunks if hunk.id == where.hunk_id), None)
    return _section_name(hunk), _occurrence_in(hunk, where)


def _section_name(hunk: Hunk | None) -> str:
    section = hunk.section.decode(errors="replace") if hunk is not None else ""
    return definition_name(section) or ""


def _occurrence_in(hunk: Hunk | None, where: Anchor) -> int:
    if hunk is None:
        return 0
    lines = hunk.side(where.side)
    first = lines[0].number(where.side) or 1 if lines else 1
    return occurrence_of(where.quote, where.start_line or 1, [line.text for line in lines], first)


def secret_findings(gathered: Gathered, clock: Callable[[], datetime], words: Callable[..., str]) -> list[Finding]:
    """A finding for each secret in an added line, without its value. `words` gives messages to the reader."""
    found: list[Finding] = []
    seen: set[tuple[str, int, str]] = set()
    for unit, shown in sorted(gathered.shown.items()):
        for secret in shown.secrets:
            key = (secret.path, secret.line, secret.kind)
            if key not in seen:
                seen.add(key)
                found.append(_secret_finding(secret, unit, shown.texts[secret.path], clock(), words))
    return found


def _secret_finding(secret: SecretFound, unit: str, text: FileText, at: datetime, words: Callable[..., str]) -> Finding:
    place = next(place for place in text.new if place.number == secret.line)
    where = Anchor(
        path=secret.path,
        start_line=secret.line,
        end_line=secret.line,
        hunk_id=secret.hunk_id,
        level=Level.LINE,
        method=Method.EXACT,
        quote=place.shown,
    )
    symbol, occurrence = _surroundings(where, text)
    identity = identify(secret.path, place.shown, symbol, occurrence, Category.SECURITY)
    return Finding(
        id=str(uuid7(at)),
        unit_id=unit,
        pass_name="harness",
        fingerprint=identity.fingerprint,
        fingerprint_code=identity.fingerprint_code,
        occurrence=identity.occurrence,
        symbol=identity.symbol,
        severity=Severity.CRITICAL,
        category=Category.SECURITY,
        model_confidence=95,
        title=words("review.secret_title", kind=_KIND_WORDS.get(secret.kind, "key")),
        body=words("review.secret_body"),
        anchor=where,
        verification=Verification(Verdict.CONFIRMED, "harness", "the shape of a credential"),
    )
