"""`perilune_wait_until_reset`: waits until a spent window is back, as long as there is a point in it."""

import asyncio
from datetime import datetime, timedelta

from msgspec import Struct

from perilune.core.messages import Voice
from perilune.faces.mcp.tool import ACCOUNT, Answer, Asked, Tool
from perilune.faces.mcp.tools.status import binding_window
from perilune.quota.document import AccountDocument, StatusDocument, WindowDocument
from perilune.quota.wording import window_word

_LOOK_S = 15.0
_LEAST_S = 0.05
_LONGEST_S = 21_600


class Waited(Struct, frozen=True, kw_only=True):
    """What came of waiting. Units: seconds."""

    back: bool
    account: str
    window: str | None
    waited_s: int
    resets_at: datetime | None


async def _answer(asked: Asked) -> Answer:
    limit_s, began = asked.arguments["max_seconds"], asked.services.now()
    waited_for: WindowDocument | None = None
    while True:
        now = asked.services.now()
        document = await asyncio.to_thread(asked.reading, asked.names())
        account, window = _blocking(document, asked.arguments.get("window"))
        waited = now - began
        if window is None:
            return _back(account, waited_for, waited, asked)
        waited_for = window
        rest_s, left_s = limit_s - waited.total_seconds(), _left_s(window, now)
        if rest_s <= 0 or (left_s is not None and left_s > rest_s):
            return _not_back(account, window, waited, limit_s, asked.voice)
        total = waited.total_seconds() + (rest_s if left_s is None else left_s)
        await asked.progress(waited.total_seconds(), total, asked.voice.say("mcp.wait.waiting", account=account.name))
        await asyncio.sleep(max(min(_LOOK_S, rest_s, left_s or _LOOK_S), _LEAST_S))


def _blocking(document: StatusDocument, wanted: str | None) -> tuple[AccountDocument, WindowDocument | None]:
    """The first account, and its window that is spent; None where nothing has to be waited for."""
    usable = next((one for one in document.accounts if one.effective.usable is not False), None)
    if usable is not None and wanted is None:
        return usable, None
    account = document.accounts[0]
    if wanted is not None:
        window = next((one for one in account.windows if one.id == wanted), None)
        return account, window if window is not None and window.state == "spent" else None
    return account, binding_window(account)


def _left_s(window: WindowDocument, now: datetime) -> float | None:
    return None if window.resets_at is None else max((window.resets_at - now).total_seconds(), 0)


def _back(account: AccountDocument, window: WindowDocument | None, waited: timedelta, asked: Asked) -> Answer:
    voice, wanted = asked.voice, asked.arguments.get("window")
    window_id = window.id if window is not None else wanted
    if window_id is None:
        text = voice.say("mcp.wait.usable", account=account.name)
    else:
        word = window_word(window_id, window.label if window is not None else window_id, voice)
        text = voice.say("mcp.wait.window", window=word, waited=waited)
    seconds = int(waited.total_seconds())
    return Answer(text, Waited(back=True, account=account.name, window=window_id, waited_s=seconds, resets_at=None))


def _not_back(
    account: AccountDocument, window: WindowDocument, waited: timedelta, limit_s: int, voice: Voice
) -> Answer:
    if window.resets_at is None:
        text = voice.say("mcp.wait.unknown", seconds=limit_s)
    else:
        text = voice.say("mcp.wait.not", seconds=limit_s, clock=voice.clock(window.resets_at, round_up=True))
    seconds = int(waited.total_seconds())
    told = Waited(back=False, account=account.name, window=window.id, waited_s=seconds, resets_at=window.resets_at)
    return Answer(text, told)


TOOL = Tool(
    name="perilune_wait_until_reset",
    takes={
        "max_seconds": {"type": "integer", "minimum": 1, "maximum": _LONGEST_S},
        "account": ACCOUNT,
        "window": {"type": "string", "description": "id of one window, as 5h"},
    },
    needs=("max_seconds",),
    answer=_answer,
)
