"""Fits the indentation of a replacement to the lines it replaces."""

from collections.abc import Sequence
from itertools import pairwise

from perilune.patches.scene import normalise


def fit_indent(old: Sequence[str], new: Sequence[str], head: Sequence[str]) -> list[str] | None:
    """The new lines at the old depth, in the file's tabs or spaces; None where more than the base is off."""
    if not any(line.strip() for line in new):
        return []
    converted = _in_style(new, _style(old, head))
    own, wanted = _base(converted), _base(old)
    if own == wanted or wanted is None or own is None:
        return converted if _keeps_depths(old, converted) else None
    shifted = [wanted + line.removeprefix(own) if line.strip() else line for line in converted]
    starts_right = _lead(shifted[0]) == _lead(old[0]) and _has_even_steps(shifted, head)
    return shifted if starts_right and _keeps_depths(old, shifted) else None


def _style(old: Sequence[str], head: Sequence[str]) -> str | None:
    """The character the file indents with: a tab, a blank, or None where it does not indent."""
    for lines in (old, head):
        tabs = sum(1 for line in lines if line.startswith("\t"))
        blanks = sum(1 for line in lines if line.startswith("  "))
        if tabs or blanks:
            return "\t" if tabs > blanks else " "
    return None


def _in_style(lines: Sequence[str], style: str | None) -> list[str]:
    if style == "\t":
        width = _unit(lines)
        return [_tabbed(line, width) for line in lines]
    if style == " ":
        return [_lead(line).expandtabs(4) + line.lstrip(" \t") for line in lines]
    return list(lines)


def _unit(lines: Sequence[str]) -> int:
    """How many blanks the replacement means by one step."""
    depths = sorted({len(_lead(line)) for line in lines if line.startswith(" ") and line.strip()})
    steps = [depth - before for before, depth in zip([0, *depths], depths, strict=False) if depth > before]
    return min(steps, default=4)


def _tabbed(line: str, width: int) -> str:
    lead = _lead(line)
    blanks = lead.count(" ")
    return "\t" * (lead.count("\t") + blanks // width) + " " * (blanks % width) + line.lstrip(" \t")


def _base(lines: Sequence[str]) -> str | None:
    leads = [_lead(line) for line in lines if line.strip()]
    shortest = min(leads, key=len, default=None)
    if shortest is None or not all(lead.startswith(shortest) for lead in leads):
        return None
    return shortest


def _keeps_depths(old: Sequence[str], new: Sequence[str]) -> bool:
    """Whether lines that stay keep their depth, but for a block that was put around them or taken away."""
    old_depths: dict[str, set[int]] = {}
    for line in old:
        old_depths.setdefault(normalise(line), set()).add(_depth(line))
    fresh = {normalise(line) for line in new}
    was_unwrapped = any(_opens(line) and normalise(line) not in fresh for line in old)
    is_wrapped = False
    for line in filter(str.strip, new):
        depths = old_depths.get(normalise(line))
        if depths is None:
            is_wrapped = is_wrapped or _opens(line)
        elif (_depth(line) > max(depths) and not is_wrapped) or (_depth(line) < min(depths) and not was_unwrapped):
            return False
    return True


def _opens(line: str) -> bool:
    return line.rstrip().endswith((":", "{", "(", "[", "then", "do", "=>"))


def _has_even_steps(lines: Sequence[str], head: Sequence[str]) -> bool:
    """Whether no line is deeper than the one before it by more than one step of the file."""
    depths = [_depth(line) for line in lines if line.strip()]
    step = min((_depth(line) for line in head if _depth(line)), default=8)
    return all(after - before <= step for before, after in pairwise(depths))


def _depth(line: str) -> int:
    return len(_lead(line).expandtabs(8))


def _lead(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t"))]
