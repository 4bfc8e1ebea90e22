"""The process that hosts start: cold, with whatever on standard input, always one line and exit status 0."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.lines import g1_line, with_account, write

from perilune.config.folders import WISH_FILE
from perilune.faces.statusline import nudge
from perilune.faces.statusline.options import TARGETS

SOURCE = Path(__file__).resolve().parents[3] / "src"
START = "import sys; from perilune.__main__ import main; sys.exit(main())"
HEAVY = (
    "click",
    "httpx2",
    "sqlalchemy",
    "starlette",
    "asyncio",
    "msgspec",
    "typing",
    "pathlib",
    "socket",
    "subprocess",
)


def home() -> Path:
    return Path(os.environ["PERILUNE_HOME"])


def command(*arguments: str, start: str = START) -> list[str]:
    return [sys.executable, "-c", start, "statusline", *arguments]


def environment(**more: str) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(SOURCE), "TZ": "Asia/Shanghai"} | more


def run(*arguments: str, stdin: bytes = b"", start: str = START, **more: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        command(*arguments, start=start), input=stdin, env=environment(**more), capture_output=True, check=False
    )


@pytest.fixture
def fresh() -> None:
    """G1 as if it had been read twelve seconds ago, by a process that keeps it fresh."""
    now = int(time.time())
    line = g1_line()
    shift = now - line.written_at
    for account in line.accounts:
        windows = tuple(
            type(window)(**{**_fields(window), "resets_at": window.resets_at + shift, "empty_at": None})
            for window in account.windows
            if window.resets_at is not None
        )
        line = with_account(line, account.name, fetched_at=(account.fetched_at or 0) + shift, windows=windows)
    write(line, home())


def _fields(struct: object) -> dict[str, object]:
    return {name: getattr(struct, name) for name in struct.__struct_fields__}  # type: ignore[attr-defined]


@pytest.mark.case("experience L9")
@pytest.mark.parametrize("target", TARGETS)
def test_without_a_store_every_host_is_told_to_add_a_key(target: str) -> None:
    done = run("--for", target, stdin=b"{}")
    assert done.returncode == 0
    assert b"add a key" in done.stdout
    assert done.stderr == b""
    assert not home().exists()


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(
    ("file", "text"), [("perilune.db", b"not a database"), ("line.json", b"{"), ("line.json", b"[]")]
)
def test_a_broken_store_is_said_in_one_line(target: str, file: str, text: bytes) -> None:
    home().mkdir(parents=True)
    (home() / file).write_bytes(text)
    done = run("--for", target)
    assert done.returncode == 0
    assert b"K ! store" in done.stdout


@pytest.mark.usefixtures("fresh")
@pytest.mark.parametrize("target", TARGETS)
def test_nothing_heavy_is_imported(target: str) -> None:
    tell = START.replace(
        "sys.exit(main())", f"main(); sys.stderr.write(' '.join(name for name in {HEAVY!r} if name in sys.modules))"
    )
    done = run("--for", target, start=tell)
    assert done.stdout.strip()
    assert done.stderr == b""


@pytest.mark.usefixtures("fresh")
@pytest.mark.parametrize(
    ("target", "stdin"),
    [
        ("claude", b""),
        ("claude", b"not json"),
        ("claude", b"[1]"),
        ("claude", b'{"model": {}}'),
        ("kimi", b"\xff\xfe"),
        ("kimi", b"[" * 100_000),
        ("kimi", b'{"cwd": "' + b"x" * 1_048_576 + b'", "contextUsage": 0.42}'),
    ],
)
def test_whatever_a_host_writes_is_survived(target: str, stdin: bytes) -> None:
    done = run("--for", target, stdin=stdin, NO_COLOR="1")
    assert done.returncode == 0
    assert "5h 69%" in done.stdout.decode()
    assert done.stdout.count(b"\n") == 1


@pytest.mark.usefixtures("fresh")
@pytest.mark.case("experience L11")
def test_input_that_never_ends_is_dropped() -> None:
    process = subprocess.Popen(
        command("--for", "kimi"), env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b'{"contextUsage": 0.42}')
    process.stdin.flush()
    told = process.stdout.read().decode()  # ends although the input is still open
    assert process.wait(30) == 0
    process.stdin.close()
    process.stdout.close()
    assert told.startswith("5h 69% ~2h")
    assert "ctx" not in told


@pytest.mark.usefixtures("fresh")
@pytest.mark.skipif(sys.platform == "win32", reason="closes descriptors the way shells do")
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_descriptors_are_survived(closed: str) -> None:
    quoted = " ".join(f"'{part}'" for part in command("--for", "kimi"))
    done = subprocess.run(["/bin/sh", "-c", f"{quoted} {closed}"], env=environment(), capture_output=True, check=False)
    assert done.returncode == 0


@pytest.mark.usefixtures("fresh")
def test_a_host_that_went_away_is_no_fault() -> None:
    process = subprocess.Popen(command(), env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(30) == 0
    process.stderr.close()


@pytest.mark.usefixtures("fresh")
def test_global_flags_may_stand_in_front() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "perilune", "--lang", "zh-CN", "statusline", "--for", "waybar"],
        env=environment(),
        capture_output=True,
        check=True,
    )
    assert "剩 61" in json.loads(done.stdout)["tooltip"]


def test_wrong_usage_is_said_beside_the_line() -> None:
    for arguments in (["--for", "nope"], ["--nope"], ["--for"], ["--tz", "Nowhere/None"], ["--format", "{nope}"]):
        done = run(*arguments)
        assert done.returncode == 0
        assert done.stdout == "K – add a key\n".encode()
        assert b"PL-USAGE" in done.stderr


@pytest.mark.usefixtures("fresh")
def test_i3bar_s_stream_answers_clicks_and_ends_with_its_input(monkeypatch: pytest.MonkeyPatch) -> None:
    spy = START.replace(
        "from perilune.__main__",
        "import perilune.faces.statusline.stream as s; "
        "s.run_stream.__defaults__ = (lambda a: sys.stderr.write(' '.join(a) + '\\n'),); from perilune.__main__",
    )
    clicks = b'[{"name":"perilune","button":1}\n,{"name":"perilune","button":3}\n,{"name":"other","button":1}\n'
    done = run("--for", "i3bar", stdin=clicks, start=spy)
    assert done.returncode == 0
    header, start, empty, *updates = done.stdout.decode().splitlines()
    assert (json.loads(header)["click_events"], start, empty) == (True, "[", "[]")
    assert json.loads(updates[0].lstrip(","))[0]["instance"] == "work"
    assert [line.split()[3:5] for line in done.stderr.decode().splitlines()] == [
        ["up", "--open"],
        ["status", "--refresh"],
    ]


@pytest.mark.usefixtures("fresh")
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_i3bar_s_stream_ends_quietly_when_told_to() -> None:
    process = subprocess.Popen(
        command("--for", "i3bar", "--all"),
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    first = [process.stdout.readline() for _ in range(4)][-1]
    assert [block["instance"] for block in json.loads(first.decode().lstrip(","))] == ["work", "ci", "lab"]
    process.terminate()
    assert process.wait(30) == 0
    assert process.stderr.read() == b""
    for stream in (process.stdin, process.stdout, process.stderr):
        stream.close()


def counted(path: Path) -> Callable[[], int]:
    return lambda: len(path.read_text().splitlines()) if path.exists() else 0


@pytest.mark.case("accounts 11.1")
@pytest.mark.skipif(sys.platform == "win32", reason="a shell script stands for Python")
def test_a_stale_line_starts_one_refresh_for_fifty_status_lines(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    started = tmp_path / "started"
    stand_in = tmp_path / "python"
    stand_in.write_text(f'#!/bin/sh\necho "$@" >> "{started}"\n')
    stand_in.chmod(0o755)
    spy = f"import sys; sys.executable = {str(stand_in)!r}; {START[12:]}"
    write(g1_line(), home())
    running = [subprocess.Popen(command(start=spy), env=environment(), stdout=subprocess.DEVNULL) for _ in range(50)]
    assert [process.wait(60) for process in running] == [0] * 50
    for _ in range(200):
        if started.exists() and started.read_text():
            break
        time.sleep(0.05)
    assert started.read_text().splitlines() == ["-P -m perilune status --refresh -q --no-input"]


@pytest.mark.usefixtures("fresh")
def test_a_fresh_line_asks_for_nothing() -> None:
    run()
    assert not (home() / WISH_FILE).exists()


def test_a_running_service_is_asked_by_the_stamp_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    from perilune.config.folders import find_folders

    started: list[tuple[str, ...]] = []
    monkeypatch.setattr(nudge, "start_detached", started.append)
    home().mkdir(parents=True)
    line = g1_line(service=os.getpid())
    folders = find_folders(os.environ)
    now = line.written_at + 600
    assert nudge.nudge(folders, line, now)
    assert (home() / WISH_FILE).read_text() == str(now)
    assert not nudge.nudge(folders, line, now + 59)
    assert started == []
    assert nudge.nudge(folders, line, now + 3600)  # a service that let its line become this old is not at work
    assert len(started) == 1


@pytest.mark.usefixtures("fresh")
@pytest.mark.parametrize("target", TARGETS)
def test_a_fault_of_ours_is_still_a_line_in_the_host_s_form(target: str) -> None:
    fault = "import perilune.faces.statusline.run as r; r.find_folders = lambda environment: 1 / 0; "
    done = run(
        "--for", target, "--once", start=START.replace("from perilune.__main__", f"{fault}from perilune.__main__")
    )
    assert done.returncode == 0
    assert b"K ! store" in done.stdout
    if target in ("waybar", "i3status-rs", "i3bar"):
        assert isinstance(json.loads(done.stdout), dict)
