"""`perilune_status`: what is left of each account."""

import asyncio

from perilune.core.messages import Voice
from perilune.faces.mcp.tool import ACCOUNT, Answer, Asked, Tool, age_of
from perilune.faces.text.figures import figures, money
from perilune.quota.document import AccountDocument, WindowDocument
from perilune.quota.wording import window_word


async def _answer(asked: Asked) -> Answer:
    document = await asyncio.to_thread(asked.reading, asked.names())
    return Answer("\n".join(sentence(account, asked.voice) for account in document.accounts), document)


def sentence(account: AccountDocument, voice: Voice) -> str:
    """One account in one line: its binding limit, when that comes back, what the pace says; how old that is."""
    error, is_blocked = account.error, account.effective.usable is False
    known = None if error is not None and is_blocked else _known(account, voice)
    if error is None:
        said = known or voice.say("mcp.unread", account=account.name)
    elif known is None:
        said = voice.say("mcp.trouble", account=account.name, message=error.message)
    else:
        said = voice.say("mcp.known", known=known, message=error.message)
    return said + age_of(account, voice)


def _known(account: AccountDocument, voice: Voice) -> str | None:
    window = binding_window(account)
    if window is not None:
        return _of_window(account, window, voice)
    if account.balance is None:
        return None
    said = voice.say("mcp.balance", account=account.name, amount=money(account.balance.available, voice))
    if account.balance.days_left is not None:
        said += voice.say("mcp.days", count=round(account.balance.days_left))
    return said + voice.say("mcp.end")


def binding_window(account: AccountDocument) -> WindowDocument | None:
    """The window that blocks or binds, else the first."""
    wanted = (account.effective.blocked_by, account.effective.binding)
    named = (window for name in wanted for window in account.windows if window.id == name)
    return next(named, next(iter(account.windows), None))


def _of_window(account: AccountDocument, window: WindowDocument, voice: Voice) -> str:
    used, left = figures(window, "used")
    word = window_word(window.id, window.label, voice)
    said = voice.say("mcp.window", account=account.name, window=word, used=used.strip(), left=left.strip())
    if window.resets_at is not None:
        said += voice.say("mcp.resets", clock=voice.clock(window.resets_at, round_up=True))
    if window.pace is not None and window.pace.empty_at is not None:
        said += voice.say("mcp.empty", clock=voice.clock(window.pace.empty_at))
    return said + voice.say("mcp.end")


TOOL = Tool(name="perilune_status", takes={"account": ACCOUNT}, answer=_answer)
