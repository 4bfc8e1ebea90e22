"""One run: every check looks; what can be repaired is, where that is asked for."""

from collections.abc import Iterator

from msgspec import Struct

from perilune.core.errors import PeriluneError
from perilune.faces.doctor.check import Check, Found, Status, of_problem
from perilune.faces.doctor.scan import all_checks
from perilune.faces.doctor.scene import Scene

Line = tuple[str, Found]


class CheckDocument(Struct, frozen=True, kw_only=True):
    """One line. `id` is the check's name; `subject` the account it is about, else None."""

    id: str
    subject: str | None
    status: Status
    detail: str
    code: str | None
    fix: list[str]
    fixable: bool


class DoctorDocument(Struct, frozen=True, kw_only=True):
    """`perilune.doctor.v1`. `done` is what `--fix` did."""

    schema: str = "perilune.doctor.v1"
    version: str
    python: str
    system: str
    checks: list[CheckDocument]
    done: list[str]


def look(scene: Scene) -> Iterator[Line]:
    """What every check finds, in order. A check that cannot look is a finding too."""
    for check in all_checks():
        for found in _findings(check, scene):
            yield check.name, found


def _findings(check: Check, scene: Scene) -> Iterator[Found]:
    try:
        yield from check.look(scene)
    except PeriluneError as error:
        yield of_problem(error.problem, scene.voice)
    except OSError as error:
        yield Found(
            status="fail",
            detail=scene.say("doctor.unseen", file=error.filename or "", reason=error.strerror or type(error).__name__),
        )


def repair(lines: list[Line]) -> Iterator[str]:
    """Put right what can be, and say what was done."""
    for _, found in lines:
        if found.repair is not None:
            found.repair.do()
            yield found.repair.told


def check_document(name: str, found: Found) -> CheckDocument:
    """One line as the document carries it."""
    return CheckDocument(
        id=name,
        subject=found.subject,
        status=found.status,
        detail=found.detail,
        code=found.code,
        fix=list(found.fix),
        fixable=found.repair is not None,
    )
