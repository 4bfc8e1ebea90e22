"""Status lines in the programs that draw them, set up as `perilune install` does; those that are installed."""

import pytest

from scripts import _bars

pytestmark = pytest.mark.clients


@pytest.mark.parametrize("name", sorted(_bars.SHOWN))
def test_a_program_shows_our_line(name: str) -> None:
    (shown,) = _bars.checks([name])
    if shown.holds is None:
        pytest.skip(shown.detail)
    assert shown.holds, shown.detail
