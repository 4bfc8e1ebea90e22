"""A key in the environment and nothing else: an account that is shown, and nothing about it is written down."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from perilune.sandbox import SandboxThread, keys

SOURCE = Path(__file__).resolve().parents[2] / "src"


@pytest.mark.case("experience F7")
def test_a_key_in_the_environment_is_an_account_that_is_saved_nowhere(sandbox: SandboxThread, tmp_path: Path) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "LC_ALL": "C.UTF-8",
        "PYTHONPATH": str(SOURCE),
        "PERILUNE_UPSTREAM": sandbox.url,
        "MOONSHOT_API_KEY": keys.MOONSHOT_INTL,
    }
    done = subprocess.run(
        [sys.executable, "-m", "perilune", "status", "--json"],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (account,) = json.loads(done.stdout)["accounts"]
    assert (account["name"], account["plan"], account["region"]) == ("moonshot-env", "moonshot", "intl")
    assert {entry.host for entry in sandbox.world.journal.select()} == {"api.moonshot.ai"}
    written = [file for file in tmp_path.rglob("*") if file.is_file()]
    store = tmp_path / ".local" / "share" / "perilune"
    assert written
    assert all(store in file.parents for file in written), "the data folder, which is the store's, and no configuration"
    assert not [file for file in written if keys.MOONSHOT_INTL.encode() in file.read_bytes()]
