"""Tables fit their terminal: close where there is little room, and then without what is spare."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.g1 import G1, NOW

from perilune.core.messages import Language, Voice
from perilune.core.width import width
from perilune.faces.text.brief import brief_lines
from perilune.faces.text.fitting import fitted
from perilune.faces.text.look import Look

ROWS = [["name", "what it is", "state"], ["a", "something", "ok"]]


def test_columns_are_as_wide_as_they_should_be_while_there_is_room() -> None:
    assert fitted(ROWS, 80, (10, 20, 0)).widths == (10, 20, 5)
    assert fitted(ROWS, 30, (10, 20, 0)).widths == (4, 10, 5)


def test_what_is_spare_goes_first() -> None:
    assert fitted(ROWS, 15, spare=(1,)).columns == (0, 2)
    assert not fitted(ROWS, 15).fits


@given(
    st.lists(st.lists(st.text("a密", max_size=9), min_size=4, max_size=4), min_size=1, max_size=4),
    st.integers(1, 60),
    st.permutations(range(4)),
)
def test_what_is_said_to_fit_fits(rows: list[list[str]], room: int, order: list[int]) -> None:
    found = fitted(rows, room, spare=order[:3])
    assert len(found.columns) == len(found.widths) >= 1
    assert all(width(row[at]) <= wide for row in rows for at, wide in zip(found.columns, found.widths, strict=True))
    assert not found.fits or sum(found.widths) + 2 * (len(found.widths) - 1) <= room


@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize("columns", [60, 80, 120])
def test_the_short_status_never_wraps(language: Language, columns: int) -> None:
    named = [msgspec.structs.replace(one, name=f"{one.name}-of-the-team") for one in G1.accounts]
    lines = brief_lines(
        msgspec.structs.replace(G1, accounts=named), Look(columns=columns), Voice(language=language, now=NOW)
    )
    assert max(width(line) for line in lines) <= columns
    assert all(name in "\n".join(lines) for name in ("work-of-the-team", "lab-of-the-team"))
