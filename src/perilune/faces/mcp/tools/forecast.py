"""`perilune_forecast`: when each window and each balance runs out."""

import asyncio
from decimal import Decimal

from perilune.core.messages import Voice
from perilune.core.money import Money
from perilune.faces.mcp.tool import ACCOUNT, Answer, Asked, Tool
from perilune.quota.forecast import AccountForecast, BalanceForecast, ForecastDocument, WindowForecast, forecast
from perilune.quota.wording import window_word

_MANY_DAYS = 365


async def _answer(asked: Asked) -> Answer:
    document = await asyncio.to_thread(_forecast, asked)
    wanted = asked.arguments.get("window")
    lines = [line for account in document.accounts for line in _lines(account, asked.voice, wanted)]
    return Answer("\n".join(lines) or asked.voice.say("mcp.forecast.none"), document)


def _forecast(asked: Asked) -> ForecastDocument:
    status = asked.reading(asked.names())
    monitoring = asked.services.monitoring_now()
    try:
        return forecast(status, monitoring.histories())
    finally:
        monitoring.close()


def _lines(account: AccountForecast, voice: Voice, wanted: str | None) -> list[str]:
    windows = [window for window in account.windows if wanted in (None, window.id)]
    lines = [_of_window(account.name, window, voice) for window in windows]
    if account.balance is not None and wanted in (None, "balance"):
        lines.append(_of_balance(account.name, account.balance, voice))
    return lines


def _of_window(name: str, window: WindowForecast, voice: Voice) -> str:
    facts = {"account": name, "window": window_word(window.id, window.label, voice)}
    if window.lasts is None:
        return voice.say("mcp.forecast.unknown", **facts)
    if window.lasts or window.empty_at is None:
        return voice.say("mcp.forecast.lasts", **facts)
    return voice.say("mcp.forecast.empty", clock=voice.clock(window.empty_at), **facts)


def _of_balance(name: str, balance: BalanceForecast, voice: Voice) -> str:
    amount = Money(Decimal(balance.available.amount), balance.available.currency)
    facts = {"account": name, "amount": amount}
    if balance.days_left is None or balance.days_left > _MANY_DAYS:
        return voice.say("mcp.forecast.balance_unknown", **facts)
    return voice.say("mcp.forecast.balance", count=round(balance.days_left), **facts)


TOOL = Tool(
    name="perilune_forecast",
    takes={"account": ACCOUNT, "window": {"type": "string", "description": "id of one window, as 5h; or balance"}},
    answer=_answer,
)
