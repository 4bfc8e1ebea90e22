"""The stage a tool plays on: the sandbox, `perilune up` in front of it, and a model that wants one tool called."""

import os
import queue
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Literal

from perilune.sandbox import World, running_sandbox
from perilune.sandbox.speech import Asked, Line
from perilune.sandbox.speech.script import command_tool, sample_arguments

Scene = Literal["moonshot", "kimi-code", "to-moonshot", "to-kimi-code"]
SCENES: tuple[Scene, ...] = ("moonshot", "kimi-code", "to-moonshot", "to-kimi-code")
FAILOVERS: tuple[Scene, ...] = ("to-moonshot", "to-kimi-code")

COMMAND = "echo tool-$((40+2))"
RESULT = "tool-42"
WORD = "PONG"
THOUGHT = "A command will tell."

_KEYS = {
    "work": "sk-kimi-EXAMPLE0sandbox0cn0000000000000000001",
    "ci": "sk-EXAMPLE0sandbox0moonshot0intl0000000000001",
}
_ACCOUNTS = """schema = 1
[[accounts]]
name = "work"
plan = "kimi-code"
region = "cn"
key = "env:STAGE_WORK"
[[accounts]]
name = "ci"
plan = "moonshot"
region = "intl"
key = "env:STAGE_CI"
[[gateway.routes]]
name = "default"
match = ["*"]
slots = [{slots}]
"""
_WORK = '{ account = "work", model = "kimi-for-coding", thinking = "medium" }'
_CI = '{ account = "ci", model = "kimi-k2.6" }'
_SLOTS: dict[Scene, str] = {
    "moonshot": _CI, "kimi-code": _WORK, "to-moonshot": f"{_WORK}, {_CI}", "to-kimi-code": f"{_CI}, {_WORK}",
}  # fmt: skip
_SERVED: dict[Scene, list[str]] = {
    "moonshot": ["moonshot-intl"], "kimi-code": ["kimi-cn"],
    "to-moonshot": ["kimi-cn", "moonshot-intl"], "to-kimi-code": ["moonshot-intl", "kimi-cn"],
}  # fmt: skip
_READY = re.compile(r"^perilune \S+ · (http://127\.0\.0\.1:\d+)")
_READY_S, _END_S = 60, 30


class Stage:
    """A running stage. `origin` is the gateway's address, `world` the played vendors."""

    def __init__(self, scene: Scene, world: World) -> None:
        self.scene = scene
        self.world = world
        self.origin = ""
        world.answer_with(self._answer)

    @property
    def fails_over(self) -> bool:
        """True where the main account is spent in the middle."""
        return self.scene in FAILOVERS

    def spend_main(self) -> None:
        """From the next request on, the main account has nothing left: its 5-hour window, or its money."""
        if self.scene == "to-moonshot":
            self.world.set("kimi-cn", windows={"5h": {"used": 200}})
        else:
            self.world.set("moonshot-intl", cash=0, voucher=0)

    def faults(self) -> Iterator[str]:
        """What the played vendors saw that should not have been."""
        asked = [request for request in self.world.requests(method="POST") if "token" not in request.path]
        served = list(dict.fromkeys(request.account for request in asked if request.status == 200))
        if served != _SERVED[self.scene]:
            yield f"answered by {', '.join(served) or 'nobody'}"
        spent = (403, 429) if self.fails_over else ()
        for request in asked:
            if request.status is None or (request.status != 200 and request.status not in spent):
                yield f"refused: {request.status} {request.host}{request.path}"
            # In these two the model was asked to think, so what it thought has to come back with the call.
            thinks = self.scene in ("kimi-code", "to-moonshot")
            if thinks and RESULT in (request.body or "") and THOUGHT not in (request.body or ""):
                yield f"a thought is lost: {request.host}{request.path}"

    def _answer(self, asked: Asked) -> Line | None:
        """One call of the tool that runs commands, and a last word once its result has come."""
        functions = [tool for tool in asked.tools if tool.kind == "function"]
        if any(turn.answers and RESULT in turn.text for turn in asked.turns):
            return Line(say=f"{WORD} after {RESULT}")
        if COMMAND not in asked.text or not functions:
            return None
        if self.fails_over:
            self.spend_main()
        tool = command_tool(functions)
        arguments = sample_arguments(tool.schema, COMMAND)
        return Line(say="", reasoning=THOUGHT, tool=tool.name, arguments=arguments)


@contextmanager
def staged(scene: Scene) -> Iterator[Stage]:
    """The stage of one scene, for the length of a `with` block."""
    with running_sandbox("pong") as sandbox, tempfile.TemporaryDirectory() as home:
        sandbox.world.records_bodies = True
        stage = Stage(scene, sandbox.world)
        with _service(Path(home), scene, sandbox.url) as origin:
            stage.origin = origin
            yield stage


@contextmanager
def _service(home: Path, scene: Scene, upstream: str) -> Iterator[str]:
    config = home / "config.toml"
    config.write_text(_ACCOUNTS.replace("{slots}", _SLOTS[scene]))
    config.chmod(0o600)
    environment = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    environment |= {
        "HOME": str(home), "PERILUNE_HOME": str(home), "PERILUNE_LANG": "en", "PERILUNE_UPSTREAM": upstream,
        "PYTHONUTF8": "1", "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        "STAGE_WORK": _KEYS["work"], "STAGE_CI": _KEYS["ci"],
    }  # fmt: skip
    command = [sys.executable, "-m", "perilune", "up", "--listen", "127.0.0.1:0"]
    with subprocess.Popen(
        command, env=environment, cwd=home, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield _address(process.stderr)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(_END_S)
            finally:
                process.kill()


def _address(stream: IO[str] | None) -> str:
    found: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_read, args=(stream, found), daemon=True).start()
    try:
        address = found.get(timeout=_READY_S)
    except queue.Empty:
        address = ""
    if not address:
        raise RuntimeError("perilune up was not ready")
    return address


def _read(stream: IO[str] | None, found: "queue.Queue[str]") -> None:
    for line in stream or ():
        if match := _READY.match(line):
            found.put(match[1])
    found.put("")
