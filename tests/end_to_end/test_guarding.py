"""The guard's exit status for each window and the balance, over accounts that the played vendors really answer for."""

import io
import os
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

import pytest

from perilune.compose.workbench import Workbench
from perilune.faces.cli import guard
from perilune.faces.cli.run import run
from perilune.faces.cli.session import Session
from perilune.sandbox import SandboxThread, keys

WORK = {"KIMI_CODE_API_KEY": keys.KIMI_CN}
MONEY = {"MOONSHOT_API_KEY": keys.MOONSHOT_INTL}
REFUSED = {"KIMI_CODE_API_KEY": "sk-kimi-EXAMPLE0refused00000000000000000001"}
REFUSED_MONEY = {"MOONSHOT_API_KEY": "sk-EXAMPLE0refused00000000000000000000000000000001"}
NOWHERE = {"PERILUNE_UPSTREAM": "http://127.0.0.1:9"}
WINDOWS = ("5h", "7d", "month")


class Told(NamedTuple):
    status: int
    out: str
    err: str


class Clocked(Workbench):
    """The whole program on the sandbox's clock."""

    def __init__(self, environment: dict[str, str], clock: Callable[[], datetime]) -> None:
        super().__init__(environment)
        self._clock = clock

    def now(self) -> datetime:
        return self._clock()


@pytest.fixture
def ask(sandbox: SandboxThread, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Told]:
    """`perilune guard …`; a wait moves the sandbox's clock, which is the only one there is."""
    monkeypatch.setattr(guard.time, "sleep", sandbox.world.advance)

    def asks(*arguments: str, **environment: str) -> Told:
        bench = Clocked({**os.environ, **environment}, sandbox.world.now)
        streams = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(3)]
        session = Session(bench, stdin=streams[0], stdout=streams[1], stderr=streams[2])
        status = run(["guard", *arguments], bench, session)
        out, err = (stream.buffer.getvalue().decode() for stream in streams[1:])  # type: ignore[attr-defined]
        return Told(status, out, err)

    return asks


def fill(sandbox: SandboxThread, window: str, used: str) -> None:
    """Use so much of a window, and nothing of the others."""
    windows = sandbox.world.accounts["kimi-cn"].windows  # type: ignore[attr-defined]
    for name, one in windows.items():
        one.used = Decimal(used) * one.limit if name == window else Decimal(0)


def resets_of(sandbox: SandboxThread, window: str) -> datetime:
    """When the vendor gives a window back."""
    one = sandbox.world.accounts["kimi-cn"].windows[window]  # type: ignore[attr-defined]
    one.roll(sandbox.world.now())
    assert isinstance(one.resets_at, datetime)
    return one.resets_at


@pytest.mark.parametrize("window", WINDOWS)
def test_each_window_gives_each_status(sandbox: SandboxThread, ask: Callable[..., Told], window: str) -> None:
    fill(sandbox, window, "0.75")
    asked = ("--min-left", "20%", "--window", window)
    assert ask(*asked, **WORK).status == 0
    assert ask("--min-left", "26%", "--window", window, **WORK).status == 1
    assert ask("--min-left", "26%", **WORK).status == 1, "the tightest of any"
    assert ask("--min-left", "101%", "--window", window, **WORK).status == 2
    assert ask("--min-left", "CNY30", "--window", window, **WORK).status == 69
    sandbox.world.advance(61)
    assert ask(*asked, **WORK, **NOWHERE).status == 69
    assert ask(*asked, "--fail-open", **WORK, **NOWHERE).status == 0


@pytest.mark.parametrize("window", WINDOWS)
def test_a_refused_key_is_4_and_an_absent_window_69(
    sandbox: SandboxThread, ask: Callable[..., Told], window: str
) -> None:
    assert ask("--window", window, **REFUSED).status == 4
    sandbox.world.advance(61)
    del sandbox.world.accounts["kimi-cn"].windows[window]  # type: ignore[attr-defined]
    absent = ask("--window", window, **WORK)
    assert (absent.status, absent.out.splitlines()[0]) == (
        69,
        f"unchecked: kimi-code-env reports no {window} window (wanted 20%)",
    )


def test_the_balance_gives_each_status(sandbox: SandboxThread, ask: Callable[..., Told]) -> None:
    balance = ("--window", "balance", "--min-left")
    assert ask(*balance, "USD18", **MONEY).status == 0
    assert ask(*balance, "USD19", **MONEY).status == 1
    assert ask(*balance, "CNY18", **MONEY).status == 2
    assert ask(*balance, "20%", **MONEY).status == 69
    sandbox.world.advance(61)
    assert ask(*balance, "USD18", **MONEY, **NOWHERE).status == 69
    sandbox.world.advance(61)
    assert ask(*balance, "USD18", **REFUSED_MONEY).status == 4


@pytest.mark.parametrize("window", WINDOWS)
def test_waiting_ends_when_the_clock_has_passed_the_reset(
    sandbox: SandboxThread, ask: Callable[..., Told], window: str
) -> None:
    fill(sandbox, window, "1")
    resets_at = resets_of(sandbox, window)
    assert ask("--window", window, "--wait", "--max-wait", "1m", **WORK).status == 1
    assert sandbox.world.now() < resets_at
    waited = ask("--window", window, "--wait", **WORK)
    assert (waited.status, waited.out.splitlines()[0][:5]) == (0, "safe:"), waited
    assert waited.err.splitlines()[0].startswith("waiting for kimi-code-env ")
    assert resets_at <= sandbox.world.now() < resets_at + timedelta(minutes=5)
