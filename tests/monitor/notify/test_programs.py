"""Channels that run a program: the user's own, and the desktop's."""

import json
import sys
from pathlib import Path

from msgspec.structs import replace
from tests.monitor.notify.conftest import MESSAGE, Send

from perilune.monitor.notify.desktop import Desktop
from perilune.monitor.notify.execute import Execute

TELLER = """#!{python}
import json, os, sys
found = {{"argv": sys.argv[1:], "stdin": sys.stdin.read(), "environment": dict(os.environ)}}
with open({file!r}, "a") as log:
    log.write(json.dumps(found) + "\\n")
print({prints!r})
sys.exit({status})
"""


def program(folder: Path, name: str, *, status: int = 0, prints: str = "") -> tuple[Path, Path]:
    """A program that writes down how it was called, and where it does so."""
    folder.mkdir(exist_ok=True)
    file, log = folder / name, folder / f"{name}.log"
    file.write_text(TELLER.format(python=sys.executable, file=str(log), prints=prints, status=status))
    file.chmod(0o700)
    return file, log


def calls(log: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


async def test_exec_gets_the_event_on_its_input_and_little_else(tmp_path: Path, send: Send) -> None:
    file, log = program(tmp_path, "hook")
    surroundings = {"PATH": "/usr/bin", "HOME": "/home/me", "LANG": "C.UTF-8", "PERILUNE_TOKEN": "secret", "OTHER": "x"}
    receipt = await send("exec", command=(str(file), "--fast", "a b; c"), environment=surroundings)
    assert receipt.is_taken
    (call,) = calls(log)
    assert call["argv"] == ["--fast", "a b; c"]
    assert json.loads(str(call["stdin"]))["schema"] == "perilune.event.v1"
    environment = call["environment"]
    assert isinstance(environment, dict)
    assert {name: value for name, value in environment.items() if name not in ("LC_CTYPE", "PYTHONWARNINGS")} == {
        "PATH": "/usr/bin", "HOME": "/home/me", "LANG": "C.UTF-8",
        "PERILUNE_EVENT": "window_90", "PERILUNE_ACCOUNT": "work", "PERILUNE_WINDOW": "5h",
    }  # fmt: skip


async def test_exec_that_fails_says_how(tmp_path: Path, send: Send) -> None:
    file, _ = program(tmp_path, "hook", status=3, prints="no\nsuch thing")
    receipt = await send("exec", command=(str(file),))
    assert (receipt.is_taken, receipt.words) == (False, "exit 3 no such thing")
    receipt = await send("exec", command=(str(tmp_path / "absent"),))
    assert not receipt.is_taken


async def test_exec_is_ended_with_all_it_started(tmp_path: Path) -> None:
    sleeper = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])"
    leaves_one_behind = (sys.executable, "-c", sleeper)
    slow = (sys.executable, "-c", "import time; time.sleep(60)")
    for command in (leaves_one_behind, slow):
        receipt = await Execute(command, {"PATH": "/usr/bin"}, limit_s=0.5).send(MESSAGE)
        assert not receipt.is_taken
    assert receipt.words == "not done after 0.5 s"


async def test_the_desktop_shows_title_text_and_urgency(tmp_path: Path) -> None:
    _, log = program(tmp_path, "notify-send", prints="41")
    desktop = Desktop({"PATH": str(tmp_path), "DISPLAY": ":0", "SECRET": "x"}, "linux")
    assert (await desktop.send(MESSAGE)).is_taken
    assert (await desktop.send(replace(MESSAGE, urgency="critical", text="work 5 h is spent."))).is_taken
    first, second = calls(log)
    assert first["argv"] == [
        "--app-name=Perilune", "--urgency=normal", "--print-id", "--", "Perilune", MESSAGE.text
    ]  # fmt: skip
    assert second["argv"] == [
        "--app-name=Perilune", "--urgency=critical", "--print-id", "--replace-id=41", "--", "Perilune",
        "work 5 h is spent.",
    ]  # fmt: skip
    assert "SECRET" not in str(first["environment"])


async def test_without_a_screen_the_desktop_is_off(tmp_path: Path) -> None:
    program(tmp_path, "notify-send")
    for environment in ({"PATH": str(tmp_path)}, {"PATH": "/nowhere", "DISPLAY": ":0"}):
        receipt = await Desktop(environment, "linux").send(MESSAGE)
        assert (receipt.is_taken, receipt.is_off, receipt.words) == (False, True, "headless")


async def test_a_mac_shows_it_by_a_script_that_gets_the_texts_as_arguments(tmp_path: Path, monkeypatch: object) -> None:
    _, log = program(tmp_path, "osascript")
    monkeypatch.setenv("PATH", str(tmp_path))  # type: ignore[attr-defined]
    message = replace(MESSAGE, text='" & (do shell script "id") & "')
    assert (await Desktop({"PATH": str(tmp_path)}, "darwin").send(message)).is_taken
    (call,) = calls(log)
    argv = call["argv"]
    assert isinstance(argv, list)
    assert argv[-2:] == ["Perilune", message.text]
    assert message.text not in " ".join(argv[:-1])
