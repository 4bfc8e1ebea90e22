"""`perilune doctor`: what is wrong and how to put it right."""

import platform
from pathlib import Path
from typing import TYPE_CHECKING

import click

from perilune import __version__
from perilune.core.errors import UsageError
from perilune.faces.cli.help import Page
from perilune.faces.cli.session import Session

if TYPE_CHECKING:
    from perilune.faces.doctor.check import Found
    from perilune.faces.doctor.run import DoctorDocument, Line
    from perilune.faces.doctor.scene import Scene


@click.command("doctor", cls=Page)
@click.option("--fix", "is_fixing", is_flag=True)
@click.option("--json", "as_json", is_flag=True)
@click.option("--bundle", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@click.pass_obj
def command(session: Session, *, is_fixing: bool, as_json: bool, bundle: Path | None) -> int:
    from perilune.faces.doctor.run import repair
    from perilune.faces.doctor.scene import Scene

    scene = Scene(session.workbench, session.voice, session.out)
    try:
        lines = _looked(session, scene, as_json=as_json)
        done = list(repair(lines)) if is_fixing else []
        left = [found for _, found in lines if not (is_fixing and found.repair)]
        document = _document(lines, done)
        if as_json:
            session.document(document)
        else:
            _end(session, left, done)
        if bundle is not None:
            _write(session, scene, document, bundle)
    finally:
        scene.close()
    return int(any(found.status == "fail" for found in left))


def _looked(session: Session, scene: "Scene", *, as_json: bool) -> "list[Line]":
    """What the checks find, told as it is found."""
    from perilune.faces.doctor.run import look
    from perilune.faces.doctor.text import finding_lines

    if not as_json:
        session.answer(_head(session))
    lines = []
    for name, found in look(scene):
        lines.append((name, found))
        if not as_json:
            session.answer("\n".join(finding_lines(name, found, session.voice, session.out)))
            session.stdout.flush()
    return lines


def _end(session: Session, left: "list[Found]", done: list[str]) -> None:
    from perilune.faces.doctor.text import summary

    for what in done:
        session.answer(session.voice.say("doctor.done", what=what))
    session.answer(summary(left, session.voice))


def _document(lines: "list[Line]", done: list[str]) -> "DoctorDocument":
    from perilune.faces.doctor.run import DoctorDocument, check_document

    return DoctorDocument(
        version=__version__,
        python=platform.python_version(),
        system=platform.system(),
        checks=[check_document(name, found) for name, found in lines],
        done=done,
    )


def _head(session: Session) -> str:
    environment = session.environment
    locale = next((environment[name] for name in ("LC_ALL", "LC_CTYPE", "LANG") if environment.get(name)), "C")
    return session.voice.say(
        "doctor.head",
        version=__version__,
        python=".".join(platform.python_version_tuple()[:2]),
        system=platform.system(),
        locale=locale,
        zone=str(session.voice.zone),
    )


def _write(session: Session, scene: "Scene", document: "DoctorDocument", file: Path) -> None:
    from perilune.faces.doctor.bundle import write_bundle

    try:
        parts = write_bundle(file, document, scene)
    except OSError as error:
        why = f"{file}: {error.strerror or type(error).__name__}"
        raise UsageError.of("PL-USAGE", variant="other", command="perilune doctor", message=why) from None
    session.note(session.voice.say("doctor.bundle", file=str(file)))
    for name, size in parts:
        session.note(session.voice.say("doctor.bundle.part", name=name, size=size))
