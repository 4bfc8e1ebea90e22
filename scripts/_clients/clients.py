"""The tools, one row each: where they come from, how their recipe is run, how their tool loop is started."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from scripts._clients.cache import MissingError, node, node_packages, python_environment
from scripts._clients.stage import COMMAND

PROGRAMS = Path(__file__).parent / "programs"


@dataclass(frozen=True)
class Installed:
    """A tool on this machine. Shape: `folders` come first on PATH; `modules` is where a JavaScript file must stand."""

    folders: tuple[Path, ...]
    modules: Path | None = None


@dataclass(frozen=True)
class Client:
    """One tool. Shape: `title` is its heading in the guide; `tool_loop` a shell command, None where it has no tools;
    `again` goes on with a conversation, for a failover in its middle."""

    name: str
    title: str
    install: Callable[[], Installed]
    version: str
    tool_loop: str | None = None
    again: str | None = None


def _python(environment: str, least: tuple[int, int] = (3, 11)) -> Callable[[], Installed]:
    return lambda: Installed((python_environment(environment, least),))


def _node(package: str) -> Callable[[], Installed]:
    def install() -> Installed:
        folder = node_packages(package)
        return Installed((folder / "node_modules" / ".bin", node().parent), folder)

    return install


def _claude() -> Installed:
    """Its own launcher is put in place by an install script, which does not run here: the package's other one is."""
    installed = _node("claude")()
    package = installed.folders[0].parent / "@anthropic-ai" / "claude-code"
    shim = installed.folders[0].parent / ".perilune" / "claude"
    shim.parent.mkdir(exist_ok=True)
    shim.write_text(f'#!/bin/sh\nexec node "{package}/cli-wrapper.cjs" "$@"\n')
    shim.chmod(0o755)
    return Installed((shim.parent, *installed.folders), installed.modules)


def _opencode() -> Installed:
    """The program itself, which stands in a package of its own for each platform."""
    found = sorted((node_packages("opencode") / "node_modules").glob("opencode-*/bin/opencode"))
    if not found:
        raise MissingError("a build of opencode for this platform")
    found[0].chmod(0o755)
    return Installed((found[0].parent, node().parent))


_ASK = f"'run {COMMAND}'"

CLIENTS: tuple[Client, ...] = (
    Client(
        "openai-python",
        "openai-python",
        _python("sdks"),
        "python -c 'import openai; print(openai.__version__)'",
        tool_loop=f"python {PROGRAMS / 'openai_loops.py'}",
    ),
    Client(
        "anthropic-python",
        "anthropic-python",
        _python("sdks"),
        "python -c 'import anthropic; print(anthropic.__version__)'",
        tool_loop=f"python {PROGRAMS / 'anthropic_loops.py'}",
    ),
    Client(
        "llm",
        "llm",
        _python("llm"),
        "llm --version",
        tool_loop=f"llm -m kimi-local --functions {PROGRAMS / 'llm_tools.py'} {_ASK}",
        again="llm -c 'and again'",
    ),
    Client(
        "aider",
        "aider",
        _python("aider"),
        "aider --version",
        again="aider --model openai/kimi-k2.6 --no-git --yes-always --no-check-update --no-analytics --no-stream"
        " --no-show-model-warnings --no-pretty --restore-chat-history --message 'and again' </dev/null",
    ),
    Client(
        "claude",
        "Claude Code",
        _claude,
        "claude --version",
        tool_loop=f"claude -p {_ASK} --output-format json --allowedTools Bash </dev/null",
    ),
    Client(
        "codex",
        "Codex",
        _node("codex"),
        "codex --version",
        tool_loop=f"codex exec --skip-git-repo-check --dangerously-bypass-approvals-and-sandbox {_ASK} </dev/null",
    ),
    Client(
        "opencode",
        "opencode",
        _opencode,
        "opencode --version",
        tool_loop=f"opencode run {_ASK} </dev/null",
    ),
    Client(
        "kimi-code",
        "kimi-code",
        _node("kimi-code"),
        "kimi --version",
        tool_loop=f"kimi -p {_ASK} --output-format stream-json </dev/null",
    ),
    Client(
        "kimi-cli",
        "kimi-cli",
        _python("kimi-cli", (3, 12)),
        "kimi --version",
        tool_loop=f"kimi --quiet --yolo -p {_ASK} </dev/null",
    ),
    Client(
        "ai-sdk",
        "Vercel AI SDK",
        _node("ai-sdk"),
        "node -p \"require('ai/package.json').version\"",
        tool_loop=f"node {PROGRAMS.name}/ai_sdk_loops.mjs",
    ),
)
