"""The status as a table: one row a window or balance."""

import msgspec

from perilune.core.messages import Language, Voice
from perilune.core.width import pad
from perilune.faces.text.figures import UNKNOWN, figures, money
from perilune.faces.text.fitting import Fitted, fitted
from perilune.faces.text.look import Look
from perilune.faces.text.moments import reset_cell, server_now
from perilune.quota.document import AccountDocument, StatusDocument
from perilune.quota.wording import window_word

_HEADINGS = ("account", "plan", "limit", "used", "left", "resets", "state")
_USED_COLUMN = 3
_SPARE = (1, 5)  # the plan, which `status` tells, then the reset
_LEAST: dict[Language, tuple[int, ...]] = {
    "en": (0, 0, 7, 4, 0, 18, 0),
    "zh-CN": (0, 14, 8, 4, 0, 22, 0),
}


def brief_lines(document: StatusDocument, look: Look, voice: Voice) -> list[str]:
    """The table, columns aligned by display width."""
    currencies = {account.balance.available.currency for account in document.accounts if account.balance}
    voice = msgspec.structs.replace(voice, with_currency_codes=voice.with_currency_codes or len(currencies) > 1)
    rows = [[voice.say(f"status.brief.{name}") for name in _HEADINGS]]
    for account in document.accounts:
        rows += _rows(account, look, msgspec.structs.replace(voice, now=server_now(account, document.generated_at)))
    table = fitted(rows, look.columns, _LEAST[voice.language], _SPARE)
    states = ["", *(state for account in document.accounts for state in _states(account))]
    return [_line(row, table, state, look) for row, state in zip(rows, states, strict=True)]


def _rows(account: AccountDocument, look: Look, voice: Voice) -> list[list[str]]:
    start = [account.name, f"{account.plan} {account.region}"]
    rows = []
    for window in account.windows:
        used, left = figures(window, "used")
        word = window_word(window.id, window.label, voice)
        state = voice.say(f"status.state.{window.state}")
        rows.append([*start, word, look.glyphs(used), look.glyphs(left), reset_cell(window, voice), state])
    state = voice.say(f"status.state.{account.state}")
    if account.balance is not None:
        amount = money(account.balance.available, voice)
        rows.append([*start, voice.say("status.balance"), UNKNOWN, amount, UNKNOWN, state])
    return rows or [[*start, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, state]]


def _states(account: AccountDocument) -> list[str]:
    states: list[str] = [window.state for window in account.windows]
    if account.balance is not None or not states:
        states.append(account.state)
    return states


def _line(row: list[str], table: Fitted, state: str, look: Look) -> str:
    cells = [
        pad(row[column], wide, "right" if column == _USED_COLUMN else "left")
        for column, wide in zip(table.columns, table.widths, strict=True)
    ]
    last = row[-1]
    return "  ".join(cells[:-1]) + "  " + (look.paint(last, state) if state else last)
