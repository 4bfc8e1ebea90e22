"""The control surface: see and change the sandbox over HTTP, all of it JSON."""

from datetime import datetime
from typing import Any

import msgspec

from perilune.core.errors import UsageError
from perilune.sandbox.faults import Fault
from perilune.sandbox.http.reply import Reply
from perilune.sandbox.http.request import Request
from perilune.sandbox.scenario import scenario_names
from perilune.sandbox.world import World

PREFIX = "/_sandbox/"


class _Clock(msgspec.Struct, forbid_unknown_fields=True):
    advance_s: float = 0
    set: datetime | None = None
    is_frozen: bool | None = None


def control(world: World, request: Request) -> Reply:
    """Answers one request under `/_sandbox/`."""
    part = request.path.removeprefix(PREFIX)
    parts = {
        "state": _state, "clock": _clock, "scenario": _scenario, "requests": _requests, "faults": _faults,
        "logins": _logins, "release": _release,
    }  # fmt: skip
    if part not in parts:
        return Reply.json({"error": f"no {part}", "known": sorted(parts)}, 404)
    try:
        return parts[part](world, request)
    except (msgspec.ValidationError, msgspec.DecodeError, KeyError, TypeError) as error:
        return Reply.json({"error": f"{type(error).__name__}: {error}"}, 400)
    except UsageError as error:
        return Reply.json({"error": str(error)}, 400)


def _body(request: Request) -> Any:
    return request.json() if request.body else {}


def _state(world: World, request: Request) -> Reply:
    """GET shows all; POST merges `accounts`, `behaviour`, `script` into it."""
    if request.method == "POST":
        given = _body(request)
        for name, fields in (given.pop("accounts", None) or {}).items():
            world.set(name, **fields)
        world.behave(**(given.pop("behaviour", None) or {}))
        world.say(**(given.pop("script", None) or {}))
        if given:
            raise KeyError(", ".join(given))
    return Reply.json(world.state())


def _clock(world: World, request: Request) -> Reply:
    """GET tells the time; POST `{advance_s, set, is_frozen}` moves it."""
    if request.method == "POST":
        given = msgspec.convert(_body(request), _Clock)
        if given.is_frozen is not None:
            (world.clock.freeze if given.is_frozen else world.clock.run)()
        if given.set is not None:
            world.clock.set(given.set)
        world.advance(given.advance_s)
    return Reply.json({"now": world.now(), "is_frozen": world.clock.is_frozen})


def _scenario(world: World, request: Request) -> Reply:
    """GET names the running and the shipped ones; POST `{name}` or `{scenario: {…}}` starts one."""
    if request.method == "POST":
        given = _body(request)
        world.load(given["scenario"] if "scenario" in given else given["name"])
    return Reply.json({"scenario": world.scenario.title, "known": scenario_names()})


def _requests(world: World, request: Request) -> Reply:
    """GET lists the requests seen; DELETE forgets them."""
    if request.method == "DELETE":
        world.journal.clear()
    return Reply.json({"requests": world.requests(), "by_path": dict(world.journal.by_path)})


def _faults(world: World, request: Request) -> Reply:
    """GET lists the faults in wait; POST adds one or a list; DELETE drops them."""
    if request.method == "DELETE":
        world.clear_faults()
    if request.method == "POST":
        given = _body(request)
        for fault in msgspec.convert(given if isinstance(given, list) else [given], list[Fault]):
            world.queue_fault(fault)
    return Reply.json({"faults": world.faults.waiting})


def _logins(world: World, request: Request) -> Reply:
    """GET lists device logins; POST `{approve: CODE}` or `{deny: CODE}` decides one."""
    if request.method == "POST":
        given = _body(request)
        code = given.get("approve") or given.get("deny") or ""
        if not world.logins.decide(code, approve="approve" in given):
            raise KeyError(code)
    return Reply.json({"logins": list(world.logins.devices.values())})


def _release(world: World, request: Request) -> Reply:
    """POST `{count}` lets held answers go."""
    if request.method == "POST":
        world.release(_body(request).get("count"))
    return Reply.json({"held": world.held})
