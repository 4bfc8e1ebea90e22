"""`perilune status`: what is left of every account."""

import time
from collections.abc import Mapping, Sequence
from typing import Protocol

import click
import msgspec

from perilune.catalog.plan import Plan
from perilune.core.codes import CODES
from perilune.core.messages import Voice
from perilune.faces.cli.session import Session
from perilune.faces.text.figures import Shown
from perilune.faces.text.look import GatewayGlance, Look
from perilune.faces.text.status import NARROWEST
from perilune.quota.document import StatusDocument

_SEVERITY = (4, 5, 69, 1)


class Monitoring(Protocol):
    """What this command needs of the monitor."""

    def status(
        self, names: Sequence[str], voice: Voice, *, is_verbose: bool = False, shows_first_failure: bool = False
    ) -> StatusDocument: ...
    def needs_reading(self, names: Sequence[str], *, is_asked: bool = False) -> bool: ...
    def read(self, names: Sequence[str], *, is_asked: bool = False) -> None: ...
    def masked_keys(self) -> Mapping[str, str]: ...


class StatusServices(Protocol):
    """What this command needs of the workbench."""

    @property
    def monitoring(self) -> Monitoring: ...
    @property
    def plans(self) -> Mapping[str, Plan]: ...
    def gateway_glance(self) -> GatewayGlance | None: ...


@click.command("status")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--json", "is_json", is_flag=True)
@click.option("--brief", is_flag=True)
@click.option("--watch", type=click.FloatRange(min=1), metavar="SECONDS")
@click.option("--refresh", is_flag=True)
@click.option("--used", "shown", flag_value="used")
@click.option("--left", "shown", flag_value="left")
@click.pass_obj
def command(
    session: Session,
    names: tuple[str, ...],
    is_json: bool,
    brief: bool,
    watch: float | None,
    refresh: bool,
    shown: Shown | None,
) -> int:
    """Reads what is older than a minute, then tells what the store holds."""
    services: StatusServices = session.workbench
    monitoring = services.monitoring
    document = _read_and_tell(monitoring, session, names, is_asked=refresh)
    if is_json:
        session.document(document)
        return exit_code_of(document)
    look = _look(session, services, shown)
    session.answer("\n".join(_lines(document, look, session.voice, services, is_brief=brief)))
    _tell_errors(session, document)
    if watch is not None:
        _watch(session, monitoring, names, document, look, watch)
    return exit_code_of(document)


def exit_code_of(document: StatusDocument) -> int:
    """0 while at least one account has data; otherwise the most severe of the codes: 4 over 5 over 69 over 1."""
    if any(account.fetched_at is not None for account in document.accounts):
        return 0
    codes = {CODES[error.code] for error in document.errors} - {0}
    return next((code for code in _SEVERITY if code in codes), min(codes, default=0))


def _read_and_tell(
    monitoring: Monitoring, session: Session, names: Sequence[str], *, is_asked: bool = False
) -> StatusDocument:
    if monitoring.needs_reading(names, is_asked=is_asked):
        monitoring.read(names, is_asked=is_asked)
    return monitoring.status(names, session.voice, is_verbose=session.flags.verbose > 0, shows_first_failure=is_asked)


def _lines(
    document: StatusDocument, look: Look, voice: Voice, services: StatusServices, *, is_brief: bool
) -> list[str]:
    if is_brief and look.columns >= NARROWEST:
        from perilune.faces.text.brief import brief_lines

        return brief_lines(document, look, voice)
    if look.columns < NARROWEST:
        from perilune.faces.text.narrow import narrow_lines

        return narrow_lines(document, look, voice)
    from perilune.faces.text.status import status_lines

    return status_lines(document, look, voice, services.gateway_glance())


def _look(session: Session, services: StatusServices, shown: Shown | None) -> Look:
    configured: Shown = getattr(session.display, "percent", "used")
    return Look(
        columns=session.out.columns,
        is_ascii=session.out.is_ascii,
        shown=shown or configured,
        is_verbose=session.flags.verbose > 0,
        plans=services.plans,
        keys=services.monitoring.masked_keys() if session.flags.verbose else {},
        paint=session.out.paint,
    )


def _tell_errors(session: Session, document: StatusDocument) -> None:
    """Accounts that could not be read, on stderr as one line each."""
    for error in document.errors:
        start = f"{session.voice.say('common.error')}[{error.code}]"
        who = f" {error.account}" if error.account else ""
        again = session.voice.say("status.next_try", clock=error.retry_at) if error.retry_at else ""
        session.note(f"{start}{who}: {error.message}{again}")


def _watch(
    session: Session,
    monitoring: Monitoring,
    names: Sequence[str],
    before: StatusDocument,
    look: Look,
    seconds: float,
) -> None:
    """Print what changes, one line each, until interrupted."""
    from perilune.faces.text.changes import changed_lines

    while True:
        session.stdout.flush()
        time.sleep(seconds)
        voice = msgspec.structs.replace(session.voice, now=session.workbench.now())
        after = _read_and_tell(monitoring, session, names)
        for line in changed_lines(before, after, look, voice):
            session.answer(line)
        before = after
