"""The vendor's own command line, where it is installed: its login is read, and its parser agrees with the sandbox."""

from pathlib import Path

import pytest

from perilune.sandbox import SandboxThread
from scripts import _kimi_client, _logins

COMMAND = _kimi_client.find(_kimi_client.folder())

pytestmark = [pytest.mark.clients, pytest.mark.skipif(COMMAND is None, reason="./scripts/logins --install")]


@pytest.mark.case("gateway SB-01")
def test_the_vendors_client_and_perilune_get_on(tmp_path: Path, sandbox: SandboxThread) -> None:
    assert COMMAND is not None
    shown = list(_logins.checks(COMMAND, tmp_path, sandbox))
    assert len(shown) >= 15
    assert [check for check in shown if not check.holds] == []
