"""`perilune_can_i`: does something fit into what is left."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Literal, Protocol

from msgspec import Struct

from perilune.core.errors import UsageError
from perilune.core.messages import Voice
from perilune.faces.mcp.tool import ACCOUNT, Answer, Asked, Tool, age_of
from perilune.faces.mcp.tools.status import binding_window
from perilune.faces.text.figures import money, percent_left
from perilune.quota.document import AccountDocument, WindowDocument

_WHAT = ("requests", "tokens", "minutes")
Says = Literal["yes", "no", "unknown"]


class Told(Protocol):
    """How an answer is put together."""

    def __call__(self, answer: Says, text: str, left: float | None = None, until: str | None = None) -> "Fits": ...


class Fits(Struct, frozen=True, kw_only=True):
    """The answer as data. `left` is what is there before, None where it is not counted."""

    answer: Says
    account: str
    what: str
    wanted: int
    left: float | None
    until: str | None
    text: str


async def _answer(asked: Asked) -> Answer:
    wanted = [(what, asked.arguments[what]) for what in _WHAT if what in asked.arguments]
    if len(wanted) != 1:
        raise UsageError.of("PL-USAGE", variant="one_of", command=TOOL.name, option="…", choices=", ".join(_WHAT))
    what, count = wanted[0]
    document = await asyncio.to_thread(asked.reading, asked.names())
    found = best([fits(account, what, count, asked.voice) for account in document.accounts])
    return Answer(found.text, found)


def best(found: Sequence[Fits]) -> Fits:
    """Of several accounts: one that it fits into, else one that says no, else one that cannot tell; the roomiest."""
    order = {"yes": 0, "no": 1, "unknown": 2}
    return min(found, key=lambda one: (order[one.answer], -(one.left or 0)))


def fits(account: AccountDocument, what: str, count: int, voice: Voice) -> Fits:
    """Whether it fits into one account."""

    def told(answer: Says, text: str, left: float | None = None, until: str | None = None) -> Fits:
        text += age_of(account, voice)
        return Fits(answer=answer, account=account.name, what=what, wanted=count, left=left, until=until, text=text)

    if account.effective.usable is False and account.error is not None:
        return told("no", voice.say("mcp.no.error", message=account.error.message))
    if what == "minutes":
        return _minutes(account, count, voice, told)
    window = _scarcest(account) if what == "requests" else None
    if window is None or window.remaining is None:
        return told("unknown", _uncounted(account, what, voice))
    left = int(window.remaining)
    if count <= left:
        return told("yes", voice.say("mcp.yes.requests", wanted=count, left=left - count), left)
    if window.resets_at is None:
        return told("no", voice.say("mcp.no.untimed", wanted=count, left=left), left)
    clock = voice.clock(window.resets_at, round_up=True)
    return told("no", voice.say("mcp.no.requests", wanted=count, left=left, clock=clock), left, clock)


def _scarcest(account: AccountDocument) -> WindowDocument | None:
    counted = [one for one in account.windows if one.unit == "requests" and one.remaining is not None and one.reliable]
    return min(counted, key=lambda window: window.remaining or 0, default=None)


def _uncounted(account: AccountDocument, what: str, voice: Voice) -> str:
    noun = voice.say(f"mcp.{what}")
    window = binding_window(account)
    if window is not None and window.used_ratio is not None:
        return voice.say("mcp.unknown.share", account=account.name, what=noun, left=percent_left(window))
    if account.balance is not None:
        amount = money(account.balance.available, voice)
        return voice.say("mcp.unknown.money", account=account.name, what=noun, amount=amount)
    return voice.say("mcp.unknown", account=account.name, what=noun)


def _minutes(account: AccountDocument, count: int, voice: Voice, told: Told) -> Fits:
    """By pace: until when the binding window lasts if things go on as they do."""
    window = binding_window(account)
    pace = window.pace if window is not None else None
    if pace is None:
        return told("unknown", voice.say("mcp.unknown.pace", account=account.name))
    if pace.empty_at is None or pace.lasts:
        return told("yes", voice.say("mcp.yes.lasts", wanted=count))
    left = max(int((pace.empty_at - voice.now) / timedelta(minutes=1)), 0)
    clock = voice.clock(pace.empty_at)
    return told("yes" if count <= left else "no", _paced(count, left, clock, voice), left, clock)


def _paced(count: int, left: int, clock: str, voice: Voice) -> str:
    return voice.say("mcp.yes.minutes" if count <= left else "mcp.no.minutes", wanted=count, left=left, clock=clock)


_COUNT = {"type": "integer", "minimum": 1}
TOOL = Tool(
    name="perilune_can_i",
    takes={"requests": _COUNT, "tokens": _COUNT, "minutes": _COUNT, "account": ACCOUNT},
    answer=_answer,
)
