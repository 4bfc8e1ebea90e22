"""The control surface of the played forges: see and change them over HTTP, all of it JSON."""

from collections.abc import Mapping
from typing import Any

import msgspec

from perilune.sandbox.forge.faults import CallFault
from perilune.sandbox.forge.hooks import Hook, Hooks, deliver
from perilune.sandbox.forge.rules import Behaviour
from perilune.sandbox.forge.state import Dialect, Forge, Pull, Repository
from perilune.sandbox.http.reply import Reply
from perilune.sandbox.http.request import Request

PREFIX = "/_forge/"


def control(forges: Mapping[Dialect, Forge], hooks: Hooks, request: Request) -> Reply:
    """Answers one request under `/_forge/`: `hooks`, `DIALECT/state`, `/behaviour`, `/faults`, `/journal`."""
    parts = request.path.removeprefix(PREFIX).split("/")
    try:
        if parts == ["hooks"]:
            return _hooks(hooks, request)
        forge = next((one for name, one in forges.items() if name == parts[0]), None)
        if forge is None or len(parts) != 2 or parts[1] not in _PARTS:
            return Reply.json({"error": "no such part", "known": sorted(_PARTS), "forges": sorted(forges)}, 404)
        with forge.lock:
            return _PARTS[parts[1]](forge, request)
    except (msgspec.ValidationError, msgspec.DecodeError, KeyError, TypeError) as error:
        return Reply.json({"error": f"{type(error).__name__}: {error}"}, 400)


def _hooks(hooks: Hooks, request: Request) -> Reply:
    """GET lists deliveries; POST registers a hook, or with `{"again": ID}` sends a delivery once more."""
    if request.method == "POST":
        given = request.json()
        if "again" in given:
            deliver(next(one for one in hooks.sent if one.id == given["again"]))
        else:
            hooks.register(msgspec.convert(given, Hook))
    rows = [{"id": one.id, "event": one.event, "url": one.url, "status": one.status} for one in hooks.sent]
    return Reply.json({"deliveries": rows})


def _state(forge: Forge, request: Request) -> Reply:
    pulls = [(one, pull) for one in forge.repositories.values() for pull in one.pulls.values()]
    rows = [_pull(repository, pull) for repository, pull in pulls]
    people = [{"login": user.login, "token": user.token} for user in forge.users.values()]
    return Reply.json({"pulls": rows, "users": people, "failures": forge.failures})


def _pull(repository: Repository, pull: Pull) -> dict[str, Any]:
    counts = {"reviews": len(pull.reviews), "threads": len(pull.threads), "comments": len(pull.comments)}
    return {"repository": repository.path, "number": pull.number, "head": pull.head, "state": pull.state, **counts}


def _behaviour(forge: Forge, request: Request) -> Reply:
    """POST merges settings into the behaviour."""
    if request.method == "POST":
        merged = {**msgspec.to_builtins(forge.behaviour), **request.json()}
        forge.behaviour = msgspec.convert(merged, Behaviour)
    return Reply.json(forge.behaviour)


def _faults(forge: Forge, request: Request) -> Reply:
    """POST adds a fault; DELETE drops all."""
    if request.method == "POST":
        forge.faults.add(msgspec.convert(request.json(), CallFault))
    if request.method == "DELETE":
        forge.faults.clear()
    return Reply.json({"faults": forge.faults.waiting})


def _journal(forge: Forge, request: Request) -> Reply:
    if request.method == "DELETE":
        forge.journal.clear()
    return Reply.json({"calls": forge.journal.entries})


_PARTS = {"state": _state, "behaviour": _behaviour, "faults": _faults, "journal": _journal}
