"""The forecast as a table: one row a window or balance, and what would let the binding one last."""

from datetime import datetime, timedelta
from decimal import ROUND_FLOOR, Decimal

import msgspec

from perilune.core.messages import Voice
from perilune.core.money import Money
from perilune.core.width import pad
from perilune.faces.text.fitting import Fitted, fitted
from perilune.quota.forecast import AccountForecast, BalanceForecast, ForecastDocument, WindowForecast
from perilune.quota.wording import percent_used, window_word

UNKNOWN = "–"
NARROWEST = 80
_HEADINGS = ("account", "limit", "used", "rate", "runs_out", "reset", "sure")
_LEAST = (7, 7, 4, 11, 18, 16, 0)
_USED = 2
_SPARE = (len(_HEADINGS) - 1,)
_HOURLY_SPAN_S = 86_400
_HOURS_A_DAY = 24
_MANY_DAYS = 365
_MINUTE = timedelta(minutes=1)


def forecast_lines(
    document: ForecastDocument, voice: Voice, columns: int = 80, *, is_verbose: bool = False
) -> list[str]:
    """The whole text."""
    currencies = {account.balance.available.currency for account in document.accounts if account.balance}
    voice = msgspec.structs.replace(voice, with_currency_codes=voice.with_currency_codes or len(currencies) > 1)
    rows = [row for account in document.accounts for row in _rows(account, voice)]
    table = _table(rows, voice, columns) if columns >= NARROWEST else _stacked(rows, voice)
    hints = [line for account in document.accounts for line in _hints(account, voice, is_verbose=is_verbose)]
    return [*table, *hints]


def _rows(account: AccountForecast, voice: Voice) -> list[list[str]]:
    rows = [_window_row(account.name, window, voice) for window in account.windows]
    if account.balance is not None:
        rows.append(_balance_row(account.name, account.balance, voice))
    return rows or [[account.name, UNKNOWN, UNKNOWN, UNKNOWN, voice.say("forecast.unknown"), UNKNOWN, UNKNOWN]]


def _window_row(name: str, window: WindowForecast, voice: Voice) -> list[str]:
    used = UNKNOWN if window.used_ratio is None else percent_used(Decimal(str(window.used_ratio)))
    reset = UNKNOWN if window.resets_at is None else voice.clock(window.resets_at, round_up=True)
    word = window_word(window.id, window.label, voice)
    return [name, word, used, _rate(window, voice), _runs_out(window, voice), reset, _sure(window.confidence, voice)]


def _rate(window: WindowForecast, voice: Voice) -> str:
    if window.rate_per_hour is None:
        return UNKNOWN
    is_hourly = window.span_s is not None and window.span_s <= _HOURLY_SPAN_S
    percent = window.rate_per_hour * 100 * (1 if is_hourly else _HOURS_A_DAY)
    return voice.say("forecast.rate_hour" if is_hourly else "forecast.rate_day", percent=f"{percent:.1f}")


def _runs_out(window: WindowForecast, voice: Voice) -> str:
    if window.used_ratio is not None and window.used_ratio >= 1 and _is_ahead(window.resets_at, voice):
        return voice.say("forecast.spent")
    if window.lasts is None:
        return voice.say("forecast.unknown")
    if window.lasts or window.empty_at is None or window.resets_at is None:
        return voice.say("forecast.lasts")
    # Between the two clocks as they are shown: the earlier one rounded down, the reset up.
    up = window.resets_at.replace(second=0, microsecond=0)
    up = up + _MINUTE if up < window.resets_at else up
    early = up - window.empty_at.replace(second=0, microsecond=0)
    return voice.say("forecast.early", clock=voice.clock(window.empty_at), early=early)


def _is_ahead(moment: datetime | None, voice: Voice) -> bool:
    return moment is None or moment > voice.now


def _balance_row(name: str, balance: BalanceForecast, voice: Voice) -> list[str]:
    burn = balance.burn_per_day
    rate = UNKNOWN if burn is None else voice.say("forecast.burn", amount=Money(Decimal(burn.amount), burn.currency))
    limit = voice.say("forecast.balance")
    runs_out = _balance_runs_out(balance, voice)
    return [name, limit, UNKNOWN, rate, runs_out, UNKNOWN, _sure(balance.confidence, voice)]


def _balance_runs_out(balance: BalanceForecast, voice: Voice) -> str:
    if Decimal(balance.available.amount) <= 0:
        return voice.say("forecast.spent")
    if balance.days_left is None:
        return voice.say("forecast.lasts_long" if balance.confidence else "forecast.unknown")
    if balance.days_left > _MANY_DAYS or balance.empty_at is None:
        return voice.say("forecast.lasts_long")
    return voice.say("forecast.about", date=_day(balance.empty_at, voice))


def _day(moment: datetime, voice: Voice) -> str:
    """`6 Dec`, `12月6日`: a day without its name, which would promise more than is known."""
    local, today = moment.astimezone(voice.zone), voice.now.astimezone(voice.zone)
    date = voice.date(local, with_year=local.year != today.year)
    return date.rpartition(" ")[0] if voice.language == "zh-CN" else date.partition(" ")[2]


def _sure(confidence: str | None, voice: Voice) -> str:
    return UNKNOWN if confidence is None else voice.say(f"forecast.sure.{confidence}")


def _table(rows: list[list[str]], voice: Voice, columns: int) -> list[str]:
    table = [[voice.say(f"forecast.head.{name}") for name in _HEADINGS], *rows]
    found = fitted(table, columns, _LEAST, _SPARE)
    if not found.fits:
        return _stacked(rows, voice)
    return ["  ".join(_cells(row, found)).rstrip() for row in table]


def _cells(row: list[str], found: Fitted) -> list[str]:
    shown = zip(found.columns, found.widths, strict=True)
    return [pad(row[at], wide, "right" if at == _USED else "left") for at, wide in shown]


def _stacked(rows: list[list[str]], voice: Voice) -> list[str]:
    """One fact a line, for narrow terminals."""
    lines = []
    for account, limit, used, rate, runs_out, reset, sure in rows:
        lines.append(f"{account}  {limit}  {used}")
        lines.append(f"  {voice.say('forecast.head.runs_out')} {runs_out}")
        lines.append(f"  {voice.say('forecast.head.reset')} {reset}")
        lines.append(f"  {voice.say('forecast.head.rate')} {rate}  {voice.say('forecast.head.sure')} {sure}")
    return lines


def _hints(account: AccountForecast, voice: Voice, *, is_verbose: bool) -> list[str]:
    lines = [line for window in account.windows if (line := _allowance(account.name, window, voice))]
    if not is_verbose:
        return lines
    for window in account.windows:
        word = window_word(window.id, window.label, voice)
        safe = _safe_rate(account.name, window, word, voice)
        if safe is not None:
            lines.append(safe)
        if window.probability is not None:
            percent = int(Decimal(str(window.probability)) * 100)
            lines.append(voice.say("forecast.probability", account=account.name, window=word, percent=percent))
        if window.full_windows_left is not None:
            count = int(window.full_windows_left)
            lines.append(voice.say("forecast.full_windows", account=account.name, window=word, count=count))
        if window.headroom is not None:
            factor = f"{window.headroom:g}"
            lines.append(voice.say("forecast.headroom", account=account.name, window=word, factor=factor))
    return lines


def _allowance(name: str, window: WindowForecast, voice: Voice) -> str | None:
    """What would let a window last that does not."""
    if window.lasts is not False or window.resets_at is None:
        return None
    clock = voice.clock(window.resets_at, round_up=True)
    if window.allowed_requests_per_hour is not None and window.requests_per_hour is not None:
        allowed, now = int(window.allowed_requests_per_hour), int(window.requests_per_hour)
        return voice.say("forecast.allowance", account=name, clock=clock, allowed=allowed, now=now)
    if window.allowed_ratio_per_hour is None or window.rate_per_hour is None:
        return None
    shares = (_tenths(window.allowed_ratio_per_hour), _tenths(window.rate_per_hour))
    return voice.say("forecast.allowance_share", account=name, clock=clock, allowed=shares[0], now=shares[1])


def _safe_rate(name: str, window: WindowForecast, word: str, voice: Voice) -> str | None:
    """How much an hour a window that lasts can take until its reset."""
    if window.lasts is not True or window.resets_at is None:
        return None
    facts = {"account": name, "window": word, "clock": voice.clock(window.resets_at, round_up=True)}
    if window.allowed_requests_per_hour is not None:
        return voice.say("forecast.safe", allowed=int(window.allowed_requests_per_hour), **facts)
    if window.allowed_ratio_per_hour is None:
        return None
    return voice.say("forecast.safe_share", allowed=_tenths(window.allowed_ratio_per_hour), **facts)


def _tenths(ratio: float) -> str:
    return str((Decimal(str(ratio)) * 100).quantize(Decimal("0.1"), ROUND_FLOOR))
