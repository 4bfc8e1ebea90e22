"""The real tools, where `./scripts/clients` has installed them: PERILUNE_CLIENTS names its cache folder."""

import os
from collections.abc import Callable

import pytest
from scripts._clients.clients import CLIENTS, Client
from scripts._clients.runs import Run, run_scene
from scripts._clients.stage import FAILOVERS, SCENES, Scene

pytestmark = [
    pytest.mark.clients,
    pytest.mark.skipif(not os.environ.get("PERILUNE_CLIENTS"), reason="PERILUNE_CLIENTS names no cache of tools"),
]
AGENTS = [client.name for client in CLIENTS if client.tool_loop is not None]
Play = Callable[[str, Scene], Run]


@pytest.fixture(scope="module")
def play() -> Play:
    """Runs a tool in a scene; what has been played once is not played again."""
    played: dict[tuple[str, Scene], Run] = {}

    def run(name: str, scene: Scene) -> Run:
        if (name, scene) not in played:
            played[name, scene] = run_scene(_client(name), scene)
        return played[name, scene]

    return run


def _client(name: str) -> Client:
    return next(client for client in CLIENTS if client.name == name)


@pytest.mark.case("gateway CC-01")
@pytest.mark.parametrize("scene", ["moonshot", "kimi-code"])
@pytest.mark.parametrize("name", [client.name for client in CLIENTS])
def test_the_recipe_of_the_guide_ends_well_and_prints_the_answer(play: Play, name: str, scene: Scene) -> None:
    assert play(name, scene).faults == []


@pytest.mark.case("gateway CC-02")
@pytest.mark.parametrize("scene", ["moonshot", "kimi-code"])
@pytest.mark.parametrize("name", AGENTS)
def test_a_tool_is_called_and_its_result_becomes_the_final_text(play: Play, name: str, scene: Scene) -> None:
    assert play(name, scene).looped is True


@pytest.mark.case("gateway CC-03")
@pytest.mark.parametrize("scene", FAILOVERS)
@pytest.mark.parametrize("name", ["claude"])
def test_claude_code_goes_on_with_the_fallback_and_hints_at_nothing(play: Play, name: str, scene: Scene) -> None:
    run = play(name, scene)
    assert run.faults == []
    assert run.looped is True


@pytest.mark.case("gateway CC-05")
def test_codex_calls_a_tool_on_a_kimi_code_slot_and_the_thought_goes_along(play: Play) -> None:
    run = play("codex", "kimi-code")
    assert run.looped is True
    assert run.faults == []  # a lost thought is one


@pytest.mark.parametrize("scene", FAILOVERS)
@pytest.mark.parametrize("name", [client.name for client in CLIENTS if client.name != "claude"])
def test_a_session_goes_on_when_its_account_is_spent_in_the_middle(play: Play, name: str, scene: Scene) -> None:
    assert play(name, scene).faults == []


def test_every_scene_is_played() -> None:
    assert set(SCENES) == {"moonshot", "kimi-code", *FAILOVERS}
