"""`perilune gateway keys`: made, shown once, listed, revoked."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args

import click
from msgspec import Struct

from perilune.core.amounts import Amount
from perilune.core.errors import Problem, UsageError
from perilune.core.secret import Secret
from perilune.core.spans import parse_span
from perilune.core.width import pad, width
from perilune.faces.cli.gateway_key_limits import NEVER, checked_limits, limit_options
from perilune.faces.cli.help import Page, Pages
from perilune.faces.cli.session import Session

if TYPE_CHECKING:
    from perilune.gateway.keys import KeySettings

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
KeyPriority = Literal["interactive", "review", "batch"]
_COLUMNS = ("name", "owner", "key", "limits", "priority", "budget", "expires", "state")
_OWN = "local"  # the person of this machine, as requests without a key count


class ListedKey(Struct, frozen=True, kw_only=True):
    """A key as a list shows it: never the key itself."""

    name: str
    tail: str
    is_revoked: bool
    settings: "KeySettings"
    budgets: "tuple[UsedBudget, ...]" = ()


class UsedBudget(Struct, frozen=True, kw_only=True):
    """A budget of a key and what is used of it in this period."""

    limit: Amount
    used: Amount
    left: Amount
    is_hard: bool
    ends_at: datetime | None


class KeyServices(Protocol):
    """What these commands need."""

    def now(self) -> datetime:
        """This moment."""
        ...

    def route_names(self) -> Sequence[str]:
        """The routes that there are."""
        ...

    def team_problem(self, name: str, routes: Sequence[str] | None) -> Problem | None:
        """PL-TEAM-PLAN where one of these routes, or of all, has a plan for one person."""
        ...

    def create_key(self, name: str, settings: "KeySettings") -> Secret:
        """Make a key and keep its digest. Raises: PL-USAGE for a name that is taken."""
        ...

    def gateway_keys(self) -> Sequence[ListedKey]:
        """Every key, oldest first."""
        ...

    def change_key(self, name: str, changes: Mapping[str, Any]) -> None:
        """Give a key other settings. Raises: PL-USAGE where no key in use has that name."""
        ...

    def revoke_key(self, name: str, *, ends_streams: bool) -> None:
        """End a key for good. Raises: PL-USAGE where no key in use has that name."""
        ...


@click.group("keys", cls=Pages)
def keys() -> None:
    """The gateway's own keys."""


@keys.command("create", cls=Page)
@click.argument("name")
@click.option("--owner", metavar="OWNER", default=_OWN)
@click.option("--models", multiple=True, metavar="GLOB")
@click.option("--routes", multiple=True, metavar="ROUTE")
@click.option("--priority", type=click.Choice(get_args(KeyPriority)), default="interactive")
@limit_options
@click.option("--expires", metavar="SPAN|DATE")
@click.option("--yes", is_flag=True)
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def create(
    session: Session,
    /,
    name: str,
    owner: str,
    models: tuple[str, ...],
    routes: tuple[str, ...],
    priority: KeyPriority,
    expires: str | None,
    yes: bool,
    as_json: bool,
    **limits: Any,
) -> int:
    from perilune.gateway.keys import KeySettings

    services: KeyServices = session.workbench
    if _NAME.fullmatch(name) is None:
        raise UsageError.of("PL-USAGE", variant="key_name", name=name[:80], command="perilune gateway keys create")
    settings = KeySettings(
        owner=owner,
        models=_parts(models),
        routes=_known_routes(_parts(routes), services),
        priority=priority,
        expires_at=_moment(expires, session),
        **checked_limits(limits, "perilune gateway keys create"),
    )
    if owner != _OWN and not _is_wanted(session, services.team_problem(name, settings.routes), yes=yes):
        return 1
    key = services.create_key(name, settings)
    if as_json:
        session.document({"schema": "perilune.key.v1", "name": name, "key": key.reveal()})
        return 0
    session.machine_text(key.reveal() + "\n")
    session.note(session.voice.say("gateway.keys.once"))
    return 0


def _is_wanted(session: Session, problem: Problem | None, *, yes: bool) -> bool:
    """Whether a person wants what a plan for one person does not allow. Raises: PL-TEAM-PLAN with nobody to ask."""
    from perilune.faces.cli.prompt import confirm

    if problem is None:
        return True
    if not yes and not session.is_interactive:
        raise UsageError(problem)
    session.warn(problem)
    return yes or confirm(session, session.voice.say("gateway.keys.confirm"))


def _parts(given: tuple[str, ...]) -> tuple[str, ...] | None:
    """An option given several times, or once with commas."""
    return tuple(part.strip() for text in given for part in text.split(",") if part.strip()) or None


def _known_routes(wanted: tuple[str, ...] | None, services: KeyServices) -> tuple[str, ...] | None:
    known = services.route_names() if wanted else ()
    for name in wanted or ():
        if name not in known:
            raise _no_choice("--routes", name, ", ".join(known))
    return wanted


def _moment(text: str | None, session: Session) -> datetime | None:
    """The end of a key: a span from now, or a date or moment on the reader's clock."""
    if text is None:
        return None
    now = session.workbench.now()
    span = parse_span(text)
    try:
        at = now + span if span is not None else datetime.fromisoformat(text)
    except ValueError:
        at = now
    at = at if at.tzinfo is not None else at.replace(tzinfo=session.voice.zone)
    if at <= now:
        raise _no_choice("--expires", text, "12h, 30d, 2027-06-30")
    return at


def _no_choice(option: str, value: str, choices: str) -> UsageError:
    command = "perilune gateway keys create"
    return UsageError.of("PL-USAGE", variant="choice", command=command, option=option, value=value, choices=choices)


@keys.command("set", cls=Page)
@click.argument("name")
@limit_options
@click.option("--priority", type=click.Choice(get_args(KeyPriority)), default=None)
@click.option("--expires", metavar="SPAN|DATE|never")
@click.pass_obj
def set_(session: Session, /, name: str, priority: KeyPriority | None, expires: str | None, **limits: Any) -> None:
    services: KeyServices = session.workbench
    changes = checked_limits(limits, "perilune gateway keys set")
    if priority is not None:
        changes["priority"] = priority
    if expires is not None:
        changes["expires_at"] = None if expires == NEVER else _moment(expires, session)
    services.change_key(name, changes)
    session.answer(session.voice.say("keys.changed", name=name))


@keys.command("list", cls=Page)
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def list_keys(session: Session, as_json: bool) -> None:
    services: KeyServices = session.workbench
    found = services.gateway_keys()
    if as_json:
        session.document({"schema": "perilune.keys.v1", "keys": [_document(key, session) for key in found]})
        return
    if not found:
        session.answer(session.voice.say("gateway.keys.none"))
        return
    rows = [[session.voice.say(f"gateway.keys.col.{name}") for name in _COLUMNS]]
    rows += [_row(key, session) for key in found]
    widths = [max(width(row[column]) for row in rows) for column in range(len(_COLUMNS))]
    for row in rows:
        session.answer("  ".join(pad(cell, size) for cell, size in zip(row, widths, strict=True)).rstrip())


def _state(key: ListedKey, session: Session) -> str:
    ends = key.settings.expires_at
    return (
        "revoked" if key.is_revoked else "expired" if ends is not None and ends <= session.workbench.now() else "active"
    )


def _document(key: ListedKey, session: Session) -> dict[str, Any]:
    settings = key.settings
    return {
        "name": key.name, "owner": settings.owner, "tail": key.tail, "state": _state(key, session),
        "models": settings.models, "routes": settings.routes, "priority": settings.priority, "rpm": settings.rpm,
        "max_concurrent": settings.max_concurrent, "expires_at": settings.expires_at,
        "budgets": [_budget(one, settings.per) for one in key.budgets],
    }  # fmt: skip


def _budget(one: UsedBudget, per: str) -> dict[str, Any]:
    return {
        "kind": "hard" if one.is_hard else "soft", "limit": one.limit.document(), "per": per,
        "used": one.used.document(), "left": one.left.document(), "ends_at": one.ends_at,
    }  # fmt: skip


def _row(key: ListedKey, session: Session) -> list[str]:
    settings, voice = key.settings, session.voice
    limits = ", ".join([*(settings.models or ()), *(settings.routes or ())])
    used = ", ".join(voice.say("keys.used", used=one.used.shown(), limit=one.limit.shown()) for one in key.budgets)
    expires = "–" if settings.expires_at is None else voice.clock(settings.expires_at)
    told = voice.say(f"gateway.keys.state.{_state(key, session)}")
    return [key.name, settings.owner, f"…{key.tail}", limits or "–", settings.priority, used or "–", expires, told]


@keys.command("revoke", cls=Page)
@click.argument("name")
@click.option("--now", "ends_streams", is_flag=True)
@click.pass_obj
def revoke(session: Session, name: str, ends_streams: bool) -> None:
    services: KeyServices = session.workbench
    services.revoke_key(name, ends_streams=ends_streams)
    session.answer(session.voice.say("gateway.keys.revoked", name=name))
