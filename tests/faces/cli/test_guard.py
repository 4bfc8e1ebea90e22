"""`perilune guard` as scripts meet it: its line, its status, its waiting."""

import io
import json
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Struct
from tests.support.g1 import G1, NOW, WORK

from perilune.config.schema import DisplayConfig
from perilune.core.messages import Voice
from perilune.faces.cli import guard
from perilune.faces.cli.run import run
from perilune.faces.cli.session import Session
from perilune.quota.document import AccountDocument, EffectiveDocument, ErrorDocument, StatusDocument
from perilune.quota.held import Held
from perilune.quota.snapshot import ReadFailure

TIMEOUT = ReadFailure(account="work", at=NOW, code="PL-NET-TIMEOUT", facts={"host": "api.kimi.com", "seconds": "5"})


class Monitoring:
    """Accounts as they are read one after the other; the last reading stays."""

    def __init__(self, readings: list[StatusDocument], held: Mapping[str, Held]) -> None:
        self.readings, self._held = readings, held
        self.reads = 0

    def status(self, names: Sequence[str], voice: Voice, **_: bool) -> StatusDocument:
        document = self.readings[min(self.reads, len(self.readings)) - 1]
        accounts = [one for one in document.accounts if not names or one.name in names]
        return msgspec.structs.replace(document, accounts=accounts)

    def held(self) -> Mapping[str, Held]:
        return self._held

    def needs_reading(self, names: Sequence[str], *, is_asked: bool = False) -> bool:
        return True

    def read(self, names: Sequence[str], *, is_asked: bool = False) -> None:
        self.reads += 1


class Workbench:
    def __init__(self, environment: dict[str, str], monitoring: Monitoring) -> None:
        self.environment, self.monitoring = environment, monitoring
        self.moment = NOW

    def now(self) -> datetime:
        return self.moment

    def display(self) -> DisplayConfig:
        return DisplayConfig()


class Ran(Struct, frozen=True):
    status: int
    out: str
    err: str
    monitoring: Monitoring
    slept: list[float]


Guard = Callable[..., Ran]


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> Guard:
    def runs(
        *arguments: str, readings: Sequence[StatusDocument] = (G1,), held: Mapping[str, Held] = {}, **environment: str
    ) -> Ran:
        monitoring = Monitoring(list(readings), held)
        bench = Workbench({**os.environ, "TZ": "Asia/Shanghai", **environment}, monitoring)
        slept: list[float] = []

        def sleep(seconds: float) -> None:
            slept.append(seconds)
            bench.moment += timedelta(seconds=seconds)

        monkeypatch.setattr(guard.time, "sleep", sleep)
        streams = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(3)]
        session = Session(bench, stdin=streams[0], stdout=streams[1], stderr=streams[2])
        status = run(["guard", *arguments], bench, session)
        out, err = (stream.buffer.getvalue().decode() for stream in streams[1:])  # type: ignore[attr-defined]
        return Ran(status, out, err, monitoring, slept)

    return runs


def changed(account: AccountDocument = WORK, **changes: Any) -> StatusDocument:
    return msgspec.structs.replace(G1, accounts=[msgspec.structs.replace(account, **changes), *G1.accounts[1:]])


def low(resets_at: datetime = NOW + timedelta(minutes=41)) -> StatusDocument:
    window = msgspec.structs.replace(WORK.windows[0], used_ratio=0.88, used=176, remaining=24, resets_at=resets_at)
    return changed(windows=[window, *WORK.windows[1:]])


@pytest.mark.case("experience D1")
def test_enough(ran: Guard) -> None:
    done = ran("work", "--min-left", "20%", "--window", "5h")
    assert (done.status, done.out, done.err) == (0, "safe: work 5 h has 31% left (wanted 20%)\n", "")


def test_not_enough(ran: Guard) -> None:
    done = ran("--min-left", "20%", readings=[low()])
    assert (done.status, done.out) == (1, "low: work 5 h has 12% left (wanted 20%), resets 20:41 (in 41m)\n")


def test_money(ran: Guard) -> None:
    assert ran("lab", "--min-left", "CNY60").out == "low: lab has CNY 49.59 available (wanted CNY 60)\n"
    assert ran("--min-left", "CNY30").out == "safe: lab has CNY 49.59 available (wanted CNY 30)\n"


@pytest.mark.case("experience D2")
def test_a_window_that_is_not_reported(ran: Guard) -> None:
    short = changed(windows=WORK.windows[:1])
    done = ran("--window", "7d", readings=[short])
    assert (done.status, done.out) == (69, "unchecked: work reports no 7d window (wanted 20%)\n")
    assert ran("--window", "7d", "--fail-open", readings=[short]).status == 0


@pytest.mark.case("experience D3")
def test_money_of_another_currency(ran: Guard) -> None:
    done = ran("ci", "--min-left", "CNY30")
    assert (done.status, done.out) == (2, "")
    assert "error[PL-CURRENCY]: ci is counted in USD; CNY 30 cannot be compared." in done.err


def test_a_count_of_a_window_without_counts(ran: Guard) -> None:
    windows = [msgspec.structs.replace(one, unit="ratio", used=None, remaining=None) for one in WORK.windows]
    done = ran("--min-left", "50", readings=[changed(windows=windows)])
    assert (done.status, done.out) == (69, "unchecked: work 5 h reports no request counts (wanted 50)\n")


def test_not_reached(ran: Guard) -> None:
    old = changed(age_s=47 * 60 + 8)
    done = ran(readings=[old], held={"work": Held(failure=TIMEOUT)})
    assert done.status == 69
    assert done.out == "unchecked: api.kimi.com not reached (timeout 5 s); last reading 47m ago said 31% left\n"
    assert ran("--fail-open", readings=[old], held={"work": Held(failure=TIMEOUT)}).status == 0


def test_a_refused_key_is_an_error_with_its_remedy(ran: Guard) -> None:
    blocked = EffectiveDocument(usable=False, blocked_by="credential", until=None, binding=None, remaining_ratio=None)
    error = ErrorDocument(
        code="PL-401-KEY", message="api.kimi.com refuses the key.", fix=["perilune add"], account="work"
    )
    done = ran(readings=[changed(effective=blocked, state="error", error=error)])
    assert (done.status, done.out) == (4, "")
    assert done.err == "error[PL-401-KEY]: api.kimi.com refuses the key.\n  fix    1. perilune add\n"


@pytest.mark.case("experience D4")
def test_waiting_that_cannot_help_in_time_is_not_begun(ran: Guard) -> None:
    done = ran("--wait", "--max-wait", "1m", readings=[low()])
    assert (done.status, done.slept) == (1, [])
    assert done.out == "low: work 5 h has 12% left (wanted 20%), resets 20:41 (in 41m)\n"


def test_waiting_ends_with_the_reset(ran: Guard) -> None:
    done = ran("--wait", readings=[low(), G1])
    assert (done.status, done.out) == (0, "safe: work 5 h has 31% left (wanted 20%)\n")
    assert done.err == "waiting for work 5 h, reset 20:41 (41m)\n"
    assert done.slept == [41 * 60 + 30]


def test_waiting_looks_again_while_the_reset_is_not_confirmed(ran: Guard) -> None:
    at = NOW + timedelta(minutes=41)
    passed = msgspec.structs.replace(
        WORK.windows[0], used_ratio=None, used=None, remaining=None, reliable=False, resets_at=at
    )
    done = ran("--wait", "--max-wait", "1h", readings=[low(at), changed(windows=[passed]), G1])
    assert done.status == 0
    assert done.slept == [41 * 60 + 30, 30]


def test_what_never_resets_is_not_waited_for(ran: Guard) -> None:
    done = ran("lab", "--min-left", "CNY60", "--wait")
    assert (done.status, done.slept) == (1, [])


def test_json_is_one_document(ran: Guard) -> None:
    done = ran("--json", readings=[low()])
    told = json.loads(done.out)
    assert (told["decision"], told["exit"], told["account"], told["window"]) == ("low", 1, "work", "5h")
    assert (told["left_ratio"], told["left"], told["wanted"]) == (0.12, 24, "20%")
    assert len(told["accounts"]) == 1
    assert ran("work", "ci", "--json").status == 69


def test_a_workflow_is_warned_and_gets_a_table(ran: Guard, tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    done = ran(readings=[low()], GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(summary))
    line = "low: work 5 h has 12% left (wanted 20%), resets 20:41 (in 41m)"
    assert done.err == f"::warning title=Perilune::{line.replace('%', '%25')}\n"
    assert summary.read_text() == f"| Account | Decision | |\n|---|---|---|\n| work | low | {line} |\n"
    assert "::warning" not in ran(GITHUB_ACTIONS="true").err


def test_chinese(ran: Guard) -> None:
    assert (
        ran(readings=[low()], PERILUNE_LANG="zh").out
        == "不足：work 5 小时 剩 12%（要求 20%），20:41 重置（41 分钟后）\n"
    )


@pytest.mark.parametrize("arguments", [("--min-left", "lots"), ("--max-wait", "soon"), ("--window", "9d")])
def test_wrong_usage(ran: Guard, arguments: tuple[str, str]) -> None:
    done = ran(*arguments)
    assert (done.status, done.out) == (2, "")
    assert "PL-USAGE" in done.err


def test_quiet_leaves_the_status(ran: Guard) -> None:
    done = ran("-q", readings=[low()])
    assert (done.status, done.out, done.err) == (1, "", "")
