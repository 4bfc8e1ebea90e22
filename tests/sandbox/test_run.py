"""Running the sandbox: thread, loop, command, scenarios."""

import asyncio
import threading
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from tests.sandbox.plain_client import ask_at

from perilune.core.errors import PeriluneError, UsageError
from perilune.core.messages import Voice
from perilune.faces.cli import sandbox as cli
from perilune.sandbox import (
    SandboxHandle,
    SandboxThread,
    World,
    keys,
    load_scenario,
    running_sandbox,
    scenario_names,
    start_sandbox,
)
from perilune.sandbox.clock import Clock

USAGES = "/api.kimi.com/coding/v1/usages"


def test_a_thread_starts_answers_and_stops() -> None:
    before = threading.active_count()
    with running_sandbox("spent-5h") as sandbox:
        told = ask_at(sandbox.url, USAGES, key=keys.KIMI_CN).json
        assert told["usages"]["limit_5h"]["used_ratio"] == 1
    assert threading.active_count() == before
    with pytest.raises(ConnectionRefusedError):
        ask_at(sandbox.url, USAGES)


def test_stopping_ends_answers_that_are_still_open() -> None:
    with running_sandbox() as sandbox:
        sandbox.world.queue_fault(hold="headers")
        failed: list[Exception] = []

        def ask() -> None:
            try:
                ask_at(sandbox.url, USAGES, key=keys.KIMI_CN)
            except OSError as error:
                failed.append(error)

        asking = threading.Thread(target=ask)
        asking.start()
        sandbox.world.wait_for(lambda world: world.held == 1)
    asking.join()
    assert len(failed) == 1


async def test_it_runs_inside_a_loop_beside_others() -> None:
    world = World("pong")
    handle = await start_sandbox(world, "127.0.0.1", 0)
    answer = await asyncio.to_thread(ask_at, handle.url, USAGES, key=keys.KIMI_CN)
    assert answer.status == 200
    with pytest.raises(PeriluneError) as taken:
        await start_sandbox(world, "127.0.0.1", int(handle.url.rpartition(":")[2]))
    assert taken.value.problem.code == "PL-PORT"
    await handle.stop()


@pytest.mark.parametrize(
    "listen", ["0.0.0.0:9009", "192.168.1.2:80", "example.com:80", "127.0.0.1", "127.0.0.1:x", ":80"]
)
def test_only_this_machine_can_be_listened_on(listen: str) -> None:
    with pytest.raises(UsageError) as refused:
        CliRunner().invoke(cli.command, ["--listen", listen], catch_exceptions=False)
    assert refused.value.problem.code == "PL-SANDBOX"
    assert "{" not in Voice().explain(refused.value.problem).what


def test_the_command_says_where_it_plays_and_prints_the_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted_when_ready(listen: str, scenario: str, ready: object, forges: object = None, **_: object) -> None:
        assert forges is None

        async def play() -> None:
            handle = await start_sandbox(World(scenario), "127.0.0.1", 0)
            assert callable(ready)
            ready(handle)
            urls.append(handle.url)
            await handle.stop()

        asyncio.run(play())

    urls: list[str] = []
    monkeypatch.setattr("perilune.sandbox.serve", interrupted_when_ready)
    result = CliRunner().invoke(cli.command, ["--scenario", "spent-5h"], catch_exceptions=False)
    lines = result.output.splitlines()
    assert lines[:3] == [
        "Playing api.kimi.com, api.kimi.ai, api.moonshot.ai, api.moonshot.cn and more",
        f"on {urls[0]}. Scenario spent-5h. No real service is contacted.",
        f"  export PERILUNE_UPSTREAM={urls[0]}",
    ]
    assert keys.KIMI_CN in result.output


def test_every_shipped_scenario_loads_and_has_the_keys_of_pong() -> None:
    names = scenario_names()
    wanted = {"pong", "spent-5h", "fills", "balance-low", "slow", "gated", "membership-lapsed", "demo"}
    assert wanted <= set(names)
    for name in names:
        scenario = load_scenario(name)
        assert scenario.title == name
        assert keys.KIMI_CN in scenario.accounts["kimi-cn"].keys
        assert keys.MOONSHOT_INTL in scenario.accounts["moonshot-intl"].keys


def test_the_guide_names_every_scenario_and_its_example_plays() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "guide" / "sandbox.md").read_text(encoding="utf-8")
    assert [name for name in scenario_names() if f"`{name}`" not in guide] == []
    example = guide.partition("```toml\n")[2].partition("```")[0]
    world = World(msgspec.toml.decode(example))
    assert str(world.accounts["kimi-cn"].windows["5h"].used) == "8"  # type: ignore[union-attr]


def test_a_scenario_can_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('title = "mine"\nextends = "spent-5h"\n[accounts.kimi-cn]\nlevel_name = "Max"\n')
    world = World(str(file))
    assert world.accounts["kimi-cn"].level_name == "Max"  # type: ignore[union-attr]
    file.write_text("colour = 1")
    with pytest.raises(UsageError) as refused:
        World(str(file))
    assert refused.value.problem.code == "PL-SANDBOX"
    assert "colour" in Voice().explain(refused.value.problem).what


def test_an_unknown_scenario_is_named_with_the_known_ones() -> None:
    with pytest.raises(UsageError) as refused:
        World("nothing")
    assert "pong" in str(refused.value.problem.facts["choices"])


def test_the_timeline_happens_as_the_clock_goes() -> None:
    world = World({"extends": "demo", "starts_at": "2026-11-20T12:00:00Z", "is_frozen": True})
    member = world.accounts["kimi-cn"]
    assert world.requests() == []
    world.advance(61)
    assert world.accounts["kimi-cn"] != member
    assert str(world.accounts["kimi-cn"].windows["5h"].used) == "171"  # type: ignore[union-attr]
    world.advance(60)
    assert [fault.refusal for fault in world.faults.waiting] == ["code-err-429-overloaded"]
    world.advance(420)
    window = world.accounts["kimi-cn"].windows["5h"]  # type: ignore[union-attr]
    assert (str(window.used), window.resets_at) == ("0", None)


def test_the_clock_runs_with_real_time_until_it_is_frozen() -> None:
    real = [datetime(2026, 1, 1, tzinfo=UTC)]
    clock = Clock(datetime(2026, 11, 20, tzinfo=UTC), real=lambda: real[0])
    real[0] = real[0].replace(hour=1)
    assert clock.now() == datetime(2026, 11, 20, 1, tzinfo=UTC)
    clock.freeze()
    real[0] = real[0].replace(hour=2)
    assert clock.now() == datetime(2026, 11, 20, 1, tzinfo=UTC)
    clock.advance(60)
    clock.run()
    real[0] = real[0].replace(hour=3)
    assert clock.now() == datetime(2026, 11, 20, 2, 1, tzinfo=UTC)


def test_the_fixture_puts_the_address_into_the_environment(
    sandbox: SandboxThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    assert os.environ["PERILUNE_UPSTREAM"] == sandbox.url
    assert isinstance(sandbox.world, World)
    assert SandboxHandle.__doc__
