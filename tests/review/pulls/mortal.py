"""Workers that die: after a chosen call nothing of them does anything any more, as if the process had been killed."""

import contextlib
import importlib
import inspect
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest
from msgspec import structs
from tests.review.pulls.desk import Desk, PullOfScene
from tests.support.forges import waiting

from perilune.review.jobs.worker import Pace, Worker
from perilune.review.ports import ModelAnswer
from perilune.review.publish.outbox import OutboxRow
from perilune.review.pulls.carry import Carry
from perilune.review.pulls.commands import PullCommands
from perilune.review.pulls.work import PullReviews
from perilune.review.services import ReviewServices
from perilune.review.trigger import COMMAND, REVIEW, Where

SILENT = Pace(lease=timedelta(0), heartbeat_s=3600, poll_s=0.01, most_running=1)
"""Whoever runs at this pace has lost its job the moment it stops writing."""

PURE = {
    "parse": "perilune.review.run.acquire",
    "select": "perilune.review.prepare.select",
    "rules": "perilune.review.prepare.read_rules",
    "context": "perilune.review.generate.show",
    "parse-answer": "perilune.review.generate.parse_answer",
    "anchor": "perilune.review.conduct.place_all",
    "verify": "perilune.review.conduct.verify",
    "suggest": "perilune.review.conduct.settle_suggestions",
    "rank": "perilune.review.conduct.rank",
}


class Gone(BaseException):
    """The process is gone."""


class Life:
    """One process. It ends after the call `dies_at`."""

    def __init__(self, dies_at: str | None = None) -> None:
        self.dies_at = dies_at
        self.calls: list[str] = []
        self.is_over = False

    def go_on(self) -> None:
        if self.is_over:
            raise Gone

    def done(self, call: str) -> None:
        self.calls.append(call)
        if call == self.dies_at:
            self.is_over = True
            raise Gone


class Mortal:
    """What somebody does as long as they live."""

    def __init__(self, target: Any, life: Life, name: str) -> None:
        self._target = target
        self._life = life
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        found = getattr(self._target, attribute)
        return during(found, self._life, f"{self._name}.{attribute}") if callable(found) else found


def during(work: Callable[..., Any], life: Life, call: str) -> Callable[..., Any]:
    """A function that ends with the life it belongs to."""

    async def later(*given: Any, **named: Any) -> Any:
        life.go_on()
        made = await work(*given, **named)
        life.done(_named(call, given))
        return made

    def now(*given: Any, **named: Any) -> Any:
        life.go_on()
        made = work(*given, **named)
        life.done(_named(call, given))
        return made

    return later if inspect.iscoroutinefunction(work) else now


def _named(call: str, given: tuple[Any, ...]) -> str:
    """A call with what tells it from others of its kind."""
    match call, given:
        case "outbox.keep", (OutboxRow(kind=kind, state=state), *_):
            return f"{call} {kind} {state}"
        case "queue.keep_step", (_, str(name), *_):
            return f"{call} {name}"
        case "answers.put", (_, ModelAnswer(text=text), *_):
            passes = {"verdicts": "verify", "findings": "generate"}
            return f"{call} {next((name for key, name in passes.items() if key in text), 'explain')}"
        case _:
            return call


class MortalDesk:
    """The access of one life."""

    def __init__(self, desk: Desk, life: Life) -> None:
        self._desk = desk
        self._life = life
        self.records = Mortal(desk.records, life, "records")
        self.outbox = Mortal(desk.outbox, life, "outbox")
        self.reviewed = during(desk.reviewed, life, "reviewed")
        self.settings = desk.settings
        self.voice = desk.voice
        self.spent = desk.spent

    @contextlib.asynccontextmanager
    async def open(self, where: Where) -> AsyncIterator[PullOfScene]:
        async with self._desk.open(where) as opened:
            opened.forge = Mortal(opened.forge, self._life, "forge")  # type: ignore[assignment]
            yield opened

    def services(self) -> ReviewServices:
        services = self._desk.services()
        return structs.replace(
            services,
            answers=Mortal(services.answers, self._life, "answers"),
            answerer=Mortal(services.answerer, self._life, "answerer"),
            reservations=Mortal(services.reservations, self._life, "reservations"),
        )


def mortal_worker(desk: Desk, life: Life, monkeypatch: pytest.MonkeyPatch, pace: Pace = SILENT) -> Worker:
    """A worker of one life; what it computes between its calls ends with it too."""
    for stage, place in PURE.items():
        module, _, name = place.rpartition(".")
        original = _ORIGINALS.setdefault(place, getattr(importlib.import_module(module), name))
        monkeypatch.setattr(place, during(original, life, stage))
    settle = _ORIGINALS.setdefault("settle", Carry.settle)
    monkeypatch.setattr(Carry, "settle", during(settle, life, "dedupe"))
    access = MortalDesk(desk, life)
    queue = Mortal(desk.jobs, life, "queue")
    now, pause = desk.scene.clock.now, waiting(desk.scene.clock)
    handlers = {
        REVIEW: PullReviews(access, now, pause, lambda: 1.0),
        COMMAND: PullCommands(access, queue, now, pause),
    }
    return Worker("mortal", queue, handlers, pace, now)


_ORIGINALS: dict[str, Any] = {}
