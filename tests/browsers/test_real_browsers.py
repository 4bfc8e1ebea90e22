"""Real browsers: what their pages store is found while they run and when they have ended, and nothing is changed."""

from pathlib import Path

import pytest

from scripts import _browser_ground as ground
from scripts import _browsers

pytestmark = pytest.mark.browser


@pytest.mark.skipif(ground.CHROMIUM is None, reason="no Chromium here")
def test_chromium_with_and_without_a_keyring(tmp_path: Path) -> None:
    with _browsers.site(tmp_path) as served:
        shown = list(_browsers.chromium_checks(tmp_path, served))
    assert [check for check in shown if not check.holds] == []
    assert len(shown) == (8 if all(ground.KEYRING) else 4)


@pytest.mark.skipif(ground.FIREFOX is None, reason="no Firefox here")
def test_firefox_in_its_log_and_in_a_container(tmp_path: Path) -> None:
    with _browsers.site(tmp_path) as served:
        shown = list(_browsers.firefox_checks(tmp_path, served))
    assert [check for check in shown if not check.holds] == []
    assert len(shown) == 5
