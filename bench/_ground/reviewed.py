"""Pull requests to be reviewed by processes that are killed, and what came of each at the vendor and the forge."""

import asyncio
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from perilune.core.addresses import host_of
from perilune.review.trigger import Where
from perilune.sandbox import World, start_sandbox
from perilune.sandbox.forge.app import ForgeApp
from perilune.sandbox.forge.faults import CallFault
from perilune.sandbox.forge.state import DIALECTS, Dialect, Forge, Pull, Repository
from perilune.sandbox.speech.asked import Asked
from perilune.sandbox.speech.script import Line

UNITS = 4
LINES = 380  # of which each unit of a plan that pays by the token holds one file
BOT = "perilune-bot"


class Trial(Struct, kw_only=True):
    """One pull request. `calls` are the moments at which the vendor was asked for each of its units."""

    number: int
    forge: Forge
    repository: Repository
    pull: Pull
    calls: dict[str, list[float]] = field(default_factory=dict)

    def where(self, url: str) -> Where:
        return Where(
            forge=self.forge.dialect, host=host_of(f"{url}/{self.forge.dialect}"), repository=self.repository.path,
            number=self.pull.number,
        )  # fmt: skip

    def faults(self) -> list[str]:
        """What is not as one review published once leaves it."""
        found = []
        places = sorted(thread.path for thread in self.pull.threads)
        if places != [_path(self.number, unit) for unit in range(UNITS)]:
            found.append(f"comments on {places}")
        summaries = sum("perilune:summary" in comment.body for comment in self.pull.comments)
        if summaries != 1:
            found.append(f"{summaries} summaries")
        if self.forge.dialect != "gitlab" and len(self.pull.reviews) != 1:
            found.append(f"{len(self.pull.reviews)} reviews")
        if self.pull.drafts:
            found.append(f"{len(self.pull.drafts)} drafts left")
        if not any(status.commit == self.pull.head for status in self.repository.statuses):
            found.append("no status")
        return found


class Ground:
    """The vendors and forges of one measurement, in a thread of their own."""

    def __init__(self, folder: Path) -> None:
        self.world = World("pong")
        self.world.speaker.answerer = self._say
        self.forges: dict[Dialect, Forge] = {dialect: Forge(dialect, folder) for dialect in DIALECTS}
        for forge in self.forges.values():
            forge.user("ada"), forge.user(BOT)
            # Every write takes its time, so that processes are killed in the middle of some.
            forge.faults.add(CallFault(method="P*", replaces=False, delay_s=0.15, times=10**9))
        self.trials: list[Trial] = []
        self.url = ""
        self._chance = random.Random(20261120)

    def open_trial(self) -> Trial:
        """Another pull request, the forges in turn."""
        number = len(self.trials)
        forge = self.forges[DIALECTS[number % len(DIALECTS)]]
        with forge.lock:
            repository = forge.repository(f"team/t{number}", {"ada": "write", BOT: "write"})
            base = repository.bare.commit("refs/heads/main", {"README": "begun\n"}, "Begin")
            files: dict[str, str | None] = {_path(number, unit): _text(number, unit) for unit in range(UNITS)}
            repository.bare.commit("refs/heads/topic", files, "Add figures", parent=base)
            pull = repository.open_pull(forge.users["ada"], head="topic", title="Add figures", body="As asked.")
        trial = Trial(number=number, forge=forge, repository=repository, pull=pull)
        self.trials.append(trial)
        return trial

    def _say(self, asked: Asked) -> Line | None:
        text = asked.text
        trial = next((one for one in reversed(self.trials) if f"t{one.number}u" in text), None)
        if trial is None:
            return None
        takes_s = self._chance.uniform(0.2, 1.5)
        if "\nid: " in text:
            trial.calls.setdefault("verify", []).append(time.time())
            return Line(json=_verdicts(text), first_content_s=takes_s)
        units = [unit for unit in range(UNITS) if _path(trial.number, unit) in text]
        for unit in units:
            trial.calls.setdefault(_path(trial.number, unit), []).append(time.time())
        findings = [_finding(trial.number, unit) for unit in units]
        return Line(json={"findings": findings, "files_reviewed": []}, first_content_s=takes_s)


@contextmanager
def played(folder: Path) -> Iterator[Ground]:
    """The ground of one measurement, listening."""
    ground, loop = Ground(folder), asyncio.new_event_loop()
    started, stop = threading.Event(), asyncio.Event()

    async def play() -> None:
        handle = await start_sandbox(ground.world, forges=ForgeApp(ground.forges))
        ground.url = handle.url
        started.set()
        await stop.wait()
        await handle.stop()

    thread = threading.Thread(target=lambda: loop.run_until_complete(play()), daemon=True)
    thread.start()
    started.wait(30)
    try:
        yield ground
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)


def _path(trial: int, unit: int) -> str:
    return f"t{trial}u{unit}.py"


def _mark(trial: int, unit: int) -> str:
    return f"total_t{trial}u{unit} = 7"


def _text(trial: int, unit: int) -> str:
    return "".join(f"v{line} = {line}\n" for line in range(LINES)) + _mark(trial, unit) + "\n"


def _finding(trial: int, unit: int) -> dict[str, Any]:
    return {
        "path": _path(trial, unit), "side": "new", "quote": _mark(trial, unit), "start_line": 0, "end_line": 0,
        "category": "bug", "severity": "high", "confidence": 90, "title": f"Total {unit} of {trial} is a constant",
        "body": "It does not follow its parts. Add them up.", "trigger": "any other part", "evidence": [],
        "suggestion": {"replace_quote": "", "replacement": ""}, "rule": "",
    }  # fmt: skip


def _verdicts(text: str) -> dict[str, Any]:
    rows = []
    for block in text.split("\nid: ")[1:]:
        quote = next((line[2:] for line in block.split("\n") if line.startswith("> ") and line[2:].strip()), "")
        rows.append({
            "id": block.split("\n")[0], "verdict": "confirmed", "reason": "as shown", "evidence_quote": quote,
            "severity": "",
        })  # fmt: skip
    return {"verdicts": rows}
