"""The status as text, byte for byte where the reference gives the bytes."""

from pathlib import Path

import pytest
from tests.support.g1 import G1, GATEWAY, look, voice

from perilune.core.messages import Language
from perilune.core.width import width
from perilune.faces.text.brief import brief_lines
from perilune.faces.text.narrow import narrow_lines
from perilune.faces.text.status import status_lines

GOLDENS = Path(__file__).parent / "goldens"


def golden(name: str) -> list[str]:
    return (GOLDENS / f"{name}.txt").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize(("language", "name"), [("en", "status_en_80"), ("zh-CN", "status_zh_80")])
def test_the_full_status_at_80_columns(language: Language, name: str) -> None:
    assert status_lines(G1, look(), voice(language), GATEWAY) == golden(name)


@pytest.mark.parametrize(("language", "name"), [("en", "brief_en"), ("zh-CN", "brief_zh")])
def test_the_table(language: Language, name: str) -> None:
    assert brief_lines(G1, look(), voice(language)) == golden(name)


def test_the_narrow_status() -> None:
    lines = golden("narrow_en_first_accounts")
    assert narrow_lines(G1, look(59), voice())[: len(lines)] == lines


@pytest.mark.case("experience W1", "experience W2")
@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_no_line_is_wider_than_the_screen(language: Language) -> None:
    lines = status_lines(G1, look(), voice(language), GATEWAY)
    assert max(map(width, lines)) <= 80
    bars = [line for line in lines if "█" in line]
    assert all(width(line[: line.index("█")]) == 10 for line in bars)
    words = ("high", "ok", "偏高", "正常")
    assert all(width(line[: -len(line.split(" ")[-1])]) == 73 for line in bars if line.endswith(words))
