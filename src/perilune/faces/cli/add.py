"""`perilune add`: a pasted key becomes an account."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click
from msgspec import Struct

from perilune.core.errors import Problem, UsageError
from perilune.faces.adding.services import AddServices, Choices
from perilune.faces.cli.help import Page
from perilune.faces.cli.session import Session

if TYPE_CHECKING:
    from perilune.faces.adding.detecting import Found
    from perilune.faces.adding.saved import Saved
    from perilune.providers.contract.paste import Pasted


class AddedAccount(Struct, frozen=True, kw_only=True):
    """The account in `perilune.add.v1`. `is_new` is false when the key was saved before."""

    name: str
    plan: str
    region: str
    plan_title: str | None
    source: str
    key: str
    is_new: bool


class AddReport(Struct, frozen=True, kw_only=True):
    """`perilune.add.v1`."""

    schema: str = "perilune.add.v1"
    account: AddedAccount
    probes: list[dict[str, Any]]
    removed: Sequence[str]
    warnings: list[str]


@click.command("add", cls=Page)
@click.argument("key", required=False)
@click.option("--stdin", "from_stdin", is_flag=True)
@click.option("--name", metavar="NAME")
@click.option("--plan", metavar="PLAN")
@click.option("--region", metavar="REGION")
@click.option("--base-url", metavar="URL")
@click.option("--no-probe", is_flag=True)
@click.option("--from", "origin", metavar="ORIGIN")
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def command(
    session: Session,
    key: str | None,
    *,
    from_stdin: bool,
    name: str | None,
    plan: str | None,
    region: str | None,
    base_url: str | None,
    no_probe: bool,
    origin: str | None,
    as_json: bool,
) -> int:
    from perilune.core.keys import clean_key
    from perilune.faces.cli.adding.from_environment import add_from_environment

    services: AddServices = session.workbench
    region = _region(region)
    choices = Choices(name=name, plan=plan, region=region, base_url=base_url, is_probed=not no_probe)
    services.configuration()
    if origin == "env":
        return add_from_environment(choices, services, session)
    if origin is not None:
        from perilune.config.peers import NAME
        from perilune.faces.cli.adding.from_peer import add_from_peer
        from perilune.faces.cli.adding.from_source import add_from

        if origin == NAME:
            return add_from_peer(choices, services, session)
        return add_from(origin, choices, services, session, from_stdin=from_stdin, as_json=as_json)
    if key is not None:
        session.warn(Problem(code="PL-ARGV"))
    text = key if key is not None else _pasted_text(session, from_stdin=from_stdin)
    if not clean_key(text):
        raise UsageError.of("PL-USAGE", variant="empty_key")
    if base_url is None and _may_be_session(text):
        from perilune.faces.cli.adding.from_source import add_session, holds_session

        if holds_session(text, services):
            return add_session(text, choices, services, session, as_json=as_json)
    return add_text(text, choices, services, session, as_json=as_json)


def add_text(
    text: str,
    choices: Choices,
    services: AddServices,
    session: Session,
    *,
    reference: str | None = None,
    as_json: bool = False,
) -> int:
    """Try the key in a text, save its account, and tell both."""
    from perilune.faces.adding.saved import save_paste
    from perilune.faces.cli.adding.person import Person

    saved = save_paste(text, choices, services, Person(session), reference=reference)
    if saved.found is None:
        _tell_duplicate(saved, session, as_json=as_json)
    else:
        _tell(saved.account.name, saved.found, saved.pasted, session, as_json=as_json)
    return 0


def _may_be_session(text: str) -> bool:
    """A first look that keeps keys from being searched for a web session."""
    return "eyJ" in text or "=" in text or ":" in text


def _region(text: str | None) -> str | None:
    from perilune.config.implied import region_word

    return None if text is None else region_word(text) or text


def _pasted_text(session: Session, *, from_stdin: bool) -> str:
    from perilune.faces.cli.prompt import ask_hidden

    if from_stdin:
        return session.stdin.read()
    if not session.is_interactive:
        raise UsageError.of("PL-USAGE", variant="needs", command="perilune add", name="--stdin")
    return ask_hidden(session, session.voice.say("add.paste"))


def _tell(name: str, found: "Found", pasted: "Pasted", session: Session, *, as_json: bool) -> None:
    from perilune.faces.adding.telling import removed_text, result_line, wrapped_result

    problem = found.probed.problem if found.probed else None
    if problem is not None:
        from msgspec.structs import replace

        session.warn(replace(problem, account=name, facts={**problem.facts, "account": name}))
    if as_json:
        session.document(_report(name, found, pasted))
        return
    voice = session.voice
    if pasted.removed:
        session.note(voice.say("add.note", removed=removed_text(pasted.removed, voice)))
    is_sure = found.probed is not None and found.probed.verdict == "accepted"
    mark = session.out.paint("✓" if is_sure else "!", "ok" if is_sure else "high")
    line = result_line(found.plan, found.region, found.probed.snapshot if found.probed else None, voice)
    for text in wrapped_result(line, mark, session.out.columns):
        session.answer(text)
    if found.probed is None:
        session.answer("  " + voice.say("add.not_tried"))
    session.answer("  " + voice.say("add.saved", name=name))
    if found.plan.unit == "quota":
        session.answer("  " + voice.say("add.footer"))


def _report(name: str, found: "Found", pasted: "Pasted") -> AddReport:
    tried = found.detection.tried if found.detection else ()
    snapshot = found.probed.snapshot if found.probed else None
    problem = found.probed.problem if found.probed else None
    return AddReport(
        account=AddedAccount(
            name=name,
            plan=found.plan.id,
            region=found.region.id if found.region else "",
            plan_title=snapshot.plan_title if snapshot else None,
            source="api-key",
            key=pasted.secret.masked(),
            is_new=True,
        ),
        probes=[
            {
                "host": one.target.host,
                "verdict": one.probed.verdict,
                "status": one.probed.status,
                "ms": one.probed.took_ms,
            }
            for one in tried
        ],
        removed=[one.what for one in pasted.removed],
        warnings=[problem.code] if problem else [],
    )


def _tell_duplicate(saved: "Saved", session: Session, *, as_json: bool) -> None:
    account = saved.account
    if not as_json:
        session.answer(session.voice.say("add.duplicate", name=account.name))
        return
    added = AddedAccount(
        name=account.name,
        plan=account.plan,
        region=account.region,
        plan_title=None,
        source="api-key",
        key=saved.pasted.secret.masked(),
        is_new=False,
    )
    removed = [one.what for one in saved.pasted.removed]
    session.document(AddReport(account=added, probes=[], removed=removed, warnings=["PL-ADD-DUPLICATE"]))
