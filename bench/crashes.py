"""Review workers killed with SIGKILL at random moments: what is bought and published twice is counted.

Vendors and forges are the shipped sandbox, in this process. The workers are processes of their own over one home;
three reviews are under way at any time, one on each forge. Their lease, heartbeat and look-twice spans are a tenth of
what the service uses, so that a takeover takes about 3 seconds instead of 30. A model call counts as bought again when
the vendor is asked for a unit whose answer was in the store by then. Exits with 1 when anything was.
"""

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from sqlalchemy import select
from tests.support.databases import HAS_POSTGRES, postgres_running

from bench._ground.reviewed import BOT, Ground, Trial, played
from perilune.compose.workbench import Workbench
from perilune.review.ports import ModelAnswer
from perilune.review.trigger import PullJob
from perilune.sandbox.forge.state import DIALECTS
from perilune.store.engine import Store, open_store
from perilune.store.job_rows import JobState, NewJob
from perilune.store.jobs import Jobs
from perilune.store.schema import review_answers

KILLS = int(os.environ.get("BENCH_KILLS", "32"))
KILLS_POSTGRES = int(os.environ.get("BENCH_KILLS_POSTGRES", "20"))
UNDER_WAY = 3
LIMIT_S = 180
KEY = "sk-EXAMPLE0sandbox0moonshot0intl0000000000001"
ENDED = (JobState.DONE, JobState.FAILED, JobState.CANCELLED, JobState.SUPERSEDED)


class Counted(msgspec.Struct, kw_only=True):
    """What one configuration came to."""

    database: str
    workers: int
    kills: int
    reviews: int
    calls: int
    distinct: int
    violations: list[str]
    slowest_s: float


class Crew:
    """Worker processes of one home; one is killed, another takes its place."""

    def __init__(self, environment: dict[str, str], count: int) -> None:
        self._environment = environment
        self._members = [self._started() for _ in range(count)]

    @property
    def numbers(self) -> list[int]:
        """The processes' numbers."""
        return [member.pid for member in self._members]

    def _started(self) -> "subprocess.Popen[bytes]":
        return subprocess.Popen([sys.executable, "-m", "bench._ground.review_worker"], env=self._environment)

    def kill(self, which: int) -> None:
        self._members[which].send_signal(signal.SIGKILL)
        self._members[which].wait()
        self._members[which] = self._started()

    def lose(self, which: int) -> None:
        """Kill one for good."""
        self._members[which].send_signal(signal.SIGKILL)
        self._members[which].wait()

    def end(self) -> None:
        for member in self._members:
            member.kill()
            member.wait()


class Measured:
    """One configuration under way."""

    def __init__(self, ground: Ground, store: Store, crew: Crew, wanted: int) -> None:
        self._ground = ground
        self._jobs = Jobs(store)
        self._store = store
        self._crew = crew
        self._wanted = wanted
        self._begun: dict[str, tuple[Trial, float]] = {}
        self._chance = random.Random(wanted)
        self._moments: dict[int, float] = {}
        self.kills = 0
        self.slowest_s = 0.0
        self.violations: list[str] = []

    def run(self) -> None:
        """Kill until it is enough, then let everything end."""
        limit = time.monotonic() + LIMIT_S + self._wanted * 8
        while self._begun or self.kills < self._wanted:
            if time.monotonic() > limit:
                self.violations.append(f"{len(self._begun)} reviews never ended")
                return
            self._settle()
            if self.kills < self._wanted:
                while len(self._begun) < UNDER_WAY:
                    self._begin()
                self._kill()
            time.sleep(0.05)

    def _kill(self) -> None:
        """End one that has work, a random while after it took it up."""
        workers = {row.worker for row in self._jobs.recent(UNDER_WAY * 2, open_only=True) if row.worker is not None}
        now = time.monotonic()
        for which, number in enumerate(self._crew.numbers):
            if any(worker.endswith(f" {number}") for worker in workers):
                self._moments.setdefault(number, now + self._chance.uniform(0.0, 5.0))
            if now >= self._moments.get(number, now + 1) and self.kills < self._wanted:
                self._crew.kill(which)
                self.kills += 1

    def _begin(self) -> None:
        trial = self._ground.open_trial()
        name = f"run-{trial.number}"
        job = PullJob(where=trial.where(self._ground.url), head=trial.pull.head)
        new = NewJob(id=name, key=name, kind="review", input=msgspec.json.encode(job), repository=name)
        self._jobs.submit(new, datetime.now(UTC))
        self._begun[name] = (trial, time.monotonic())

    def _settle(self) -> None:
        for name, (trial, began) in list(self._begun.items()):
            row = self._jobs.row(name)
            if row is None or row.state not in ENDED:
                continue
            del self._begun[name]
            self.slowest_s = max(self.slowest_s, time.monotonic() - began)
            faults = trial.faults() if row.state is JobState.DONE else [f"{row.state.value}: {row.reason}"]
            self.violations += [f"{trial.forge.dialect} {name}: {fault}" for fault in faults]

    def handed_on(self) -> float:
        """One review, whose worker is killed and not replaced."""
        self._begin()
        first = self._worker_of("run-0", None)
        which = next(index for index, number in enumerate(self._crew.numbers) if first.endswith(f" {number}"))
        self._crew.lose(which)
        died = time.monotonic()
        self._worker_of("run-0", first)
        return time.monotonic() - died

    def _worker_of(self, name: str, other_than: str | None) -> str:
        limit = time.monotonic() + LIMIT_S
        while time.monotonic() < limit:
            row = self._jobs.row(name)
            if row is not None and row.worker not in (None, other_than):
                return row.worker or ""
            time.sleep(0.05)
        raise TimeoutError(f"nobody took {name}")

    def bought_again(self) -> list[str]:
        """Calls for units whose answer was kept already."""
        kept: dict[str, float] = {}
        with self._store.read() as connection:
            rows = connection.execute(select(review_answers.c.document, review_answers.c.at)).all()
        for document, at in rows:
            text = msgspec.json.decode(document, type=ModelAnswer).text
            for trial in self._ground.trials:
                for unit in trial.calls:
                    if unit != "verify" and f'"{unit}"' in text:
                        kept[unit] = at / 1000
        found = [
            f"{unit} was asked for again"
            for trial in self._ground.trials for unit, moments in trial.calls.items()
            if unit in kept and any(moment > kept[unit] + 0.002 for moment in moments)
        ]  # fmt: skip
        missing = [unit for trial in self._ground.trials for unit in trial.calls if unit not in (*kept, "verify")]
        return [*found, *(f"the answer for {unit} was not kept" for unit in missing)]


def measured(database: str, workers: int, kills: int, folder: Path, server: str | None) -> Counted:
    """One configuration from its start to its last review."""
    folder.mkdir()
    with played(folder / "forges") as ground:
        ground.world.set("moonshot-intl", tier=2)  # rates are not what is measured
        environment = home(folder, ground.url, server)
        target = server or str(Workbench(environment).paths.store_file)
        store = open_store(target)
        crew = Crew(environment, workers)
        try:
            measuring = Measured(ground, store, crew, kills)
            measuring.run()
            again = measuring.bought_again()
        finally:
            crew.end()
            store.close()
        calls = [moments for trial in ground.trials for moments in trial.calls.values()]
        failures = [failure for forge in ground.forges.values() for failure in forge.failures]
        return Counted(
            database=database, workers=workers, kills=measuring.kills, reviews=len(ground.trials),
            calls=sum(len(moments) for moments in calls), distinct=len(calls), slowest_s=measuring.slowest_s,
            violations=[*measuring.violations, *again, *failures],
        )  # fmt: skip


def taken_over(folder: Path) -> float:
    """Seconds from the death of a worker for good to the moment at which another has its review, at the true spans."""
    folder.mkdir()
    with played(folder / "forges") as ground:
        environment = home(folder, ground.url, None) | {"BENCH_SCALE": "1"}
        store = open_store(Workbench(environment).paths.store_file)
        crew = Crew(environment, 2)
        try:
            measuring = Measured(ground, store, crew, 1)
            return measuring.handed_on()
        finally:
            crew.end()
            store.close()


def home(folder: Path, url: str, server: str | None) -> dict[str, str]:
    """A home with one account and three forges; gives the environment of its user."""
    home = folder / "home"
    home.mkdir(mode=0o700)
    forges = [
        f'[[forges]]\nname = "{name}"\nforge = "{name}"\nbase_url = "{url}/{name}"\ntoken = "env:BENCH_FORGE"\n'
        for name in DIALECTS
    ]
    account = '[[accounts]]\nname = "ci"\nplan = "moonshot"\nregion = "intl"\nkey = "env:BENCH_KEY"\n'
    route = '[[gateway.routes]]\nname = "default"\nmatch = ["*"]\nslots = [{ account = "ci", model = "kimi-k2.6" }]\n'
    budget = "[review]\nmax_running = 3\n[review.budget]\nmax_share = 1.0\n"
    config = home / "config.toml"
    config.write_text("\n".join(["schema = 1\n", account, *forges, route, budget]), encoding="utf-8")
    config.chmod(0o600)
    environment = os.environ | {
        "PERILUNE_HOME": str(home), "PERILUNE_UPSTREAM": url, "BENCH_KEY": KEY, "LC_ALL": "C.UTF-8",
        "BENCH_FORGE": f"token-of-{BOT}-EXAMPLE",
    }  # fmt: skip
    return environment | ({"PERILUNE_DATABASE_URL": server} if server is not None else {})


@contextmanager
def servers() -> Iterator[str | None]:
    """A PostgreSQL server where one is installed."""
    with ExitStack() as stack:
        yield stack.enter_context(postgres_running()) if HAS_POSTGRES else None


def table(rows: Sequence[Counted]) -> Iterator[str]:
    """The counts as Markdown."""
    yield "| Database | Workers | Kills | Reviews | Calls | Units | Asked again, answer not kept | Violations |"
    yield "|---|---:|---:|---:|---:|---:|---:|---:|"
    for row in rows:
        again = row.calls - row.distinct
        counts = (row.kills, row.reviews, row.calls, row.distinct, again, len(row.violations))
        yield f"| {row.database} | {row.workers} | {' | '.join(str(count) for count in counts)} |"


def main() -> None:
    rows: list[Counted] = []
    with tempfile.TemporaryDirectory(prefix="perilune-crashes-") as name, servers() as server:
        rows += [measured("SQLite", count, KILLS, Path(name) / f"sqlite-{count}", None) for count in (1, 2)]
        if server is not None and KILLS_POSTGRES:
            rows.append(measured("PostgreSQL", 2, KILLS_POSTGRES, Path(name) / "postgres", server))
        took_s = taken_over(Path(name) / "over")
    print("\n".join(table(rows)))
    print(f"\nThe slowest review took {max(row.slowest_s for row in rows):.0f} s, its kills included.")
    print(f"At the service's own spans another worker took a review over {took_s:.0f} s after its worker was killed.")
    violations = [f"- {row.database}, {row.workers}: {words}" for row in rows for words in row.violations]
    violations += [] if took_s <= 60 else ["- the takeover took longer than 60 s"]
    if violations:
        print("\n".join(["", *violations]))
        sys.exit(1)


if __name__ == "__main__":
    main()
