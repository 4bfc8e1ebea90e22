"""The reviewers as they are used: a command in a repository, its comments read from its JSON."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

SOURCE = Path(__file__).resolve().parents[2] / "src"
PEAK = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[2:], stdin=subprocess.DEVNULL)
open(sys.argv[1], "w").write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
sys.exit(done.returncode)
"""


class Comment(Struct, frozen=True):
    """A comment at a place; lines are 0 where the reviewer gave none. `side` is None where it does not tell sides."""

    text: str
    path: str
    start: int
    end: int
    side: str | None


class Outcome(Struct, frozen=True):
    """What a run gave, in how many seconds, with how much memory at most."""

    comments: tuple[Comment, ...]
    seconds: float
    peak_mb: float


Run = Callable[[Path, str, Path], Outcome]


def perilune(repository: Path, base_url: str, folder: Path) -> Outcome:
    """Our review of the last commit, on an account of an own address."""
    home = folder / "perilune"
    home.mkdir(mode=0o700)
    config = home / "config.toml"
    host = base_url.split("/")[2]
    config.write_text(
        "schema = 1\n\n[[accounts]]\n"
        f'name = "scripted"\nplan = "openai-compatible"\nkey = "env:BENCH_KEY"\nbase_url = "{base_url}"\n'
        f'\n[gateway]\nallow_private = ["{host}"]\n\n'
        '[[gateway.routes]]\nname = "default"\nmatch = ["*"]\n'
        'slots = [{ account = "scripted", model = "scripted" }]\n\n[review]\nmax_inline = 1000\n',
        encoding="utf-8",
    )
    config.chmod(0o600)
    environment = os.environ | {
        "PYTHONPATH": str(SOURCE),
        "PERILUNE_HOME": str(home),
        "BENCH_KEY": "sk-EXAMPLE00000000000000000000",
        "LC_ALL": "C.UTF-8",
    }
    command = [sys.executable, "-m", "perilune", "review", "--commit", "HEAD", "--format", "json"]
    document, seconds, peak = _measured(command, repository, environment, folder)
    found = [
        Comment(
            finding["title"], finding["anchor"]["path"], finding["anchor"]["start_line"] or 0,
            finding["anchor"]["end_line"] or 0, finding["anchor"]["side"],
        )
        for finding in document["findings"]
        if finding["inline"]
    ]  # fmt: skip
    return Outcome(tuple(found), seconds, peak)


def peer_program() -> str | None:
    """Open Code Review's command: `BENCH_OCR`, else the one on the path."""
    return os.environ.get("BENCH_OCR") or shutil.which("ocr")


def open_code_review(repository: Path, base_url: str, folder: Path) -> Outcome:
    """The peer's review of the last commit, with its own defaults."""
    program = peer_program() or ""
    home = folder / "peer"
    home.mkdir()
    environment = os.environ | {"HOME": str(home), "XDG_CONFIG_HOME": str(home / "config")}
    own = "custom_providers.scripted"
    settings = {"provider": "scripted", f"{own}.url": base_url, f"{own}.protocol": "openai"}
    settings |= {f"{own}.api_key": "sk-EXAMPLE", f"{own}.model": "scripted", "model": "scripted"}
    for name, value in settings.items():
        subprocess.run([program, "config", "set", name, value], env=environment, check=True, capture_output=True)
    command = [program, "review", "--commit", "HEAD", "--format", "json", "--audience", "agent"]
    document, seconds, peak = _measured(command, repository, environment, folder)
    found = [
        Comment(row["content"], row.get("path", ""), row.get("start_line", 0), row.get("end_line", 0), None)
        for row in document.get("comments") or []
    ]
    return Outcome(tuple(found), seconds, peak)


def _measured(
    command: Sequence[str], repository: Path, environment: Mapping[str, str], folder: Path
) -> tuple[dict[str, Any], float, float]:
    peak = folder / "peak"
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", PEAK, str(peak), *command],
        cwd=repository, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=600,
    )  # fmt: skip
    seconds = time.perf_counter() - began
    start = done.stdout.find(b"{")
    if start < 0:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}: {done.stderr.decode(errors='replace')[-800:]}")
    document, _ = json.JSONDecoder().raw_decode(done.stdout[start:].decode())
    return document, seconds, int(peak.read_text()) / 1024
