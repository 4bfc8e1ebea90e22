"""Where a finding may stand on a forge: held against our own diff before anything is sent."""

from perilune.forges.contract.port import Place, Side
from perilune.forges.contract.spec import ForgeSpec
from perilune.patches.finding import Finding, Level
from perilune.patches.model import Diff, File, Status
from perilune.patches.model import Side as DiffSide
from perilune.patches.spots import LineSpot, spots_of


def place_of(finding: Finding, diff: Diff, spec: ForgeSpec) -> Place | None:
    """The place of a finding in the diff; None where this forge would refuse it or show it nowhere."""
    anchor = finding.anchor
    file = diff.file(anchor.path)
    if file is None or anchor.level is Level.PR:
        return None
    if anchor.start_line is None or anchor.end_line is None:
        return _of(file, anchor.side) if spec.has_file_comments else None
    ends = spots_of(file, anchor.side, anchor.start_line, anchor.end_line)
    if ends is None:
        ends = _cut(file, anchor.side, anchor.start_line, anchor.end_line)
    if ends is None:
        return None
    whole = _of(file, anchor.side)
    return Place(
        path=whole.path, old_path=whole.old_path, side=whole.side, start=ends[0], end=ends[1],
        is_deleted=whole.is_deleted,
    )  # fmt: skip


def _of(file: File, side: DiffSide) -> Place:
    named: Side = "old" if side is DiffSide.OLD else "new"
    return Place(
        path=file.name, old_path=file.old_name, side=named, is_deleted=file.status is Status.DELETED
    )  # fmt: skip


def _cut(file: File, side: DiffSide, start: int, end: int) -> tuple[LineSpot, LineSpot] | None:
    """The part of a range that lies in the hunk of its first line."""
    for last in range(end - 1, start - 1, -1):
        found = spots_of(file, side, start, last)
        if found is not None:
            return found
    return None
