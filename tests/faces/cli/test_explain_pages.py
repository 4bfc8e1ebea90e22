"""Every code has a whole page in both languages: what it is and what can be done, without facts that nobody gave."""

import re

import pytest

from perilune.core.codes import CODES
from perilune.core.messages import Language
from perilune.faces.cli.explain import explain


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_every_code_says_what_it_is_and_what_can_be_done(language: Language) -> None:
    for code in CODES:
        page = explain(code, language)
        assert page.title, code
        assert page.what, code
        assert page.you_can, code
        assert not re.search(r"\b[A-Z_]{5,}\b", re.sub(r"PL-[A-Z0-9-]+|PERILUNE_\w+", "", page.title)), page.title
