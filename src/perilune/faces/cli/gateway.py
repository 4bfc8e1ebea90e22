"""`perilune gateway`: what the gateway does now, how tools point at it, one small try."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

import click
from msgspec import Struct

from perilune.core.errors import Problem
from perilune.core.messages import Language, Voice
from perilune.core.width import pad, width
from perilune.faces.api.ports import RoutesDocument, SlotDocument
from perilune.faces.cli.gateway_keys import keys
from perilune.faces.cli.help import Page, Pages
from perilune.faces.cli.problem import error_lines
from perilune.faces.cli.session import Session
from perilune.faces.clients import CLIENTS, PLACEHOLDER_KEY, client_settings

if TYPE_CHECKING:
    from perilune.gateway.preview import Preview


class TriedSlot(Struct, frozen=True, kw_only=True):
    """One slot of a dry run: whether it would answer now, or why not and until when."""

    slot: str
    is_usable: bool
    reason: str | None = None
    until: datetime | None = None


class Try(Struct, frozen=True, kw_only=True):
    """What one small request gave. Units: milliseconds; `cost` in words of `cost_unit` (`quota`, or money as text)."""

    route: str | None
    slot: str | None
    model: str | None
    thinking: str | None
    text: str
    first_ms: int | None
    total_ms: int
    input_tokens: int | None
    output_tokens: int | None
    cost: str | None
    is_quota: bool
    request_id: str
    attempts: int
    problem: Problem | None = None


class GatewayServices(Protocol):
    """What these commands need."""

    def routes_now(self, language: Language = "en") -> tuple[RoutesDocument, bool]:
        """The routes as they stand, and whether a running service told so."""
        ...

    def dry_run(self, model: str, priority: str = "interactive") -> Sequence[TriedSlot]:
        """Which slots would be used now for a model by a priority, in order. Sends nothing."""
        ...

    def preview_model(self, model: str) -> "Sequence[Preview]":
        """What each slot of a model's route would be sent; nothing is."""
        ...

    def lint_routes(self, name: str | None = None) -> Sequence[Problem]:
        """What is odd about the slots of one route, or of all."""
        ...

    def try_model(self, model: str, voice: Voice) -> Try:
        """One small real request through the routes."""
        ...


@click.group("gateway", cls=Pages)
def command() -> None:
    """The gateway."""


command.add_command(keys)


@command.command("status", cls=Page)
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def status(session: Session, as_json: bool) -> None:
    services: GatewayServices = session.workbench
    document, is_running = services.routes_now(session.language)
    if as_json:
        session.document(document)
        return
    if not is_running:
        session.note(session.voice.say("gateway.not_running", listen=document.listen))
    for problem in document.problems:
        session.note("\n".join(error_lines(problem, session.voice, session.err)))
    session.answer("\n".join(status_lines(document, session.voice)))


def status_lines(document: RoutesDocument, voice: Voice) -> list[str]:
    """The table of routes and slots, then today's sums."""
    if not document.routes:
        return [voice.say("gateway.no_route")]
    names = ("route", "slot", "state", "in_use")
    rows = [[voice.say(f"gateway.col.{name}") for name in names]]
    for route in document.routes:
        rows += [[route.name, _slot_name(slot, voice), _state(slot, voice), _in_use(slot)] for slot in route.slots]
    widths = [max(width(row[column]) for row in rows) for column in range(len(names))]
    lines = ["  ".join(_cells(row, widths)).rstrip() for row in rows]
    queued = sum(slot.queued for route in document.routes for slot in route.slots)
    spent = ", ".join(f"{money.currency} {money.amount}" for money in document.spent_today)
    sums = voice.say(
        "gateway.today",
        requests=document.requests_today,
        failovers=document.failovers_today,
        queued=queued,
        spent=spent or voice.say("gateway.spent_nothing"),
    )
    return [*lines, sums, *_lease_lines(document, voice)]


def _lease_lines(document: RoutesDocument, voice: Voice) -> list[str]:
    """What is done while the server that hosts share their caps over cannot be asked."""
    leases = document.leases
    if leases is None or leases.trouble is None:
        return []
    return [voice.say(f"leases.{leases.trouble}", hosts=leases.hosts or 1)]


def _cells(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    last = len(row) - 1
    return [
        pad(cell, size, "right" if column == last else "left")
        for column, (cell, size) in enumerate(zip(row, widths, strict=True))
    ]


def _slot_name(slot: SlotDocument, voice: Voice) -> str:
    role = voice.say("gateway.main") if slot.role == "main" else voice.say("gateway.fallback", position=slot.position)
    return f"{slot.account} {role}"


def _state(slot: SlotDocument, voice: Voice) -> str:
    word = voice.say(f"web.slot.{slot.state}")
    if slot.closed_to and slot.state in ("ok", "untested", "standby"):
        return voice.say("keys.not_for", state=word, classes=", ".join(slot.closed_to))
    return word if slot.until is None else voice.say("web.until", state=word, clock=voice.clock(slot.until))


def _in_use(slot: SlotDocument) -> str:
    return f"{slot.in_flight} / {'–' if slot.cap is None else slot.cap}"


@command.group("routes", cls=Pages)
def routes() -> None:
    """The routes."""


@routes.command("list", cls=Page)
@click.pass_obj
def list_routes(session: Session) -> None:
    services: GatewayServices = session.workbench
    document, _ = services.routes_now()
    for route in document.routes:
        slots = " → ".join(f"{slot.account}/{slot.model or '*'}" for slot in route.slots)
        session.answer(f"{route.name}  {', '.join(route.match)}  {slots}")


@routes.command("set", cls=Page)
@click.argument("route")
@click.argument("accounts", nargs=-1, required=True, metavar="ACCOUNT...")
@click.option("--override", "overrides", multiple=True, metavar="ACCOUNT=JSON")
@click.pass_obj
def set_route(session: Session, route: str, accounts: tuple[str, ...], overrides: tuple[str, ...]) -> None:
    from perilune.faces.cli.routing import order_route, read_overrides

    services: GatewayServices = session.workbench
    order = order_route(session.workbench, route, accounts, read_overrides(overrides, session.workbench))
    session.answer(session.voice.say("gateway.routes.set", route=route, order=" → ".join(order)))
    for note in services.lint_routes(route):
        session.warn(note)


@command.command("env", cls=Page)
@click.argument("client", type=click.Choice(sorted(CLIENTS)))
@click.option("--key", "key", metavar="KEY", default=PLACEHOLDER_KEY)
@click.pass_obj
def env(session: Session, client: str, key: str) -> None:
    services: GatewayServices = session.workbench
    document, _ = services.routes_now()
    model = next((slot.model for route in document.routes for slot in route.slots if slot.model), "default")
    settings = CLIENTS[client]
    session.machine_text(client_settings(client, f"http://{document.listen}", key, model) + "\n")
    if settings.form == "sh":
        session.note(session.voice.say("gateway.env.profile", client=client))
        return
    session.note(session.voice.say("gateway.env.file", file=settings.file))
    if "PERILUNE_GATEWAY_KEY" in settings.text:
        session.note(session.voice.say("gateway.env.key", key=key))


@command.command("try", cls=Page)
@click.argument("model")
@click.option("--explain", is_flag=True)
@click.option("--priority", type=click.Choice(["interactive", "review", "batch"]), default="interactive")
@click.option("--show-body", "shows_body", is_flag=True)
@click.pass_obj
def try_(session: Session, model: str, explain: bool, priority: str, shows_body: bool) -> int:
    services: GatewayServices = session.workbench
    if explain:
        session.answer("\n".join(explain_lines(services.dry_run(model, priority), session.voice)))
    if explain or shows_body:
        _show_previews(session, services.preview_model(model), shows_body=shows_body)
        return 0
    tried = services.try_model(model, session.voice)
    if tried.problem is not None:
        return session.fail(tried.problem)
    session.answer("\n".join(try_lines(tried, session.voice)))
    return 0


def _show_previews(session: Session, previews: "Sequence[Preview]", *, shows_body: bool) -> None:
    """What is odd about each slot, and its final body when that is wanted."""
    from perilune.faces.cli.previewed import preview_lines

    for preview in previews:
        if shows_body:
            session.answer("\n".join(preview_lines(preview, session.voice)))
        for note in preview.lints:
            session.warn(note)


def explain_lines(slots: Sequence[TriedSlot], voice: Voice) -> list[str]:
    """One line a slot, in order."""
    lines = []
    for number, slot in enumerate(slots, 1):
        if slot.is_usable:
            lines.append(voice.say("gateway.explain.usable", number=number, slot=slot.slot))
            continue
        reason = slot.reason or ""
        if slot.until is not None:
            reason = voice.say("gateway.explain.until", reason=reason, clock=voice.clock(slot.until))
        lines.append(voice.say("gateway.explain.skipped", number=number, slot=slot.slot, reason=reason))
    return [*lines, voice.say("gateway.explain.sends_nothing")]


def try_lines(tried: Try, voice: Voice) -> list[str]:
    """What one small request gave."""
    cost = voice.say("gateway.try.plan_quota") if tried.is_quota else tried.cost or voice.say("gateway.try.no_price")
    head = voice.say(
        "gateway.try.head",
        route=tried.route or "–",
        slot=tried.slot or "–",
        model=tried.model or "–",
        thinking=tried.thinking or "–",
    )
    figures = voice.say(
        "gateway.try.figures",
        first="–" if tried.first_ms is None else f"{tried.first_ms / 1000:.1f}",
        total=f"{tried.total_ms / 1000:.1f}",
        input="–" if tried.input_tokens is None else tried.input_tokens,
        output="–" if tried.output_tokens is None else tried.output_tokens,
        cost=cost,
    )
    request = voice.say("gateway.try.request", request=tried.request_id, attempts=tried.attempts)
    return [head, figures, f'"{tried.text}"', request]
