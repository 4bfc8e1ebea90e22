"""The status for screens below 60 columns: no bar, one fact a line, nothing longer than 40 columns."""

from collections.abc import Iterator

import msgspec

from perilune.core.messages import Voice
from perilune.core.width import pad, width, wrap
from perilune.faces.text.figures import UNKNOWN, figures, money
from perilune.faces.text.look import Look, plan_label, right
from perilune.faces.text.moments import age, pace_word, reset_cell, server_now
from perilune.faces.text.status import days_figure
from perilune.quota.document import AccountDocument, BalanceDocument, StatusDocument, WindowDocument
from perilune.quota.wording import window_word

_WIDEST = 40
_YEAR_DAYS = 365


def narrow_lines(document: StatusDocument, look: Look, voice: Voice) -> list[str]:
    """The lines; below 40 columns they wrap at spaces."""
    currencies = {account.balance.available.currency for account in document.accounts if account.balance}
    voice = msgspec.structs.replace(voice, with_currency_codes=voice.with_currency_codes or len(currencies) > 1)
    columns = min(look.columns, _WIDEST)
    return [
        piece
        for account in document.accounts
        for line in _account(
            account, look, msgspec.structs.replace(voice, now=server_now(account, document.generated_at))
        )
        for piece in ([line] if width(line) <= columns else wrap(line, columns))
    ]


def _account(account: AccountDocument, look: Look, voice: Voice) -> Iterator[str]:
    yield from _header(account, look, voice)
    if account.error is not None and account.state in ("error", "stale"):
        yield f"✗ {account.error.code}: {account.error.brief or account.error.message}"
    elif account.fetched_at is None:
        yield f"{UNKNOWN} {voice.say('status.new')}"
    for window in account.windows:
        yield from _window(window, look, voice)
    if account.balance is not None:
        yield _balance(account.balance, account, look, voice)


def _header(account: AccountDocument, look: Look, voice: Voice) -> Iterator[str]:
    start = f"{account.name}  {plan_label(account, look)} {account.region}"
    told = age(account, voice)
    if width(start) + width(told) + 2 < _WIDEST:
        yield start + right(told, _WIDEST - 1 - width(start)) if told else start
    else:
        yield start
        yield told


def _window(window: WindowDocument, look: Look, voice: Voice) -> Iterator[str]:
    first, second = figures(window, look.shown)
    other = "left" if look.shown == "used" else "used"
    one = right(voice.say(f"status.{look.shown}", figure=look.glyphs(first)), 9)
    two = right(voice.say(f"status.{other}", figure=look.glyphs(second)), 11)
    state = look.paint(voice.say(f"status.state.{window.state}"), window.state)
    yield f"{pad(window_word(window.id, window.label, voice), 7)}{one}{two}  {state}"
    facts = [fact for fact in (reset_cell(window, voice), pace_word(window, voice)) if fact not in ("", UNKNOWN)]
    if facts:
        yield f"  {voice.say('status.join').join(facts)}"


def _balance(balance: BalanceDocument, account: AccountDocument, look: Look, voice: Voice) -> str:
    parts = [money(balance.available, voice)]
    if balance.days_left is not None:
        is_long = balance.days_left > _YEAR_DAYS
        days = voice.say("status.days.short", days=days_figure(balance.days_left))
        parts.append(voice.say("status.days.year.short") if is_long else days)
    state = look.paint(voice.say(f"status.state.{account.state}"), account.state)
    return "  ".join([*parts, state])
