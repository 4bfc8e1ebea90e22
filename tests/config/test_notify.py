"""`[[notify]]`: what each channel needs, what filters may say."""

from collections.abc import Mapping

import pytest

from perilune.config.layout import scan
from perilune.config.load import parse
from perilune.config.schema import Config
from perilune.config.validate import check
from perilune.core.errors import Problem
from perilune.core.messages import Voice
from perilune.providers.contract.registry import providers

PLANS: Mapping[str, object] = {name: provider.plan for name, provider in providers().items()}
DESK = 'schema = 1\n[[notify]]\nname = "desk"\nchannel = "desktop"\n'


def problems(text: str) -> list[Problem]:
    import msgspec

    config = msgspec.convert(parse(text, "config.toml"), Config)
    return list(check(config, PLANS, scan(text), "config.toml").problems)  # type: ignore[arg-type]


def said(text: str) -> list[str]:
    return [Voice().explain(problem).what for problem in problems(text)]


def test_a_desktop_needs_nothing() -> None:
    assert problems(DESK) == []


@pytest.mark.parametrize(
    ("channel", "missing"),
    [("ntfy", "url"), ("feishu", "key"), ("telegram", "key"), ("email", "server"), ("exec", "command")],
)
def test_what_a_channel_needs_is_named_with_its_line(channel: str, missing: str) -> None:
    found = said(DESK.replace("desktop", channel))
    assert found[0] == f"config.toml:4: {missing} is missing."


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('events = ["spend"]', "config.toml:5: events 'spend' is not one of all, window, early"),
        ('quiet = "22-08"', "config.toml:5: quiet '22-08' is not one of 22:00-08:00."),
        ('key = "sk-EXAMPLE"', "config.toml:5: key is not a reference to a key."),
    ],
)
def test_what_cannot_be_is_said_with_its_line(line: str, words: str) -> None:
    (found,) = said(f"{DESK}{line}\n")
    assert found.startswith(words)
    assert "sk-EXAMPLE" not in found


def test_two_channels_of_one_name_are_refused() -> None:
    assert said(DESK + DESK.removeprefix("schema = 1\n")) == ["config.toml:6: name 'desk' stands there twice."]


@pytest.mark.parametrize("word", ["all", "key", "spent", "window", "window_50", "upstream_down"])
def test_filters_take_kinds_and_their_short_names(word: str) -> None:
    assert problems(f'{DESK}events = ["{word}"]\n') == []


def test_a_filter_may_name_an_account_that_is_gone() -> None:
    assert problems(f'{DESK}accounts = ["nobody"]\n') == []
