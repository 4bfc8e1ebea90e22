"""Status lines of G1: the line file, and one drawn without a process."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
from tests.support.g1 import G1, NOW

from perilune.faces.statusline.drawn import Drawn
from perilune.faces.statusline.reader import Reader
from perilune.faces.statusline.view import View, choose
from perilune.quota.document import StatusDocument
from perilune.quota.line import AccountFacts, Line, LineFacts, LineRoute, line_of

FACTS = LineFacts(
    accounts={
        "work": AccountFacts(plan_label="Kimi Code", vendor="Kimi", hosts=("api.kimi.com",)),
        "ci": AccountFacts(plan_label="Moonshot", vendor="Moonshot", hosts=("api.moonshot.ai",)),
        "lab": AccountFacts(plan_label="Moonshot", vendor="Moonshot", hosts=("api.moonshot.cn",)),
    },
    routes=[LineRoute("default", ("work", "ci"))],
    listen="127.0.0.1:8787",
)
NOW_S = int(NOW.timestamp())


def g1_line(document: StatusDocument = G1, **changes: Any) -> Line:
    return msgspec.structs.replace(line_of(document, FACTS), **changes)


def with_account(line: Line, of: str = "work", **changes: Any) -> Line:
    accounts = tuple(msgspec.structs.replace(one, **changes) if one.name == of else one for one in line.accounts)
    return msgspec.structs.replace(line, accounts=accounts)


def with_window(line: Line, window: str = "5h", **changes: Any) -> Line:
    """The line with one window of `work` changed."""
    work = next(one for one in line.accounts if one.name == "work")
    windows = tuple(msgspec.structs.replace(one, **changes) if one.id == window else one for one in work.windows)
    return with_account(line, windows=windows)


def stored(line: Line) -> Any:
    """The line as a status line reads it."""
    return json.loads(msgspec.json.encode(line), object_hook=lambda pairs: SimpleNamespace(**pairs))


def drawn(
    line: Line | None,
    *,
    account: str | None = None,
    now: int = NOW_S,
    language: Any = "en",
    left: bool = False,
    **more: Any,
) -> Drawn:
    read = None if line is None else stored(line)
    view = View(read, choose(read, account), now, account)
    reader = Reader(language, now, "Asia/Shanghai", shows_left=left)
    return Drawn(view, reader, **more)


def write(line: Line, home: Path) -> Path:
    home.mkdir(parents=True, exist_ok=True)
    file = home / "line.json"
    file.write_bytes(msgspec.json.encode(line))
    return file
