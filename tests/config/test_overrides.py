"""What an override may hold."""

import pytest

from perilune.config.overrides import override_problem, unwrapped

NAMES = ("moonshot",)


@pytest.mark.parametrize(
    "override",
    [{}, {"thinking": {"type": "disabled"}}, {"openaiCompatible": {"temperature": None}}, {"deepseek": {"tools": []}}],
)
def test_any_other_object_is_taken(override: dict[str, object]) -> None:
    assert override_problem(override, NAMES, "config.toml:3") is None


@pytest.mark.parametrize("key", ["messages", "input", "system", "instructions", "tools", "stream"])
def test_the_request_itself_is_kept_out(key: str) -> None:
    for override in ({key: []}, {"moonshot": {key: []}}):
        problem = override_problem(override, NAMES, "config.toml:3")
        assert problem is not None
        assert (problem.code, problem.variant, problem.exit_code) == ("PL-CONFIG-VALUE", "override_key", 2)


@pytest.mark.parametrize("key", ["headers", "extra_headers", "User-Agent", "authorization"])
def test_no_header_is_set(key: str) -> None:
    problem = override_problem({key: {"user-agent": "x"}}, NAMES, "config.toml:3")
    assert problem is not None
    assert problem.variant == "override_header"


def test_a_large_one_is_refused() -> None:
    problem = override_problem({"note": "x" * 16_400}, NAMES, "config.toml:3")
    assert problem is not None
    assert problem.variant == "override_size"


def test_only_a_single_known_namespace_is_unwrapped() -> None:
    inner = {"thinking": {"type": "disabled"}}
    assert unwrapped({"anthropic": inner}, NAMES) == inner
    assert unwrapped({"moonshot": inner}, NAMES) == inner
    assert unwrapped({"other": inner}, NAMES) == {"other": inner}
    assert unwrapped({"openai": inner, "n": 1}, NAMES) == {"openai": inner, "n": 1}
    assert unwrapped({"openai": "text"}, NAMES) == {"openai": "text"}
