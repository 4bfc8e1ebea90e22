"""`perilune accounts`: list, show, test, set, rename, remove, rotate."""

from typing import TYPE_CHECKING, Any

import click
from msgspec.structs import replace

from perilune.core.errors import CredentialError, UsageError
from perilune.faces.adding.services import AddServices
from perilune.faces.cli.help import Pages
from perilune.faces.cli.session import Session

if TYPE_CHECKING:
    from perilune.config.schema import AccountConfig
    from perilune.core.secret import Secret


_BOUND = ("plan", "region", "base_url")
_HEADINGS = ("name", "plan", "region", "source", "key", "cap", "state", "age")
_SPARE = ("source", "cap", "key", "age")


@click.group("accounts", cls=Pages, no_args_is_help=True)
def command() -> None:
    pass


@command.command("list")
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def list_command(session: Session, *, as_json: bool) -> None:
    from perilune.faces.cli.account.lookup import masked_key, stored
    from perilune.faces.cli.account.showing import list_row, table

    services: AddServices = session.workbench
    loaded = services.configuration()
    for warning in loaded.warnings:
        session.warn(warning)
    if not loaded.config.accounts:
        raise CredentialError.of("PL-ACCOUNT-NONE")
    known, plans, voice = stored(session), services.plans, session.voice
    rows = [
        list_row(one, plans[one.plan], masked_key(one, services), known.get(one.name), voice)
        for one in loaded.config.accounts
    ]
    if as_json:
        listed = [dict(zip(_HEADINGS, (None if cell == "–" else cell for cell in row), strict=True)) for row in rows]
        session.document({"schema": "perilune.accounts.v1", "accounts": listed})
        return
    headings = [session.voice.say(f"accounts.heading.{name}") for name in _HEADINGS]
    spare = [_HEADINGS.index(name) for name in _SPARE]
    for line in table([headings, *rows], session.out.columns, right=[_HEADINGS.index("cap")], spare=spare):
        session.answer(line)


@command.command("show")
@click.argument("name")
@click.pass_obj
def show_command(session: Session, name: str) -> None:
    from perilune.core.addresses import host_of
    from perilune.faces.cli.account.lookup import find_account, masked_key, models_of, region_of, stored
    from perilune.faces.cli.account.showing import show_lines
    from perilune.faces.cli.account.testing import TrialServices, stamp_text

    services: TrialServices = session.workbench
    account = find_account(name, services.configuration())
    plan = services.plans[account.plan]
    region = region_of(account, plan)
    base = account.base_url or (region.read_base if region else "")
    key, known, models = masked_key(account, services), stored(session).get(name), models_of(name, session)
    proof = stamp_text(services.stamp_of(name), session)
    for line in show_lines(account, plan, key, host_of(base) if base else "", known, models, proof, session.voice):
        session.answer(line)


@command.command("test")
@click.argument("name")
@click.option("--inference", is_flag=True)
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def test_command(session: Session, name: str, *, inference: bool, as_json: bool) -> int:
    from perilune.faces.cli.account.testing import try_account

    session.wants_json = as_json
    return try_account(session, name, inference=inference, as_json=as_json)


@command.command("set")
@click.argument("name")
@click.option("--plan", metavar="PLAN")
@click.option("--region", metavar="REGION")
@click.option("--base-url", metavar="URL")
@click.option("--max-concurrent-requests", type=click.IntRange(min=1), metavar="N")
@click.option("--rpm", type=click.IntRange(min=1), metavar="N")
@click.option("--tpm", type=click.IntRange(min=1), metavar="N")
@click.option("--source", type=click.Choice(["auto", "api-key", "cli-login", "web-session"]))
@click.option("--cookie-source", type=click.Choice(["auto", "manual", "off"]))
@click.option("--extra-usage/--no-extra-usage", default=None)
@click.option("--paused/--no-paused", default=None)
@click.option("--stdin", "from_stdin", is_flag=True)
@click.option("--yes", is_flag=True)
@click.pass_obj
def set_command(session: Session, /, name: str, *, from_stdin: bool, yes: bool, **fields: Any) -> None:
    from perilune.faces.cli.account.changing import set_fields
    from perilune.faces.cli.account.lookup import find_written

    services: AddServices = session.workbench
    account = find_written(name, services.configuration())
    said = {field: value for field, value in fields.items() if value is not None}
    changed = {field: value for field, value in said.items() if value != getattr(account, field)}
    if not said:
        raise UsageError.of("PL-USAGE", variant="nothing_to_set", command=f"perilune accounts set {name}")
    if any(field in changed for field in _BOUND):
        _move(session, account, changed, from_stdin=from_stdin, yes=yes)
    elif changed:
        set_fields(services, name, changed)
    for field, value in changed.items():
        _tell_change(session, name, field, getattr(account, field), value)
    if not changed:
        session.answer(session.voice.say("accounts.unchanged", name=name))


def _move(session: Session, account: "AccountConfig", changed: dict[str, Any], *, from_stdin: bool, yes: bool) -> None:
    """A stored key stays with its address: another takes the key again, or consent to try it on an official host."""
    from perilune.faces.cli.account.changing import replace_key, set_fields
    from perilune.faces.cli.account.lookup import bind
    from perilune.faces.cli.account.trying import demand_usable
    from perilune.faces.cli.prompt import confirm

    services: AddServices = session.workbench
    moved = _moved(account, changed, services)
    fields = {**changed, **{field: getattr(moved, field) or None for field in _BOUND}}
    if from_stdin or moved.base_url is not None:
        secret = _new_key(session, from_stdin=from_stdin, action=f"accounts set {account.name}")
        if secret is not None:
            _demand(session, replace(moved, key=None), secret)
            replace_key(services, account, secret, fields)
            return
        raise UsageError.of("PL-USAGE", variant="key_again", command=f"perilune accounts set {account.name}")
    binding = bind(moved, services)
    if not yes:
        question = session.voice.say("accounts.consent", host=binding.host)
        if not session.is_interactive or not confirm(session, question):
            raise UsageError.of("PL-USAGE", variant="key_again", command=f"perilune accounts set {account.name}")
    demand_usable(binding, services)
    set_fields(services, account.name, fields)


def _moved(account: "AccountConfig", changed: dict[str, Any], services: AddServices) -> "AccountConfig":
    """The account at its new place, when that is one."""
    from perilune.config.base_url import check_base_url, official_home

    moved = replace(account, **changed)
    if "plan" in changed or "region" in changed:
        moved = replace(moved, base_url=changed.get("base_url"))
    if moved.plan not in services.plans:
        _refuse("--plan", moved.plan, list(services.plans))
    plan = services.plans[moved.plan]
    regions = [region.id for region in plan.regions]
    if regions and moved.region not in regions:
        if len(regions) > 1:
            _refuse("--region", moved.region, regions)
        moved = replace(moved, region=regions[0])
    if moved.base_url is not None or plan.needs_base_url:
        url = check_base_url(moved.base_url or "", place="--base-url", account=account.name)
        home = official_home(url, services.plans)
        if home is not None:
            moved = replace(moved, plan=home[0].id, region=home[1].id, base_url=None)
    return moved


def _refuse(option: str, value: str, known: list[str]) -> None:
    raise UsageError.of("PL-USAGE", variant="choice", option=option, value=value, choices=", ".join(known))


def _demand(session: Session, account: "AccountConfig", secret: "Secret") -> None:
    """Try a new key on the account's host; plans without a reading side take it as it is."""
    from perilune.faces.cli.account.lookup import region_of
    from perilune.faces.cli.account.trying import demand_usable
    from perilune.providers.contract.reading import Binding, reader_of

    services: AddServices = session.workbench
    plan = services.plans[account.plan]
    region = region_of(account, plan)
    if reader_of(plan.id) is None or region is None:
        return
    salt = services.vault.fingerprint_key
    binding = Binding(
        account=account.name, plan=plan, region=region, secret=secret, base_url=account.base_url, salt=salt
    )
    demand_usable(binding, services)


def _new_key(session: Session, *, from_stdin: bool, action: str) -> "Secret | None":
    """The key that a person gives; None for a masked one, which means "unchanged"."""
    from perilune.faces.adding.telling import removed_text
    from perilune.faces.cli.prompt import ask_hidden
    from perilune.providers.contract.paste import clean_paste, is_masked

    if not from_stdin and not session.is_interactive:
        raise UsageError.of("PL-USAGE", variant="needs", command=f"perilune {action}", name="--stdin")
    text = session.stdin.read() if from_stdin else ask_hidden(session, session.voice.say("add.paste"))
    if is_masked(text):
        return None
    pasted = clean_paste(text)
    if pasted.removed:
        session.note(session.voice.say("add.note", removed=removed_text(pasted.removed, session.voice)))
    return pasted.secret


def _tell_change(session: Session, name: str, field: str, before: Any, after: Any) -> None:
    label = session.voice.say(f"accounts.field.{field}")
    session.answer(f"{name}: {label} {_word(before)} → {_word(after)}")


def _word(value: Any) -> str:
    return "–" if value in (None, "") else str(value).lower() if isinstance(value, bool) else str(value)


@command.command("rename")
@click.argument("name")
@click.argument("new_name")
@click.pass_obj
def rename_command(session: Session, name: str, new_name: str) -> None:
    from perilune.faces.adding.saving import check_name
    from perilune.faces.cli.account.changing import rename
    from perilune.faces.cli.account.lookup import find_written

    services: AddServices = session.workbench
    loaded = services.configuration()
    account = find_written(name, loaded)
    check_name(new_name, [one.name for one in loaded.config.accounts])
    rename(services, account, new_name)
    session.answer(session.voice.say("accounts.renamed", name=name, new=new_name))


@command.command("remove")
@click.argument("name")
@click.option("--yes", is_flag=True)
@click.option("--purge", is_flag=True)
@click.pass_obj
def remove_command(session: Session, name: str, *, yes: bool, purge: bool) -> int:
    from perilune.faces.cli.account.changing import remove
    from perilune.faces.cli.account.lookup import find_written
    from perilune.faces.cli.prompt import confirm

    services: AddServices = session.workbench
    account = find_written(name, services.configuration())
    if not yes:
        if not session.is_interactive:
            raise UsageError.of("PL-USAGE", variant="needs", command="perilune accounts remove", name="--yes")
        if not confirm(session, session.voice.say("accounts.remove_all" if purge else "accounts.remove", name=name)):
            return 1
    slots = remove(services, account, with_history=purge)
    session.answer(session.voice.say("accounts.removed_all" if purge else "accounts.removed", name=name))
    if slots:
        session.note(session.voice.say("accounts.slots_removed", count=slots))
    return 0


@command.command("rotate")
@click.argument("name")
@click.option("--stdin", "from_stdin", is_flag=True)
@click.option("--no-probe", is_flag=True)
@click.pass_obj
def rotate_command(session: Session, name: str, *, from_stdin: bool, no_probe: bool) -> None:
    from perilune.faces.cli.account.changing import replace_key
    from perilune.faces.cli.account.lookup import find_written, masked_key

    services: AddServices = session.workbench
    account = find_written(name, services.configuration())
    secret = _new_key(session, from_stdin=from_stdin, action=f"accounts rotate {name}")
    if secret is None:
        session.answer(session.voice.say("accounts.unchanged", name=name))
        return
    before = masked_key(account, services)
    if not no_probe:
        _demand(session, account, secret)
    replace_key(services, account, secret, {})
    session.answer(f"{name}: {session.voice.say('accounts.key')} {before} → {secret.masked()}")
