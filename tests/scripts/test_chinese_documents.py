"""Chinese documents follow the rules for Chinese texts."""

import re

import pytest
from scripts._documents import ROOT
from tests.core.lint_zh import faults

FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\([^)]*\)")  # the address, not the words


@pytest.mark.parametrize("name", ["README.zh-CN.md"])
def test_every_line_keeps_the_rules(name: str) -> None:
    prose = LINK.sub("", FENCE.sub("", (ROOT / name).read_text(encoding="utf-8")))
    found = {line: list(faults(re.sub(r"[*!\[\]]|^ +", "", line))) for line in prose.splitlines()}
    assert {line: what for line, what in found.items() if what} == {}
