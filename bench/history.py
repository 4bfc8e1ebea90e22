"""History of a million samples against a full scan, and forecasts of "empty at" over replayed days.

The samples are made, not taken from anybody: accounts read every few minutes for two months. The days are drawn from
habits (office hours, evenings, weekends, bursts) with fixed seeds, used without a limit, so that the truth is known.
"""

import os
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from bench.statusline import percentile
from perilune.monitor.history import Asked, history
from perilune.quota.forecast import confidence_of, of_cycle
from perilune.quota.pace import pace_of
from perilune.quota.samples import Sample
from perilune.quota.snapshot import Window
from perilune.quota.workdays import WorkWeek
from perilune.store.engine import Store, open_store
from perilune.store.histories import histories
from perilune.store.times import to_ms
from perilune.store.versions import HEAD

SAMPLES = int(os.environ.get("BENCH_SAMPLES", "1000000"))
RUNS = int(os.environ.get("BENCH_RUNS", "20"))
PEOPLE = int(os.environ.get("BENCH_PEOPLE", "24"))
CHART_FLOOR_MS, CHART_GOAL_MS = 100, 30
ERROR_FLOOR, ERROR_GOAL = 0.10, 0.05
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAYS = 56
ACCOUNTS = 8
SPANS = {"5h": timedelta(hours=5), "7d": timedelta(days=7), "month": timedelta(days=30)}
SCAN = """
SELECT account, "window", at / 86400000, MAX(CAST(used_ratio AS REAL)) FROM window_samples NOT INDEXED
WHERE at >= ? GROUP BY account, "window", at / 86400000
"""


def sample_rows(count: int) -> Iterator[tuple[object, ...]]:
    """Readings of all accounts and windows, evenly over two months, in the order of time."""
    each = count // (ACCOUNTS * len(SPANS))
    step = timedelta(days=DAYS) / each
    for number in range(each):
        at = NOW - timedelta(days=DAYS) + step * number
        for account in range(ACCOUNTS):
            for window, span in SPANS.items():
                since = (at - datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=account)) % span
                used = f"{since / span * (0.4 + account / 10):.4f}"
                yield f"account{account}", window, to_ms(at), used, to_ms(at - since + span), "usages", True, False


def make_store(path: Path) -> tuple[Store, float]:
    """A store with the samples, brought up from a version that had no hours; gives the seconds that took."""
    open_store(path).close()
    columns = 'account, "window", at, used_ratio, resets_at, origin, is_reliable, has_conflict'
    with closing(sqlite3.connect(path)) as connection:
        connection.executemany(
            f"INSERT INTO window_samples ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", sample_rows(SAMPLES)
        )
        for table in ("window_hours", "local_use", "local_logs"):
            connection.execute(f"DROP TABLE {table}")
        connection.execute("UPDATE alembic_version SET version_num = ?", (f"{int(HEAD) - 1:04}",))
        connection.commit()
    began = time.perf_counter()
    return open_store(path), time.perf_counter() - began


def taken_ms(work: object) -> list[float]:
    """Milliseconds of each run."""
    found = []
    for _ in range(RUNS):
        began = time.perf_counter()
        work()  # type: ignore[operator]
        found.append((time.perf_counter() - began) * 1000)
    return found


def charts(store: Store, path: Path) -> dict[str, list[float]]:
    """The 30-day chart, the whole document, what a forecast reads, and the same chart by a scan of all samples."""
    since = NOW - timedelta(days=30)

    def chart() -> object:
        return history(store, Asked(since=since, until=NOW, by="day", zone=UTC, with_cycles=False))

    def document() -> object:
        return history(store, Asked(since=since, until=NOW, by="day", zone=UTC))

    def scan() -> object:
        with closing(sqlite3.connect(path)) as connection:
            return connection.execute(SCAN, (to_ms(since),)).fetchall()

    return {
        "full scan of the samples": taken_ms(scan),
        "30-day chart": taken_ms(chart),
        "30 days with every run of a window": taken_ms(document),
        "readings behind a forecast, 56 days": taken_ms(lambda: histories(store, NOW)),
    }


# -- replayed days ---------------------------------------------------------------------------------------------------


class Person:
    """Somebody's habits: how likely each hour of the week is used, and how hard."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.begins, self.ends = self.dice.choice([(9, 18), (10, 19), (8, 16), (13, 23), (20, 26)])
        self.weekend = self.dice.choice([0.0, 0.1, 0.5, 1.0])
        self.weekly = self.dice.uniform(0.8, 1.6)  # of the 7-day window, in an ordinary week
        self.short_share = self.dice.uniform(6, 14)  # full 5-hour windows in a full week

    def weeks(self, count: int) -> list[list[float]]:
        """What is used of the 7-day window in each five minutes of each week."""
        return [self._week() for _ in range(count)]

    def _week(self) -> list[float]:
        mood = max(self.dice.gauss(1, 0.2), 0.2)
        slots = []
        is_busy = False
        for slot in range(7 * 288):
            day, hour = divmod(slot / 12, 24)
            likely = self._likely(int(day), hour)
            if self.dice.random() < 1 / 9:  # a stretch of work or rest lasts three quarters of an hour
                is_busy = self.dice.random() < likely
            slots.append(max(self.dice.gauss(1, 0.4), 0) * mood if is_busy and likely else 0.0)
        ordinary = sum(self._likely(int(slot / 288), slot / 12 % 24) for slot in range(7 * 288)) or 1
        return [slot * self.weekly / ordinary for slot in slots]

    def _likely(self, day: int, hour: float) -> float:
        is_on = self.begins <= hour < self.ends or hour < self.ends - 24
        return (0.75 if is_on else 0.02) * (self.weekend if day >= 5 else 1.0)


Curve = list[tuple[datetime, float]]


def readings(person: Person, weeks: int) -> tuple[Curve, Curve]:
    """Use at each five minutes, without a limit: of the week, and of 5-hour windows that begin with a request."""
    start = NOW - timedelta(days=7 * weeks)
    at, long, short = start, [], []
    window_began: datetime | None = None
    used_short = 0.0
    for week in person.weeks(weeks):
        used_long = 0.0
        for slot in week:
            at += timedelta(minutes=5)
            if window_began is not None and at - window_began > SPANS["5h"]:
                window_began, used_short = None, 0.0
            if slot and window_began is None:
                window_began = at - timedelta(minutes=5)
            used_long += slot
            used_short += slot * person.short_share
            long.append((at, used_long))
            short.append((at, used_short if window_began else 0.0))
    return long, short


def long_errors(person: Person, weeks: int, *, with_past: bool) -> list[float | None]:
    """Errors of each forecast of the last week, every three hours, as shares of the window; None is not known."""
    curve, _ = readings(person, weeks)
    per_week = 7 * 288
    past: list[Sample] = []
    found: list[float | None] = []
    for week in range(weeks):
        rows = curve[week * per_week : (week + 1) * per_week]
        start = rows[0][0] - timedelta(minutes=5)
        end = start + SPANS["7d"]
        samples = [_sample(at, used, end) for at, used in rows[::12]]  # the last of each hour
        if week == weeks - 1:
            truth = next((at for at, used in rows if used >= 1), end)
            for number in range(3, len(samples), 3):
                known = [*past, *samples[:number]] if with_past else samples[:number]
                found.append(_error("7d", known, rows[number * 12 - 12], truth, end))
        past += samples
    return [error for error in found if error is None or error >= 0]


def short_errors(person: Person) -> list[float | None]:
    """The same for the 5-hour windows of two weeks, every quarter of an hour."""
    _, curve = readings(person, 2)
    found: list[float | None] = []
    for rows in _windows(curve):
        start = rows[0][0] - timedelta(minutes=5)
        end = start + SPANS["5h"]
        samples = [_sample(at, used, end) for at, used in rows]
        truth = next((at for at, used in rows if used >= 1), end)
        steps = range(3, len(rows), 3)
        found.extend(_error("5h", samples[:number], rows[number - 1], truth, end) for number in steps)
    return [error for error in found if error is None or error >= 0]


def _windows(curve: Curve) -> Iterator[Curve]:
    """Runs of a 5-hour window: from one with use to the next without."""
    run: Curve = []
    for at, used in curve:
        if used and (not run or used >= run[-1][1]):
            run.append((at, used))
        else:
            if run:
                yield run
            run = [(at, used)] if used else []


def _sample(at: datetime, used: float, end: datetime) -> Sample:
    return Sample(at=at, used_ratio=Decimal(str(round(used, 4))), resets_at=end, readings=6)


def _error(
    window: str, known: Sequence[Sample], now: tuple[datetime, float], truth: datetime, end: datetime
) -> float | None:
    """How far the forecast is off, as a share of the window; -1 where there is nothing to forecast.

    "Lasts" counts as the reset: where both the forecast and the truth say so, nothing is measured.
    """
    at, used = now
    if used >= 1:
        return -1.0
    span = SPANS[window]
    ratio = Decimal(str(round(used, 4)))
    marks = [
        (one.at.timestamp(), float(one.used_ratio or 0), (one.resets_at or end).timestamp(), None) for one in known
    ]
    state = Window(id=window, label=window, span_s=int(span.total_seconds()), used_ratio=ratio, resets_at=end)
    pace = pace_of(state, at, WorkWeek(), lambda _: marks)
    is_sure = confidence_of(of_cycle(known, end), span) is not None
    said = None if pace is None or not is_sure else pace.empty_at or end
    if said is None:
        return None if truth < end else -1.0
    return -1.0 if said == end and truth == end else abs(said - truth) / span


def forecast_rows() -> Iterator[str]:
    """One line for each kind of window and method."""
    seeds = range(PEOPLE)

    def of_weeks(weeks: int, *, with_past: bool) -> list[float | None]:
        return [error for seed in seeds for error in long_errors(Person(seed), weeks, with_past=with_past)]

    kinds = {
        "5-hour, linear": [error for seed in seeds for error in short_errors(Person(seed))],
        "7-day, linear": of_weeks(9, with_past=False),
        "7-day, with 8 past weeks": of_weeks(9, with_past=True),
        "7-day, with 3 past weeks": of_weeks(4, with_past=True),
    }
    everything = [error for errors in kinds.values() for error in errors]
    for name, errors in [*kinds.items(), ("all", everything)]:
        known = [error for error in errors if error is not None]
        middle, high = statistics.median(known), percentile(known, 0.9)
        limits = f"{ERROR_FLOOR:.0%} | {ERROR_GOAL:.0%}"
        yield f"| {name} | {len(known)} | {len(errors) - len(known)} | {middle:.1%} | {high:.1%} | {limits} |"


def main() -> None:
    """Print the tables."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "perilune.db"
        store, migration_s = make_store(path)
        taken = charts(store, path)
        store.close()
    scan = percentile(taken["full scan of the samples"], 0.5)
    print(f"{SAMPLES:,} samples of {ACCOUNTS} accounts in {DAYS} days; {RUNS} runs each, in one process.")
    print(f"Bringing such a store up to date took {migration_s:.1f} s, once.\n")
    print("| Measure | p50, ms | p95, ms | Full scan ÷ it | Floor, ms | Goal, ms |\n|---|---|---|---|---|---|")
    for name, values in taken.items():
        floor = (CHART_FLOOR_MS, CHART_GOAL_MS) if name == "30-day chart" else ("–", "–")
        half, most = percentile(values, 0.5), percentile(values, 0.95)
        print(f"| {name} | {half:.1f} | {most:.1f} | {scan / half:.1f} | {floor[0]} | {floor[1]} |")
    print(f'\nForecasts of "empty at" over replayed days of {PEOPLE} people, errors as shares of the window:\n')
    print("| Window, method | Forecasts | Not known | Median error | 90 % below | Floor | Goal |")
    print("|---|---|---|---|---|---|---|")
    for line in forecast_rows():
        print(line, flush=True)


if __name__ == "__main__":
    main()
