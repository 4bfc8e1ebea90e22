"""The demo: a stack of its own whose vendors are the sandbox in this process, with a story that goes round.

One account of each kind; the main one's 5-hour window fills, requests go over to the next, the window comes back; money
runs low; a review has just been done. Nothing is kept: the home is a temporary folder.
"""

import asyncio
import contextlib
import itertools
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from perilune.compose.demo_review import play_review
from perilune.compose.stack import Stack
from perilune.compose.workbench import Workbench
from perilune.core.secret import Secret
from perilune.dialects.form import Dialect
from perilune.faces.api.hub import Hub
from perilune.faces.api.ports import AddedKey
from perilune.gateway.call import Call
from perilune.sandbox import SandboxHandle, World, start_sandbox
from perilune.sandbox.keys import KIMI_CN, KIMI_INTL, MOONSHOT_CN, MOONSHOT_INTL

_ROUND_S = 240.0
_EVERY_S = 2.0
_READ_EVERY_S = 6.0
_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "LC_MESSAGES", "TZ", "PERILUNE_LANG", "XDG_RUNTIME_DIR")
_ACCOUNTS = (
    ("work", "kimi-code", "cn", KIMI_CN),
    ("studio", "kimi-code", "intl", KIMI_INTL),
    ("lab", "moonshot", "cn", MOONSHOT_CN),
    ("ci", "moonshot", "intl", MOONSHOT_INTL),
)
_CONFIG = """schema = 1
{accounts}
[[gateway.routes]]
name = "default"
slots = [
  {{ account = "work", model = "kimi-for-coding", thinking = "medium" }},
  {{ account = "ci", model = "kimi-k2.6" }},
]

[[gateway.routes]]
name = "review"
match = ["review"]
slots = [{{ account = "studio", model = "kimi-for-coding" }}, {{ account = "lab", model = "kimi-k2.6" }}]
"""
_ACCOUNT = """
[[accounts]]
name = "{name}"
plan = "{plan}"
region = "{region}"
key = "env:DEMO_KEY_{upper}"
"""
_WORK = (
    "Rename the helper and move its test beside it.",
    "Why does the second retry wait longer than the first?",
    "Write a test for the empty page.",
    "Explain this traceback.",
    "Split this function where it changes its mind.",
)


class Demo:
    """The demo's sandbox, its stack and its story."""

    def __init__(
        self,
        hub: Hub,
        *,
        listen: Callable[[], str],
        token: Secret | None,
        add: Callable[[str], AddedKey] | None,
    ) -> None:
        self._hub = hub
        self._listen = listen
        self._token = token
        self._add = add
        self._folder = tempfile.TemporaryDirectory(prefix="perilune-demo-")
        self._world = World(_scenario())
        self._handle: SandboxHandle | None = None
        self._stack: Stack | None = None
        self._story: asyncio.Task[None] | None = None

    @property
    def wants_key(self) -> bool:
        """True where the demo stands in until a first key is pasted."""
        return self._add is not None

    async def start(self) -> Stack:
        """Start everything and give the stack that answers."""
        self._handle = await start_sandbox(self._world)
        home = Path(self._folder.name) / "home"
        bench = Workbench(_environment(home, self._handle.url))
        home.mkdir(mode=0o700)
        config = bench.paths.config_file
        config.parent.mkdir(parents=True, exist_ok=True)
        accounts = "".join(
            _ACCOUNT.format(name=name, plan=plan, region=region, upper=name.upper())
            for name, plan, region, _ in _ACCOUNTS
        )
        config.write_text(_CONFIG.format(accounts=accounts), encoding="utf-8")
        config.chmod(0o600)
        self._stack = Stack(
            bench,
            self._hub,
            listen=self._listen,
            token=self._token,
            is_demo=True,
            wants_key=self.wants_key,
            add=self._add or _refuse,
        )
        await self._stack.start()
        await self._stack.read(None)
        self._story = asyncio.create_task(self._tell(self._stack))
        return self._stack

    async def stop(self) -> None:
        """End the story and forget everything."""
        if self._story is not None:
            self._story.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._story
        if self._stack is not None:
            await self._stack.stop(0)
        if self._handle is not None:
            await self._handle.stop()
        self._folder.cleanup()

    async def _tell(self, stack: Stack) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._send(stack))
            group.create_task(_read(stack))
            group.create_task(self._go_round())
            group.create_task(play_review(stack, self._world))

    async def _send(self, stack: Stack) -> None:
        """Requests as a day's work would send them."""
        for number in itertools.count():
            body = {
                "model": "kimi-for-coding",
                "messages": [{"role": "user", "content": _WORK[number % len(_WORK)]}],
                "max_tokens": 512,
            }
            call = Call(front=Dialect.CHAT, body=msgspec.json.encode(body), owner="demo")
            await stack.engine.gateway.core.answer(call)
            await asyncio.sleep(_EVERY_S)

    async def _go_round(self) -> None:
        """The window fills to its end, is spent for a while, and comes back; then once more."""
        while True:
            await asyncio.sleep(_ROUND_S * 0.25)
            self._world.set("moonshot-cn", cash=3.2)
            await asyncio.sleep(_ROUND_S * 0.75)
            self._world.set("kimi-cn", windows={"5h": {"used": 166, "resets_in_s": _ROUND_S * 0.75}})
            self._world.set("moonshot-cn", voucher=15, cash=7.5)


async def _read(stack: Stack) -> None:
    """The demo's monitor is impatient, so that the page is worth watching."""
    while True:
        await asyncio.sleep(_READ_EVERY_S)
        await stack.read(None)


def _scenario() -> dict[str, Any]:
    return {
        "extends": "pong",
        "title": "demo",
        "seed": 7,
        "script": {"gap_ms": 15, "first_content_s": 0.35, "text": "Done: 3 files changed, the suite passes."},
        "accounts": {
            "kimi-cn": {"windows": {"5h": {"used": 166, "resets_in_s": _ROUND_S * 0.75}, "7d": {"used": 611}}},
            "moonshot-cn": {"voucher": 15, "cash": 7.5},
        },
    }


def _environment(home: Path, upstream: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    keys = {f"DEMO_KEY_{name.upper()}": key for name, _, _, key in _ACCOUNTS}
    return kept | keys | {"PERILUNE_HOME": str(home), "PERILUNE_UPSTREAM": upstream}


def _refuse(paste: str) -> AddedKey:
    """A demo that was asked for keeps no key."""
    from perilune.core.errors import Problem

    return AddedKey(problem=Problem(code="PL-USAGE", variant="demo_key"))
