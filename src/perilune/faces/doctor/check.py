"""A check is a value: its name, its place in the list, and how it looks. What it finds are values too."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal

from msgspec import Struct

from perilune.core.errors import Problem
from perilune.core.messages import Voice
from perilune.faces.doctor.scene import Scene

Status = Literal["ok", "warn", "fail"]


class Repair(Struct, frozen=True):
    """Something reversible that puts a finding right. `told` says what was done, in the reader's words."""

    told: str
    do: Callable[[], object]


class Found(Struct, frozen=True, kw_only=True):
    """One line of the list.

    Shape: `subject` is what stands in front where it is not the check's own name: an account. `detail` is in the
    reader's words; `fix` lines are runnable or addresses, the free remedy first.
    """

    status: Status
    detail: str
    subject: str | None = None
    code: str | None = None
    fix: tuple[str, ...] = ()
    repair: Repair | None = None


class Check(Struct, frozen=True, kw_only=True):
    """One thing that is looked at. Lower places come first."""

    name: str
    place: int
    look: Callable[[Scene], Iterable[Found]]


def of_problem(
    problem: Problem,
    voice: Voice,
    status: Status = "fail",
    *,
    subject: str | None = None,
    repair: Repair | None = None,
) -> Found:
    """A problem as a line of the list. What can be repaired here says so first."""
    words = voice.explain(problem)
    fix = ("perilune doctor --fix",) if repair is not None else remedies(problem.code, words.fix, voice)
    return Found(status=status, detail=words.what, subject=subject, code=problem.code, fix=fix, repair=repair)


def remedies(code: str, fix: tuple[str, ...], voice: Voice) -> tuple[str, ...]:
    """What to do, for somebody who has just run the doctor: it does not send to itself."""
    if not code.startswith("PL-NET-"):
        return fix
    kind = code if code in ("PL-NET-TLS", "PL-NET-PROXY") else "network"
    return (voice.say(f"doctor.remedy.{kind}"),)


def chmod(file: Path, mode: int, voice: Voice) -> Repair:
    """Takes rights from others; the owner keeps theirs."""
    return Repair(voice.say("doctor.done.mode", file=str(file), mode=f"{mode:03o}"), lambda: file.chmod(mode))


def make_folder(folder: Path, voice: Voice) -> Repair:
    """Makes a folder that is missing, for its owner alone."""

    def make() -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    return Repair(voice.say("doctor.done.folder", file=str(folder)), make)
