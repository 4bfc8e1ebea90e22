"""The status in full: two lines a window, two a balance, one binding limit an account."""

from collections.abc import Iterator

import msgspec

from perilune.core.messages import Voice
from perilune.core.width import pad, width, wrap
from perilune.faces.text.figures import UNKNOWN, bar, figures, money
from perilune.faces.text.look import GatewayGlance, Look, place, plan_label, right
from perilune.faces.text.moments import (
    age,
    back_phrase,
    pace_phrase,
    reset_phrase,
    server_now,
    stale_phrase,
)
from perilune.quota.document import AccountDocument, BalanceDocument, StatusDocument, WindowDocument
from perilune.quota.wording import window_word

NARROWEST = 60
_AROUND_BAR = 40
_BAR_LIMITS = (20, 60)
_LABEL = 10
_PLACE = 28
_INDENT = " " * 10
_GAP = "   "
_YEAR_DAYS = 365


def status_lines(document: StatusDocument, look: Look, voice: Voice, gateway: GatewayGlance | None = None) -> list[str]:
    """The lines of the full status for screens of 60 columns and more."""
    blocks = [list(_account(account, document, look, voice)) for account in document.accounts]
    if gateway is not None:
        blocks.append(_wrapped(_gateway(gateway, voice), "", _line_width(look)))
    lines: list[str] = []
    for block in blocks:
        lines += ["", *block] if lines else block
    return lines


def days_words(days: float, voice: Voice) -> str:
    """`lasts about 16 days`, `lasts >1 y`."""
    if days > _YEAR_DAYS:
        return voice.say("status.days.year")
    return voice.say("status.days.one") if days == 1 else voice.say("status.days", days=days_figure(days))


def days_figure(days: float) -> str:
    """`16`, `2.4`: whole from ten days on."""
    return str(int(days)) if days >= 10 else f"{days:g}"


def _account(account: AccountDocument, document: StatusDocument, look: Look, voice: Voice) -> Iterator[str]:
    voice = msgspec.structs.replace(
        voice, now=server_now(account, document.generated_at), with_currency_codes=_needs_codes(document, voice)
    )
    yield from _header(account, look, voice)
    if account.state == "error" or (account.fetched_at is None and account.error is not None):
        yield from _trouble(account, look)
    elif account.fetched_at is None:
        yield f"  {pad(account.name, max(8, width(account.name) + 2))}{UNKNOWN}  {voice.say('status.new')}"
    label = max([_LABEL, *(width(_label(window, voice)) + 4 for window in account.windows)])
    for window in account.windows:
        yield from _window(window, account, label, look, voice)
    if account.balance is not None:
        yield from _balance(account.balance, account, look, voice)
    yield from _last_line(account, voice)
    if look.is_verbose:
        yield from _more(account, look, voice)


def _header(account: AccountDocument, look: Look, voice: Voice) -> Iterator[str]:
    name, where, told = (
        f"{plan_label(account, look)} · {account.name}",
        place(account, look, voice),
        age(account, voice),
    )
    start = f"{pad(name, _PLACE - 1)} {where}"
    if width(start) + width(told) + 2 <= _line_width(look):
        yield start + right(told, _line_width(look) - width(start)) if told else start
        return
    yield from wrap(name + right(told, max(_line_width(look) - width(name), width(told) + 2)), _line_width(look))
    yield _INDENT + where


def _trouble(account: AccountDocument, look: Look) -> Iterator[str]:
    if account.error is not None:
        said = f"{account.error.code}: {account.error.brief or account.error.message}"
        mark = look.paint("✗", "error")
        start = f"  {pad(account.name, max(8, width(account.name) + 2))}"
        first, *more = wrap(said, _line_width(look) - width(start) - 3)
        yield f"{start}{mark}  {first}"
        yield from (" " * (width(start) + 3) + line for line in more)


def _window(window: WindowDocument, account: AccountDocument, label: int, look: Look, voice: Voice) -> Iterator[str]:
    cells = _cells(look) - (label - _LABEL)
    first, second = figures(window, look.shown)
    other = "left" if look.shown == "used" else "used"
    line = f"  {pad(_label(window, voice), label - 2)}{bar(window, cells, look.shown)}"
    line += " " + right(voice.say(f"status.{look.shown}", figure=look.glyphs(first)), 9)
    cell = voice.say(f"status.{other}", figure=look.glyphs(second))
    line += right(cell, max(_line_width(look) - 9 - width(line), width(cell) + 1))
    yield f"{line}  {_state(window.state, look, voice)}"
    for phrases in _below(window, account, look, voice):
        yield from _wrapped([phrase for phrase in phrases if phrase], _INDENT, _line_width(look))


def _below(window: WindowDocument, account: AccountDocument, look: Look, voice: Voice) -> Iterator[list[str]]:
    """What stands below a bar: why it is doubted, then when it resets and how it is doing."""
    is_refused = account.effective.refused_at is not None and account.effective.blocked_by == window.id
    if is_refused and account.effective.refused_at is not None and window.conflict:
        yield [voice.say("status.refused", clock=voice.clock(account.effective.refused_at))]
    elif window.conflict:
        yield [voice.say("status.conflict")]
    if window.state == "spent":
        yield [back_phrase(window, account, voice)]
    elif window.state == "stale" and window.used_ratio is not None:
        yield [stale_phrase(account, voice)]
    elif window.used_ratio is None and window.state == "unknown":
        yield [voice.say("status.unknown_use"), reset_phrase(window, voice)]
    else:
        yield [reset_phrase(window, voice), pace_phrase(window, voice, is_verbose=look.is_verbose)]


def _balance(balance: BalanceDocument, account: AccountDocument, look: Look, voice: Voice) -> Iterator[str]:
    amounts = {"available": balance.available, "voucher": balance.voucher, "cash": balance.cash}
    parts = [voice.say(f"status.balance.{name}", amount=money(m, voice)) for name, m in amounts.items() if m]
    if balance.deficit is not None:
        parts.append(voice.say("status.balance.owed", amount=money(balance.deficit, voice)))
    first, *more = _wrapped(parts, "  ", _line_width(look) - 9)
    yield f"{pad(first, _line_width(look) - 9)}  {_state(account.state, look, voice)}"
    yield from more
    if account.state == "spent" and account.error is not None:
        yield from _wrapped([account.error.message], _INDENT, _line_width(look))
    elif account.state == "stale":
        yield _INDENT + stale_phrase(account, voice)
    yield from _wrapped(_burn(balance, voice), _INDENT, _line_width(look))


def _burn(balance: BalanceDocument, voice: Voice) -> list[str]:
    if balance.burn_per_day is None:
        return [voice.say("status.burn.unknown")]
    spent = voice.say("status.burn", amount=money(balance.burn_per_day, voice))
    return [spent] if balance.days_left is None else [spent, days_words(balance.days_left, voice)]


def _last_line(account: AccountDocument, voice: Voice) -> Iterator[str]:
    parts = []
    binding = next((window for window in account.windows if window.id == account.effective.binding), None)
    if binding is not None:
        word = voice.say("status.window", window=_label(binding, voice))
        parts.append(voice.say("status.binding", window=word))
    if account.windows and account.limits.concurrency is not None:
        parts.append(voice.say("status.parallel", count=account.limits.concurrency))
    if parts:
        yield _INDENT + "   ·   ".join(parts)


def _more(account: AccountDocument, look: Look, voice: Voice) -> Iterator[str]:
    if account.origin is not None:
        key = look.keys.get(account.name)
        facts = {"origin": account.origin, "source": account.source, "took": account.took_ms}
        form = "status.source" if key else "status.source.keyless"
        yield _INDENT + voice.say(form, **facts, **({"key": key} if key else {}))
    for note in [*account.notes, *([account.error] if account.error and account.state in ("ok", "high") else [])]:
        yield from (_INDENT + line for line in wrap(f"{note.code}: {note.message}", _line_width(look) - 10))


def _gateway(gateway: GatewayGlance, voice: Voice) -> list[str]:
    count = gateway.failovers_today
    failovers = "status.gateway.failovers.one" if count == 1 else "status.gateway.failovers"
    return [
        voice.say("status.gateway", address=gateway.address),
        voice.say("status.gateway.route", route=gateway.route, slots=" → ".join(gateway.slots)),
        voice.say(failovers) if count == 1 else voice.say(failovers, count=count),
    ]


def _wrapped(parts: list[str], indent: str, columns: int) -> list[str]:
    """Parts side by side with three spaces between them; what no longer fits begins a line."""
    lines: list[str] = []
    for part in parts:
        if lines and width(lines[-1] + _GAP + part) <= columns:
            lines[-1] += _GAP + part
            continue
        pieces = wrap(part, columns - len(indent))
        lines += [(_INDENT if lines or number else indent) + piece for number, piece in enumerate(pieces)]
    return lines


def _label(window: WindowDocument, voice: Voice) -> str:
    return window_word(window.id, window.label, voice)


def _state(state: str, look: Look, voice: Voice) -> str:
    return look.paint(voice.say(f"status.state.{state}"), state)


def _cells(look: Look) -> int:
    least, most = _BAR_LIMITS
    return min(max(look.columns - _AROUND_BAR, least), most)


def _line_width(look: Look) -> int:
    return _cells(look) + _AROUND_BAR


def _needs_codes(document: StatusDocument, voice: Voice) -> bool:
    currencies = {account.balance.available.currency for account in document.accounts if account.balance}
    return voice.with_currency_codes or len(currencies) > 1
