"""One tool in one scene: its recipe, its tool loop, and what may be said against the outcome."""

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from scripts._clients.clients import PROGRAMS, Client, Installed
from scripts._clients.guide import Recipe, recipe_of
from scripts._clients.stage import RESULT, WORD, Scene, Stage, staged

LONGEST_S = 180
_TROUBLE = re.compile(r"(?:status|code|HTTP)\W{0,3}[45]\d\d\b|usage limit|retry|error|refus|fail", re.IGNORECASE)
_HARMLESS = re.compile(
    r'"(?:is_error|error|errors|api_error_status|permission_denials)":\s*(?:false|null|\[\]|0)'
    r"|^HTTPSConnectionPool\(.*$",  # aider looks for a list of prices elsewhere, and there is no elsewhere here
    re.IGNORECASE | re.MULTILINE,
)
_KEPT = ("LANG", "LC_ALL", "TZ", "SSL_CERT_FILE")


@dataclass
class Run:
    """What came of one tool in one scene. Shape: `faults` is empty when all went well; `output` is for the reader."""

    seconds: float = 0
    looped: bool | None = None
    faults: list[str] = field(default_factory=list)
    output: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        return not self.faults


def run_scene(client: Client, scene: Scene) -> Run:
    """The client in this scene, on a stage of its own, from an empty home."""
    run, began = Run(), time.monotonic()
    with staged(scene) as stage, tempfile.TemporaryDirectory() as home:
        _Player(client, client.install(), stage, Path(home), run).play()
        run.faults += stage.faults()
    run.seconds = time.monotonic() - began
    return run


def version_of(client: Client) -> str:
    """The version the tool says of itself."""
    installed = client.install()
    with tempfile.TemporaryDirectory() as home:
        done = _shell(client.version, installed, Path(home), installed.modules)
    found = re.search(r"\d+\.\d+(?:\.\d+)?", done.stdout + done.stderr)
    return found[0] if found else "?"


class _Player:
    """Runs what a scene asks of a client."""

    def __init__(self, client: Client, installed: Installed, stage: Stage, home: Path, run: Run) -> None:
        self._client, self._installed, self._stage, self._home, self._run = client, installed, stage, home, run
        self._recipe: Recipe = recipe_of(client.title, stage.origin)

    def play(self) -> None:
        self._ask(self._trial(), WORD, "recipe")
        if self._client.tool_loop is not None:
            self._run.looped = self._ask(self._client.tool_loop, f"{WORD} after {RESULT}", "tool loop")
        elif self._stage.fails_over:
            self._stage.spend_main()
            self._ask(self._client.again or self._trial(), WORD, "after the failover")
        if self._client.again is not None and self._client.tool_loop is not None:
            self._ask(self._client.again, WORD, "next turn")

    def _trial(self) -> str:
        """The recipe's last block as a shell command."""
        if self._recipe.language == "sh":
            return self._recipe.trial
        suffix, program = {"python": ("py", "python"), "js": ("mjs", "node")}[self._recipe.language]
        file = self._folder() / f"recipe.{suffix}"
        file.write_text(self._recipe.trial, encoding="utf-8")
        return f"{program} {file}"

    def _folder(self) -> Path:
        """Where the commands run; a JavaScript file finds its packages from where it stands."""
        folder = self._home / "work"
        folder.mkdir(exist_ok=True)
        if self._recipe.language == "js" and self._installed.modules is not None:
            modules = folder / "node_modules"
            if not modules.exists():
                modules.symlink_to(self._installed.modules / "node_modules")
                shutil.copytree(PROGRAMS, folder / PROGRAMS.name)
        return folder

    def _ask(self, command: str, expected: str, step: str) -> bool:
        """Run a command behind the recipe's setup; True when it ended well and said what it should."""
        script = f"set -e\n{self._recipe.setup}\n{command}"
        extra = {"GATEWAY": self._stage.origin}
        try:
            done = _shell(script, self._installed, self._home, self._folder(), extra)
        except subprocess.TimeoutExpired:
            self._run.faults.append(f"{step}: not done after {LONGEST_S} s")
            return False
        self._run.output.append(f"$ {command.strip()}\n{done.stdout}{done.stderr}")
        said = list(_judged(done, expected, quiet=self._stage.fails_over))
        self._run.faults += [f"{step}: {fault}" for fault in said]
        return not said


def _shell(
    script: str, installed: Installed, home: Path, folder: Path | None, extra: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([*map(str, installed.folders), os.environ.get("PATH", "")])
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
    environment |= {"PATH": path, "HOME": str(home), "TERM": "dumb", "NO_COLOR": "1", "PYTHONWARNINGS": "ignore"}
    environment |= _QUIET | (extra or {})
    return subprocess.run(
        ["sh", "-c", script],
        env=environment,
        cwd=folder or home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=False,
    )


# No tool looks for a newer version of itself or reports home while it is judged.
_QUIET = {
    "OPENCODE_DISABLE_AUTOUPDATE": "1",
    "KIMI_DISABLE_TELEMETRY": "1",
    "KIMI_CODE_NO_AUTO_UPDATE": "1",
    "KIMI_CLI_NO_AUTO_UPDATE": "1",
    "AI_SDK_LOG_WARNINGS": "false",
    "IS_SANDBOX": "1",
}


def _judged(done: subprocess.CompletedProcess[str], expected: str, *, quiet: bool) -> Iterator[str]:
    if done.returncode:
        yield f"exit {done.returncode}: {(done.stderr or done.stdout).strip()[-300:]}"
    elif expected not in done.stdout:
        yield f"{expected!r} is not in its output: {(done.stdout + done.stderr).strip()[-300:]}"
    elif quiet and (hint := _TROUBLE.search(_HARMLESS.sub("", done.stdout))):
        yield f"its output hints at trouble: {hint[0]!r}"
