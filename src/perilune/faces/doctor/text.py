"""The doctor's list as text."""

from collections.abc import Iterator

from perilune.core.messages import Voice
from perilune.core.width import pad, width, wrap
from perilune.faces.cli.output import Output
from perilune.faces.doctor.check import Found

_TEXT_COLUMN = 18
_GLYPHS = {"ok": ("✓", "ok"), "warn": ("!", "high"), "fail": ("✗", "error")}
_WIDEST = 80


def finding_lines(name: str, found: Found, voice: Voice, out: Output) -> Iterator[str]:
    """`  ✓ clock         within 1 s …`, with what to do below."""
    glyph, hue = _GLYPHS[found.status]
    columns = min(out.columns, _WIDEST)
    code = f"{found.code}: " if found.code else ""
    first, *more = wrap(f"{code}{found.detail}", columns - _TEXT_COLUMN) or [""]
    subject = found.subject or name
    mark = out.shown(glyph)
    label = pad(subject, _TEXT_COLUMN - 3 - width(mark))
    space = "" if width(subject) < _TEXT_COLUMN - 3 - width(mark) else " "
    yield f"  {out.paint(glyph, hue)} {label}{space}{first}".rstrip()
    yield from (" " * _TEXT_COLUMN + line for line in more)
    if found.status != "ok":
        yield from _fixes(found, voice, columns)


def _fixes(found: Found, voice: Voice, columns: int) -> Iterator[str]:
    start = voice.say("doctor.fix")
    indent = _TEXT_COLUMN + width(start)
    for number, fix in enumerate(found.fix):
        ends = voice.say("doctor.or") if number < len(found.fix) - 1 else ""
        first, *more = wrap(f"{fix}{ends}", columns - indent)
        yield (" " * _TEXT_COLUMN + start if number == 0 else " " * indent) + first
        yield from (" " * indent + line for line in more)


def summary(findings: list[Found], voice: Voice) -> str:
    """`1 problem, 2 warnings, 1 can be fixed automatically.`"""
    problems = sum(found.status == "fail" for found in findings)
    warnings = sum(found.status == "warn" for found in findings)
    fixable = sum(found.repair is not None for found in findings)
    if not problems and not warnings:
        return voice.say("doctor.sum.none")
    parts = [_counted("problem", problems, voice), _counted("warning", warnings, voice)]
    if fixable:
        parts.append(_counted("fixable", fixable, voice))
    return voice.say("doctor.sum", parts=voice.say("doctor.comma").join(parts))


def _counted(what: str, count: int, voice: Voice) -> str:
    return voice.say(f"doctor.sum.{what}.one" if count == 1 else f"doctor.sum.{what}", count=count)
