"""`perilune guard`: is enough left? The exit status answers scripts."""

import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

import click
import msgspec
from msgspec import Struct

from perilune.core.errors import UsageError
from perilune.core.messages import Voice
from perilune.core.spans import parse_span
from perilune.faces.cli.problem import error_lines
from perilune.faces.cli.session import Session
from perilune.faces.guard.sentence import sentence, summary_table, waiting_sentence
from perilune.quota.document import StatusDocument
from perilune.quota.guard import (
    ANY,
    BALANCE,
    Judged,
    Wanted,
    concerned,
    guard_document,
    judge,
    opened,
    parse_wanted,
    tightest,
)
from perilune.quota.held import Held

_WINDOWS = (ANY, "5h", "7d", "month", BALANCE)
_REFUSED = (4, 5)
_AFTER_RESET = timedelta(seconds=30)
_AGAIN = timedelta(seconds=30)
_TRIES = 20


class Monitoring(Protocol):
    """What this command needs of the monitor."""

    def status(
        self, names: Sequence[str], voice: Voice, *, is_verbose: bool = False, shows_first_failure: bool = False
    ) -> StatusDocument: ...
    def held(self) -> Mapping[str, Held]: ...
    def needs_reading(self, names: Sequence[str], *, is_asked: bool = False) -> bool: ...
    def read(self, names: Sequence[str], *, is_asked: bool = False) -> None: ...


class GuardServices(Protocol):
    """What this command needs of the workbench."""

    @property
    def monitoring(self) -> Monitoring: ...
    def now(self) -> datetime: ...


class _Question(Struct, frozen=True, kw_only=True):
    """What is asked."""

    names: tuple[str, ...]
    wanted: Wanted
    window: str
    is_open: bool


@click.command("guard")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--min-left", "least", default="20%", metavar="AMOUNT")
@click.option("--window", type=click.Choice(_WINDOWS), default=ANY, metavar="WINDOW")
@click.option("--wait", "waits", is_flag=True)
@click.option("--max-wait", metavar="SPAN")
@click.option("--fail-open", "is_open", is_flag=True)
@click.option("--json", "is_json", is_flag=True)
@click.pass_obj
def command(
    session: Session,
    names: tuple[str, ...],
    least: str,
    window: str,
    waits: bool,
    max_wait: str | None,
    is_open: bool,
    is_json: bool,
) -> int:
    """Exit 0 when enough is left, 1 when not, 69 when that cannot be known."""
    services: GuardServices = session.workbench
    wanted = parse_wanted(least)
    if wanted is None:
        raise UsageError.of("PL-USAGE", variant="choice", option="--min-left", value=least, choices="20%, 50, CNY30")
    question = _Question(names=names, wanted=wanted, window=window, is_open=is_open)
    longest = _span(max_wait)
    if waits or longest is not None:
        document, judged = _wait(session, services, question, longest)
    else:
        document, judged = _ask(session, services, question)
    _tell(session, services, document, judged, is_json=is_json)
    return tightest(judged).exit


def _span(text: str | None) -> timedelta | None:
    span = None if text is None else parse_span(text)
    if text is not None and span is None:
        raise UsageError.of("PL-USAGE", variant="choice", option="--max-wait", value=text, choices="90s, 5m, 1h30m")
    return span


def _ask(
    session: Session, services: GuardServices, question: _Question, *, is_again: bool = False
) -> tuple[StatusDocument, list[Judged]]:
    """One look: what is older than a minute is read first."""
    monitoring, names = services.monitoring, question.names
    if monitoring.needs_reading(names, is_asked=is_again):
        monitoring.read(names, is_asked=is_again)
    voice, held = _voice(session, services), monitoring.held()
    document = monitoring.status(names, voice, shows_first_failure=True)
    accounts = document.accounts if names else concerned(document.accounts, question.wanted, question.window)
    judged = [
        judge(account, question.wanted, question.window, voice.now, held.get(account.name, Held()).failure)
        for account in accounts
    ]
    return document, [opened(one) for one in judged] if question.is_open else judged


def _wait(
    session: Session, services: GuardServices, question: _Question, longest: timedelta | None
) -> tuple[StatusDocument, list[Judged]]:
    """Look, wait for the reset of what is low, look again; not where waiting cannot help in time."""
    ends = None if longest is None else services.now() + longest
    document, judged = _ask(session, services, question)
    for _ in range(_TRIES):
        worst, now = tightest(judged), services.now()
        is_unconfirmed = worst.decision == "unchecked" and worst.reason == "stale" and worst.resets_at is not None
        if worst.decision != "low" and not is_unconfirmed:
            break
        if worst.resets_at is None or (ends is not None and worst.resets_at > ends):
            break
        until = max(worst.resets_at + _AFTER_RESET, now + _AGAIN)
        session.note(waiting_sentence(worst, _voice(session, services)))
        session.stderr.flush()
        time.sleep(max((until - now).total_seconds(), 0))
        document, judged = _ask(session, services, question, is_again=True)
    return document, judged


def _tell(
    session: Session, services: GuardServices, document: StatusDocument, judged: list[Judged], *, is_json: bool
) -> None:
    voice, worst = _voice(session, services), tightest(judged)
    if is_json:
        session.document(guard_document(judged))
    errors = {account.name: account.error for account in document.accounts}
    for one in judged:
        error = errors.get(one.account)
        if one.exit in _REFUSED and error is not None:
            session.err.line("\n".join(error_lines(error, voice, session.err)))
    if worst.exit not in _REFUSED and not is_json:
        session.answer(sentence(worst, voice))
    if session.environment.get("GITHUB_ACTIONS") == "true" and worst.decision == "low":
        _tell_workflow(session, judged, voice)


def _tell_workflow(session: Session, judged: list[Judged], voice: Voice) -> None:
    """A warning on the run's page and a table in its summary, as GitHub Actions reads them."""
    line = sentence(tightest(judged), voice)
    escaped = line.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    session.err.line(f"::warning title=Perilune::{escaped}")
    summary = session.environment.get("GITHUB_STEP_SUMMARY")
    if summary:
        with Path(summary).open("a", encoding="utf-8") as file:
            file.write(summary_table(judged, voice))


def _voice(session: Session, services: GuardServices) -> Voice:
    return msgspec.structs.replace(session.voice, now=services.now())
