import os
from pathlib import Path

import pytest

from scripts import _bench


def test_files_and_packages_are_found_by_name(tmp_path: Path) -> None:
    folder = tmp_path / "bench"
    (folder / "relay").mkdir(parents=True)
    for name in ("statusline.py", "_load.py", "relay/__main__.py", "relay/client.py"):
        (folder / name).write_text("", encoding="utf-8")
    assert _bench.benches(folder) == {
        "relay": ["-m", "bench.relay"],
        "statusline": ["-c", "from bench.statusline import main; main()"],
    }


def test_a_measurement_that_fails_is_said_and_fails(capfd: pytest.CaptureFixture[str]) -> None:
    assert _bench.run("good", ["-c", "print('| a |')"], os.environ)
    assert not _bench.run("bad", ["-c", "raise SystemExit(3)"], os.environ)
    good, bad = capfd.readouterr().out.split("\n## ")[1:]
    assert good == "good\n\n`./scripts/bench good`\n\n| a |\n"
    assert bad == "bad\n\n`./scripts/bench bad`\n\nFailed with exit status 3.\n"


def test_an_unknown_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        _bench.main(["not-there"])
    assert "no measurement is called not-there" in capsys.readouterr().err
