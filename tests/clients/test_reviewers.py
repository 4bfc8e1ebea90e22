"""Beside another reviewer, where its program is: the same scripted model, the same changes, ours not worse anywhere."""

from pathlib import Path

import pytest
from bench.reviewers.__main__ import compare, one_line_files
from bench.reviewers.subjects import open_code_review, peer_program, perilune

pytestmark = [
    pytest.mark.clients,
    pytest.mark.skipif(peer_program() is None, reason="npm @alibaba-group/open-code-review is not installed"),
]
COUNTED = ("requests", "tokens", "misplaced", "duplicated", "missed")


@pytest.mark.case("review R22.1")
def test_ours_is_not_worse_in_any_counted_column(tmp_path: Path) -> None:
    subjects = {"Perilune": perilune, "Open Code Review": open_code_review}
    found = compare("one line each", one_line_files(tmp_path), subjects, tmp_path)
    ours, peer = found["Perilune"], found["Open Code Review"]
    assert [column for column in COUNTED if ours[column] > peer[column]] == []
